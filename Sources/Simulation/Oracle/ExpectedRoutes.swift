internal import Addressing
internal import OSPF

/// The routes that every node should have, calculated from the ground truth in the simplest way.
struct ExpectedRoutes: Sendable {
    /// The route to a prefix that a node should have. The members mean the same as those of a `Destination`.
    struct Route: Hashable, Sendable {
        var kind: PathKind
        var metric: UInt32
        var internalMetric: UInt32
        var announcers: [RouterID]
        var nextHops: [NextHop]
    }

    /// An announcer of a prefix, by its place in ``Network/nodes``, with the kind and the metric of its announcement.
    struct Offer: Hashable, Sendable {
        var node: Int
        var kind: PathKind
        var metric: Int
    }

    /// Prefixes that the same nodes announce in the same way, so that the routes to all of them should be the same.
    struct Group: Sendable {
        var offers: [Offer]
        var prefixes: [IPv6Prefix]
        /// The nodes that announce them.
        var announcers: [Int] { offers.map(\.node) }
    }

    let truth: GroundTruth
    /// All prefixes that running nodes announce, in groups.
    let groups: [Group]

    init(of network: Network, truth: GroundTruth) {
        self.truth = truth
        var offers: [IPv6Prefix: [Offer]] = [:]
        for node in network.nodes where node.isRunning {
            for own in node.prefixes {
                let offer = Offer(node: node.index, kind: .intraArea, metric: Int(own.metric))
                offers[own.prefix, default: []].append(offer)
            }
            for external in node.externals {
                let kind = external.isType2 ? PathKind.externalType2 : .externalType1
                let offer = Offer(node: node.index, kind: kind, metric: Int(external.metric))
                offers[external.prefix, default: []].append(offer)
            }
        }
        let grouped = Dictionary(grouping: offers.keys) { offers[$0]! }
        groups = grouped.map { Group(offers: $0.key, prefixes: $0.value.sorted()) }
            .sorted { $0.prefixes[0] < $1.prefixes[0] }
    }

    /// The route that `source` should have; `nil` if none: no reachable router announces the prefix, or `source` announces it
    /// as its own, or imports it and no other path is better.
    func route(from source: Int, to group: Group, in network: Network) -> Route? {
        let reachable = group.offers.filter { truth.canReach($0.node, from: source) }
        let isOwn = reachable.contains { $0.node == source && $0.kind == .intraArea }
        guard !isOwn, let kind = reachable.map(\.kind).min() else { return nil }
        func distance(_ offer: Offer) -> Int { truth.distances[source][offer.node] }
        // For type 2 the metric decides, and of equal ones the distance; for all others the sum.
        func rank(_ offer: Offer) -> (Int, Int) {
            kind == .externalType2 ? (offer.metric, distance(offer)) : (distance(offer) + offer.metric, 0)
        }
        let candidates = reachable.filter { $0.kind == kind }
        let best = candidates.map(rank).min { $0 < $1 }!
        let chosen = candidates.filter { rank($0) == best }
        if chosen.contains(where: { $0.node == source }) { return nil }
        var nextHops = Set<NextHop>()
        for offer in chosen {
            for step in truth.firstSteps(from: source, to: offer.node) {
                let exit = network.ports[step.exit].configuration
                let entry = network.ports[step.entry].configuration
                nextHops.insert(NextHop(interface: exit.index, gateway: entry.linkLocalAddress))
            }
        }
        return Route(
            kind: kind, metric: UInt32(best.0), internalMetric: UInt32(best.1),
            announcers: chosen.map { network.nodes[$0.node].routerID }.sorted(), nextHops: nextHops.sorted())
    }
}
