internal import Glibc

extension Lab {
    /// Cuts the power of a node. All its processes end at once, its kernel loses next-hop objects, the addresses on ports and
    /// `lo` and the routes with them, and the ports at the other ends of its cables lose carrier. ``start(_:)`` powers the
    /// node on again.
    public mutating func powerOff(_ name: String) throws(LabError) {
        _ = try topology.node(name)
        let namespace = namespace(of: name)
        // The processes are suspended first, so that none reacts to its ports going down, and killed last, when the kernel can
        // no longer send the packets that close their connections.
        let processes = Namespace.processes(inside: [namespace])
        Self.suspend(processes)
        let ports = addresses.ports(of: name).map { "link set \($0.name) down" }
        try Namespace.batch(ports + ["address flush dev lo scope global", "nexthop flush"], in: namespace)
        for pid in processes { kill(pid, SIGKILL) }
        poweredOff.insert(name)
        try stop(name, kill: true)
        try stopServices(of: name)
    }

    /// Suspends processes with SIGSTOP and returns when none of their threads runs any more, or after 5 s. SIGCONT resumes
    /// them.
    public static func suspend(_ processes: [Int32]) {
        for pid in processes { kill(pid, SIGSTOP) }
        Namespace.waitUntilStopped(processes)
    }

    /// Sets the ports of a node up again if the node was powered off, except second ends of pulled cables.
    mutating func powerOn(_ name: String) throws(LabError) {
        guard poweredOff.remove(name) != nil else { return }
        let intact = zip(addresses.ports, topology.links.indices).flatMap { ports, index in
            // If the cable was pulled, its second end stays down, as `fail` has set it.
            faults[index] == .carrier ? [ports.first] : [ports.first, ports.second]
        }
        try Namespace.batch(
            intact.filter { $0.node == name }.map { "link set \($0.name) up" }, in: namespace(of: name))
    }
}
