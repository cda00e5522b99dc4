internal import Addressing
internal import OSPF
internal import OSPFPacket

/// Whether databases agree with each other and with the real topology.
extension Network {
    /// The age in seconds that no LSA of a reachable router reaches: it is refreshed at 1800 s (LSRefreshTime), and 30 s
    /// are more than flooding takes.
    private static let oldestFresh = 1830

    /// All routers of a component hold the same LSAs of area and AS scope, and no LSA that is too old.
    func checkDatabases(of component: [Int], _ findings: inout Findings) {
        var reference: (node: Int, identities: [WireLSA.Identity])?
        let members = Set(component.map { nodes[$0].routerID })
        for node in component {
            let all = database(of: node)
            let identities = all.filter { !$0.isLinkLocal }.map(\.identity).sorted()
            if let reference {
                if reference.identities != identities {
                    let difference = identities.difference(from: reference.identities).map { change in
                        switch change {
                        case .insert(_, let identity, _): "only \(name(node)) has \(identity)"
                        case .remove(_, let identity, _): "only \(name(reference.node)) has \(identity)"
                        }
                    }
                    findings.add(.database, difference.prefix(4).joined(separator: "; "))
                }
            } else {
                reference = (node, identities)
            }
            for lsa in all {
                // 3600 s is MaxAge.
                let limit = members.contains(lsa.advertisingRouter) ? Self.oldestFresh : 3600
                if lsa.age >= limit { findings.add(.content, "\(name(node)) holds \(lsa.identity) of age \(lsa.age)") }
            }
        }
    }

    private func database(of node: Int) -> [WireLSA] {
        let entries = nodes[node].router?.databaseSnapshot(at: localTime(of: node)) ?? []
        return entries.map { WireLSA(octets: $0.lsa.octets) }
    }

    /// A router's own LSAs list exactly its links, prefixes, externals and networks: nothing from an earlier run or from a
    /// router with the same ID.
    func checkOwnLSAs(of node: Machine, _ truth: GroundTruth, _ findings: inout Findings) {
        var links: [String] = []
        var prefixes: [String] = []
        var externals: [String] = []
        var networks: [UInt32] = []
        for lsa in database(of: node.index) where lsa.advertisingRouter == node.routerID {
            switch lsa.type {
            case WireLSA.routerType: links += lsa.routerLinks.map { "\($0.interface) cost \($0.metric)" }
            case WireLSA.networkType: networks.append(lsa.linkStateID)
            case WireLSA.intraAreaPrefixType:
                prefixes += lsa.intraAreaPrefixes.map { "\($0.prefix) metric \($0.metric)" }
            case WireLSA.ipv4PrefixType: prefixes += lsa.ipv4Prefixes.map { "\($0.prefix) metric \($0.metric)" }
            case WireLSA.asExternalType:
                let external = lsa.external
                externals.append("\(external.prefix) metric \(external.metric) type2 \(external.isType2)")
            default: break
            }
        }
        func compare(_ what: String, _ found: [String], _ wanted: [String]) {
            let found = found.sorted()
            let wanted = wanted.sorted()
            guard found != wanted else { return }
            let extra = found.filter { !wanted.contains($0) }.prefix(3)
            let missing = wanted.filter { !found.contains($0) }.prefix(3)
            findings.add(
                .content,
                "\(name(node.index))'s LSAs list \(found.count) \(what) for \(wanted.count): too many \(Array(extra)), missing \(Array(missing))"
            )
        }
        compare(
            "links", links,
            truth.edges[node.index].map { "\(ports[$0.exit!].configuration.index) cost \($0.cost)" })
        compare("prefixes", prefixes, node.prefixes.map { "\($0.prefix) metric \($0.metric)" })
        compare(
            "externals", externals, node.externals.map { "\($0.prefix) metric \($0.metric) type2 \($0.isType2)" })
        let designated = (node.router?.interfaceSnapshots ?? []).filter {
            $0.state == .designated && $0.fullNeighborCount > 0
        }
        // The link state ID of a network-LSA is the interface ID of the designated router (RFC 5340 §4.4.3.3).
        compare("networks", networks.map(String.init), designated.map { "\($0.configuration.index)" })
    }
}
