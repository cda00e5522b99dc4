internal import Addressing
internal import OSPF

/// Whether packets arrive, followed hop by hop through the kernels.
extension Network {
    /// From every node that can reach an announcer of a prefix, every choice of next hops ends at an announcer.
    func checkForwarding(_ expected: ExpectedRoutes, _ findings: inout Findings) {
        let owners = Dictionary(
            ports.indices.map { (ports[$0].configuration.linkLocalAddress, $0) },
            uniquingKeysWith: { first, _ in first })
        for group in expected.groups {
            // One prefix of the group is enough: `checkRoutes` and `checkKernel` ensure that all have the same routes.
            let prefix = group.prefixes[0]
            var walk = ForwardingWalk(prefix: prefix, announcers: Set(group.announcers), owners: owners)
            for node in nodes where node.isRunning {
                let canReach = group.announcers.contains { expected.truth.canReach($0, from: node.index) }
                guard canReach else { continue }
                if let failure = walk.failure(from: node.index, in: self) {
                    findings.add(.forwarding, "from \(name(node.index)) to \(prefix): \(failure)")
                }
            }
        }
    }
}

/// A walk over all paths that packets to one prefix may take.
private struct ForwardingWalk {
    let prefix: IPv6Prefix
    let announcers: Set<Int>
    /// The port of each link-local address.
    let owners: [IPv6Address: Int]
    /// Nodes from which all paths arrive.
    private var arrived: Set<Int> = []
    /// The nodes on the path so far.
    private var trail: [Int] = []

    init(prefix: IPv6Prefix, announcers: Set<Int>, owners: [IPv6Address: Int]) {
        self.prefix = prefix
        self.announcers = announcers
        self.owners = owners
    }

    /// What is wrong on a path from `node`; `nil` if all paths arrive.
    mutating func failure(from node: Int, in network: Network) -> String? {
        if announcers.contains(node) || arrived.contains(node) { return nil }
        if trail.contains(node) { return "loop over \((trail + [node]).map(network.name))" }
        guard let nextHops = network.nodes[node].kernel.nextHops(towards: prefix.address), !nextHops.isEmpty else {
            return "no route at \(network.name(node))"
        }
        guard trail.isEmpty || network.nodes[node].kernel.forwards else {
            return "\(network.name(node)) does not forward"
        }
        trail.append(node)
        defer { trail.removeLast() }
        for hop in nextHops {
            guard let exit = network.port(of: node, interface: hop.interface), let entry = owners[hop.gateway],
                network.carries(from: exit, to: entry)
            else { return "\(network.name(node)) sends to \(hop.gateway) on \(hop.interface), where it is not" }
            if let failure = failure(from: network.ports[entry].node, in: network) { return failure }
        }
        arrived.insert(node)
        return nil
    }
}

extension Network {
    /// Whether a packet that is sent from one port can arrive at another.
    func carries(from exit: Int, to entry: Int) -> Bool {
        let link = ports[exit].link
        return ports[entry].link == link && exit != entry && ports[exit].hasCarrier && ports[entry].hasCarrier
            && !links[link][cutFrom: ports[exit].end, to: ports[entry].end]
    }
}
