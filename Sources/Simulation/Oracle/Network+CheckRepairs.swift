internal import Addressing
internal import OSPF

/// What would happen if one cable, segment, port or node failed now: the kernels beside the failure use their backups, and all
/// others still have their old routes.
extension Network {
    /// After no single failure, packets go around in a circle. After that of a cable, packets from both its ends arrive, unless
    /// an end has no next hop left.
    func checkRepairs(_ expected: ExpectedRoutes, _ findings: inout Findings) {
        let owners = Dictionary(
            ports.indices.map { (ports[$0].configuration.linkLocalAddress, $0) },
            uniquingKeysWith: { first, _ in first })
        let failures = possibleFailures
        for group in expected.groups {
            let tables = nodes.map { forwarding(of: $0, to: group, owners) }
            for failure in failures {
                var walk = RepairWalk(tables: tables, failure: failure, announcers: Set(group.announcers))
                for node in nodes where node.isRunning && node.index != failure.node {
                    if let circle = walk.circle(from: node.index) {
                        findings.add(
                            .forwarding,
                            "to \(group.prefixes[0]), without \(failure.text): loop over \(circle.map(name))")
                    }
                }
                for end in failure.ends where expected.truth.isPresent[end] && walk.isRepaired(end) {
                    if let stop = walk.stop(from: end) {
                        findings.add(
                            .forwarding,
                            "to \(group.prefixes[0]), without \(failure.text): from \(name(end)) to \(name(stop)) only")
                    }
                }
            }
        }
    }

    private var possibleFailures: [SingleFailure] {
        var result: [SingleFailure] = []
        for (index, link) in links.enumerated() {
            let nodes = link.ports.map { ports[$0].node }
            result.append(
                SingleFailure(
                    text: "link \(index)", losers: Set(link.ports), deadPorts: Set(link.ports),
                    ends: link.isSegment ? [] : nodes))
            guard link.isSegment else { continue }
            for port in link.ports {
                result.append(
                    SingleFailure(
                        text: "\(name(ports[port].node))'s port to link \(index)", losers: [port], deadPorts: [port]))
            }
        }
        for node in nodes where node.isRunning {
            let own = Set(ports.indices.filter { ports[$0].node == node.index })
            // On a cable, the other end loses its carrier; on a segment, its neighbors notice that it is gone.
            let cables = own.filter { !links[ports[$0].link].isSegment }.map { ports[$0].link }
            let losers = Set(ports.indices.filter { cables.contains(ports[$0].link) })
            result.append(
                SingleFailure(text: name(node.index), losers: losers, deadPorts: own.union(losers), node: node.index))
        }
        return result
    }

    /// The next hops and the backup that a node's kernel has.
    private func forwarding(
        of node: Machine, to group: ExpectedRoutes.Group, _ owners: [IPv6Address: Int]
    ) -> RepairWalk.Table {
        func step(_ hop: NextHop) -> RepairWalk.Step? {
            guard let exit = port(of: node.index, interface: hop.interface), let entry = owners[hop.gateway],
                carries(from: exit, to: entry)
            else { return nil }
            return RepairWalk.Step(exit: exit, entry: entry, node: ports[entry].node)
        }
        let prefix = group.prefixes[0]
        return RepairWalk.Table(
            steps: (node.kernel.nextHops(of: prefix) ?? []).compactMap(step),
            backup: node.kernel.backup(of: prefix).flatMap(step))
    }
}

/// One failure.
private struct SingleFailure {
    var text: String
    /// The ports that lose their carrier.
    var losers: Set<Int>
    /// The ports that carry nothing any more.
    var deadPorts: Set<Int>
    /// The nodes at the ends of the cable that fails.
    var ends: [Int] = []
    /// The node that fails.
    var node: Int?
}

/// A walk over all paths to one group of prefixes after a failure.
private struct RepairWalk {
    struct Step {
        var exit: Int
        var entry: Int
        var node: Int
    }

    struct Table {
        var steps: [Step]
        var backup: Step?
    }

    let tables: [Table]
    let failure: SingleFailure
    let announcers: Set<Int>
    private var done: Set<Int> = []
    private var trail: [Int] = []

    init(tables: [Table], failure: SingleFailure, announcers: Set<Int>) {
        self.tables = tables
        self.failure = failure
        self.announcers = announcers
    }

    /// Whether a node knows that a step leads nowhere: its own port has no carrier, or the neighbor is gone.
    private func isLost(_ step: Step) -> Bool { failure.losers.contains(step.exit) || step.node == failure.node }

    /// The steps that a node takes after the failure.
    private func steps(from node: Int) -> [Step] {
        let left = tables[node].steps.filter { !isLost($0) }
        guard left.isEmpty, !tables[node].steps.isEmpty, let backup = tables[node].backup, !isLost(backup) else {
            return left
        }
        return [backup]
    }

    /// Whether a node has lost next hops, but not all, or has a backup.
    func isRepaired(_ node: Int) -> Bool {
        tables[node].steps.contains(where: isLost) && !steps(from: node).isEmpty && !announcers.contains(node)
    }

    /// The nodes of a circle that packets from `node` may get into; `nil` if there is none.
    mutating func circle(from node: Int) -> [Int]? {
        if announcers.contains(node) || done.contains(node) || node == failure.node { return nil }
        if trail.contains(node) { return trail + [node] }
        trail.append(node)
        defer { trail.removeLast() }
        for step in steps(from: node) where !failure.deadPorts.contains(step.entry) {
            if let found = circle(from: step.node) { return found }
        }
        done.insert(node)
        return nil
    }

    /// A node at which packets from `node` may end without having arrived; `nil` if there is none. There must be no circle.
    func stop(from node: Int) -> Int? {
        if announcers.contains(node) { return nil }
        let steps = steps(from: node)
        if steps.isEmpty { return node }
        for step in steps {
            if failure.deadPorts.contains(step.entry) { return node }
            if let found = stop(from: step.node) { return found }
        }
        return nil
    }
}
