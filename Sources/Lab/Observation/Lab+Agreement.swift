internal import ControlAPI

/// Checks of whether the running routers of a lab agree. Each returns the first problem as text; `nil` if there is none.
extension Lab {
    /// The problem on the first link that has one: a router that has not as many neighbors as there are other routers on the
    /// link, all Full or 2-Way and at least one of them Full; an agent whose interface is in state Waiting; or agents that
    /// disagree about the link's type or designated router. Links with one running router are not checked.
    public func adjacencyProblem() throws(LabError) -> String? {
        let segments = segments.filter { $0.count > 1 }
        var heard: [String: [ReportedNeighbor]] = [:]
        var interfaces: [String: [Interface]] = [:]
        for port in segments.joined() where heard[port.node] == nil {
            heard[port.node] = try neighbors(of: port.node)
            if isAgent(port.node) { interfaces[port.node] = try list(Interface.self, of: port.node) }
        }
        for segment in segments {
            for port in segment {
                let neighbors = heard[port.node, default: []].filter { $0.port == port.name }
                // On a segment, two DROthers stay at 2-Way, but each is Full with the DR.
                let bidirectional = neighbors.filter { ["Full", "2-Way"].contains($0.state) }
                guard bidirectional.count == segment.count - 1, bidirectional.count == neighbors.count,
                    bidirectional.contains(where: { $0.state == "Full" })
                else {
                    let states = neighbors.map { "\($0.routerID) \($0.state)" }.joined(separator: ", ")
                    return "\(port.node) should be Full on \(port.name), which has \(segment.count - 1) other routers; "
                        + "its neighbors: \(states.isEmpty ? "none" : states)"
                }
            }
            let views = segment.compactMap { port in interfaces[port.node]?.first { $0.name == port.name } }
            if let waiting = zip(segment, views).first(where: { $1.state == "Waiting" }) {
                return "\(waiting.0.node) is still in state Waiting on \(waiting.0.name): no designated router yet"
            }
            guard Set(views.map { [$0.type, $0.designatedRouter] }).count <= 1 else {
                let kinds = views.map { "\($0.type) \($0.designatedRouter ?? "")" }.joined(separator: ", ")
                return "\(segment.map(\.node).joined(separator: ", ")) disagree on their common link: \(kinds)"
            }
        }
        return nil
    }

    /// The first running router whose database differs from that of the first running router, with all differences.
    public func databaseProblem() throws(LabError) -> String? {
        let running = topology.routers.filter { isRunning($0.name) }
        guard let first = running.first else { return nil }
        let reference = try database(of: first.name)
        for node in running.dropFirst() {
            let other = try database(of: node.name)
            guard other != reference else { continue }
            let lacking = reference.subtracting(other).sorted().map { "  only \(first.name): \($0)" }
            let extra = other.subtracting(reference).sorted().map { "  only \(node.name): \($0)" }
            return "databases of \(first.name) and \(node.name) differ:\n" + (lacking + extra).joined(separator: "\n")
        }
        return nil
    }

    /// In the database of the first running agent: the first agent whose router-LSA has more or fewer links than the agent has
    /// ports with another running router, or the first point-to-point link that only one end announces. `nil` without a running
    /// agent.
    func descriptionProblem() throws(LabError) -> String? {
        guard let viewer = topology.routers.first(where: { $0.router == .meshd && isRunning($0.name) }) else {
            return nil
        }
        let nodes = try list(Node.self, of: viewer.name).filter(\.reachable)
        let ports = segments.filter { $0.count > 1 }.joined()
        let links = Set(
            nodes.flatMap { node in node.links.filter { $0.type == "p2p" }.map { [node.routerID, $0.routerID] } })
        for node in nodes {
            if let name = node.node, isAgent(name) {
                let expected = ports.count { $0.node == name }
                if node.links.count != expected {
                    return "\(name) announces \(node.links.count) links but has \(expected)"
                }
            }
            for link in node.links where link.type == "p2p" && !links.contains([link.routerID, node.routerID]) {
                return "\(link.node ?? link.routerID) does not announce its link to \(node.node ?? node.routerID)"
            }
        }
        return nil
    }

    /// The first agent that does not announce one of its VIPs although services of the lab run on the node, and the VIP's port
    /// is one of theirs.
    func announcementProblem() throws(LabError) -> String? {
        for node in topology.routers where node.router == .meshd && isRunning(node.name) && offersServices(node.name) {
            let served = node.vips.filter { node.listens.contains($0.port) }.map(\.name)
            guard !served.isEmpty else { continue }
            let announced = try list(VIP.self, of: node.name).filter(\.announced).map(\.name)
            if let lacking = served.first(where: { !announced.contains($0) }) {
                return "\(node.name) does not announce \(lacking) yet"
            }
        }
        return nil
    }

    private func isAgent(_ name: String) -> Bool {
        topology.routers.contains { $0.name == name && $0.router == .meshd }
    }

    /// Lists of ports of running routers. Those of each list are on one link: at the two ends of a cable, or on all cables of
    /// bridges that are joined. Links that were made to fail connect nothing. Some of the lists are empty.
    private var segments: [[AddressBook.Port]] {
        let bridges = Set(topology.nodes.filter { $0.router == .bridge }.map(\.name))
        let running = Set(topology.routers.map(\.name).filter(isRunning))
        var linksOfBridge: [String: [Int]] = [:]
        var unseen: Set<Int> = []
        for (index, link) in topology.links.enumerated() where faults[index] == nil {
            unseen.insert(index)
            for end in [link.first, link.second] where bridges.contains(end) {
                linksOfBridge[end, default: []].append(index)
            }
        }
        var segments: [[AddressBook.Port]] = []
        for start in topology.links.indices {
            var segment: [AddressBook.Port] = []
            var frontier = [start]
            while let link = frontier.popLast() {
                guard unseen.remove(link) != nil else { continue }
                for port in [addresses.ports[link].first, addresses.ports[link].second] {
                    if running.contains(port.node) { segment.append(port) }
                    frontier += linksOfBridge[port.node] ?? []
                }
            }
            segments.append(segment)
        }
        return segments
    }
}
