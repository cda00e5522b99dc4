extension Lab {
    /// Makes a link fail, with or without loss of carrier. If the link has the other kind of fault, heals that first.
    public mutating func fail(_ link: String, _ fault: Fault) throws(LabError) {
        let index = try topology.linkIndex(link)
        if let present = faults[index] {
            guard present != fault else { return }
            try heal(link)
        }
        let ports = addresses.ports[index]
        switch fault {
        case .carrier:
            // The second end goes down, so that the first loses carrier, as when a cable is pulled.
            try Namespace.batch(["link set \(ports.second.name) down"], in: namespace(of: ports.second.node))
        case .silent:
            for port in [ports.first, ports.second] {
                // Packets are dropped where they are received, on both ends.
                let rules = """
                    add table netdev meshlab
                    add chain netdev meshlab \(port.name) { type filter hook ingress device \(port.name) priority 0; policy drop; }

                    """
                try command(on: port.node, ["nft", "-f", "-"], input: rules).run()
            }
        }
        faults[index] = fault
        try save()
    }

    /// Repairs a link that was made to fail; does nothing if it was not.
    public mutating func heal(_ link: String) throws(LabError) {
        let index = try topology.linkIndex(link)
        let ports = addresses.ports[index]
        switch faults[index] {
        case nil: return
        case .carrier:
            // A node without power sets its ports up when it is powered on.
            if !poweredOff.contains(ports.second.node) {
                try Namespace.batch(["link set \(ports.second.name) up"], in: namespace(of: ports.second.node))
            }
        case .silent:
            for port in [ports.first, ports.second] {
                try command(on: port.node, ["nft", "delete", "chain", "netdev", "meshlab", port.name]).run()
            }
        }
        faults[index] = nil
        try save()
    }
}
