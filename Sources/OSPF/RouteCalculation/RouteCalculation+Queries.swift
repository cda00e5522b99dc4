public import Addressing
public import OSPFPacket
import ShortestPath

/// How many runs of a ``RouteCalculation`` there were, by the work that they did.
public struct RouteCalculationStatistics: Hashable, Sendable {
    /// Runs that computed all shortest paths.
    public var fullRuns = 0
    /// Runs that computed no shortest paths, because no shortest path depended on the links that had changed.
    public var incrementalRuns = 0
    /// Runs that computed no shortest paths, because no link had changed: only prefixes, or other things that routes depend on,
    /// such as the announcements of area border routers.
    public var prefixRuns = 0
    /// Runs that found nothing to do.
    public var idleRuns = 0
}

/// A router of the area and the distance to it, as of the last run.
public struct RouterReachability: Hashable, Sendable {
    /// The router.
    public var routerID: RouterID
    /// The name that it announces (RFC 5642); `nil` if it announces none.
    public var hostname: String?
    /// The distance to it; `nil` if it is unreachable.
    public var distance: UInt32?
    /// The first hops of all shortest paths to it, in order: a maximum of ``RouterConfiguration/maximumPaths``.
    public var nextHops: [NextHop]
    /// The roles in its router-LSA.
    public var flags: RouterLSA.Flags
    /// Whether it wants no transit traffic: its R-bit is clear.
    public var isStub: Bool
    /// The intra-area prefixes it announces for itself, with their metrics, in order.
    public var prefixes: [LSAPrefix]
}

/// An announcer of a prefix, chosen or not, as of the last run.
public struct PrefixCandidate: Hashable, Sendable {
    /// The kind of a path through the announcer.
    public var kind: PathKind
    /// Who announces it: a router, the designated router of a network, an area border or AS boundary router.
    public var announcer: RouterID
    /// The announced metric.
    public var metric: UInt32
    /// The distance to the announcer or the forwarding address; `nil` if it is unreachable.
    public var distance: UInt32?
    /// The forwarding address; `nil` if packets are sent to the announcer.
    public var forwardingAddress: IPv6Address?
    /// Whether its announcement is one of the best.
    public var isBest: Bool
}

/// A prefix that should belong to one node and is claimed by several.
public struct DuplicatePrefix: Hashable, Sendable {
    /// The prefix: neither a single address nor a default.
    public var prefix: IPv6Prefix
    /// Reachable routers that claim it, at least 2 and at most 16, in order.
    public var routers: [RouterID]
}

extension RouteCalculation {
    /// All routers that have a router-LSA, in order of router ID.
    public func nodes() -> [RouterReachability] {
        // The prefixes of each router and network.
        var own: [Vertex: [LSAPrefix]] = [:]
        for case .intraArea(let vertex, let list) in contributions.values { own[vertex, default: []] += list }
        let routers = topology.nodes.indices.map { Vertex(rawValue: UInt32($0)) }.filter {
            topology.graph.contains($0) && !topology[$0].name.isNetwork && !topology[$0].routerLSAs.isEmpty
        }
        return routers.map { vertex in
            let node = topology[vertex]
            return RouterReachability(
                routerID: node.name.router, hostname: hostname(of: node.name.router),
                distance: paths.distance(to: vertex), nextHops: nextHops(paths.firstHops(to: vertex)),
                flags: node.flags, isStub: !topology.graph.isTransit(vertex),
                prefixes: Self.cheapest(of: (own[vertex] ?? []).sorted { $0.prefix < $1.prefix }))
        }.sorted { $0.routerID < $1.routerID }
    }

    /// The distance to a router; `nil` if it is unreachable.
    public func distance(to router: RouterID) -> UInt32? {
        topology.vertex(named: .router(router)).flatMap { paths.distance(to: $0) }
    }

    /// Whether the database has a router-LSA of a router.
    func hasRouterLSA(of router: RouterID) -> Bool {
        topology.vertex(named: .router(router)).map { !topology[$0].routerLSAs.isEmpty } ?? false
    }

    /// The point-to-point links in the router-LSAs of a router, as the database has them now.
    func pointToPointLinks(of router: RouterID) -> some Sequence<RouterLSA.Link> {
        let lsas = topology.vertex(named: .router(router)).map { topology[$0].routerLSAs } ?? []
        return lsas.lazy.flatMap(\.body.links).filter { $0.type == .pointToPoint }
    }

    /// The reachable routers that announce `prefix` as their own, or as the designated router of a network with it.
    public func owners(of prefix: IPv6Prefix) -> Set<RouterID> {
        guard let group = prefixes.group(of: prefix) else { return [] }
        let reachable = prefixes.groups[group].list.candidates.lazy.prefix { $0.kind == .intraArea }.filter {
            paths.distance(to: $0.announcer) != nil
        }
        return Set(reachable.map { topology[$0.announcer].name.router })
    }

    /// The prefixes that routers other than `router` announce as their own, and those of all networks, reachable or not:
    /// each once, in no particular order.
    public func prefixes(ofOthersThan router: RouterID) -> [IPv6Prefix] {
        let own = topology.vertex(named: .router(router))
        return prefixes.groups.values.lazy.filter { group in
            group.list.candidates.lazy.prefix { $0.kind == .intraArea }.contains { $0.announcer != own }
        }.flatMap { group in group.members.lazy.map { prefixes.entries[$0].prefix } }
    }

    /// The single addresses that routers other than `router` announce, reachable or not, but for those of one machine: addresses
    /// that several routers may have, as anycast services do.
    public func sharedAddresses(ofOthersThan router: RouterID) -> Set<IPv6Address> {
        let own = topology.vertex(named: .router(router))
        var result: Set<IPv6Address> = []
        for group in prefixes.groups.values where group.list.candidates.contains(where: { $0.announcer != own }) {
            for member in group.members where prefixes.entries[member].prefix.isHost {
                result.insert(prefixes.entries[member].prefix.address)
            }
        }
        return result.subtracting(reservedAddresses(ofOthersThan: router))
    }

    /// The addresses that routers other than `router` announce as addresses of one machine (the LA-bit, RFC 5340
    /// §A.4.1.1), reachable or not.
    public func reservedAddresses(ofOthersThan router: RouterID) -> Set<IPv6Address> {
        let own = topology.vertex(named: .router(router))
        var result: Set<IPv6Address> = []
        for case .intraArea(let vertex, let list) in contributions.values where vertex != own {
            for entry in list where entry.options.contains(.localAddress) && entry.prefix.isHost {
                result.insert(entry.prefix.address)
            }
        }
        return result
    }

    /// All candidates for the route to `prefix`: the best first, unreachable ones last.
    public func candidates(for prefix: IPv6Prefix) -> [PrefixCandidate] {
        guard let group = prefixes.group(of: prefix) else { return [] }
        let candidates = prefixes.groups[group].list.candidates
        var best = BestPath()
        var forwarding = ForwardingRoutes()
        choose(candidates, using: &forwarding, into: &best)
        let rows = candidates.map { candidate in
            // The path if the candidate were the only one.
            var alone = BestPath()
            choose([candidate], using: &forwarding, into: &alone)
            return (candidate, alone)
        }
        let sorted = rows.sorted { left, right in
            left.1.rank != right.1.rank ? left.1.rank.lexicographicallyPrecedes(right.1.rank) : left.0 < right.0
        }
        return sorted.map { candidate, alone in
            PrefixCandidate(
                kind: candidate.kind, announcer: topology[candidate.announcer].name.router, metric: candidate.metric,
                distance: alone.kind.map { _ in alone.distance(announcedAt: candidate.metric) },
                forwardingAddress: candidate.forwardingAddress.isUnspecified ? nil : candidate.forwardingAddress,
                isBest: alone.kind != nil && alone.rank == best.rank)
        }
    }

    /// The prefixes that several reachable routers announce as their own, in order: a maximum of 256 prefixes with a
    /// maximum of 16 routers each, so that forged LSAs cannot make the list, the notices and the problems grow. A single
    /// address of several routers is anycast, and so is a default route of several gateways: both are permitted.
    public func duplicatePrefixes() -> [DuplicatePrefix] {
        let limit = 256
        var result: [DuplicatePrefix] = []
        for group in prefixes.sharedGroups.lazy.map({ prefixes.groups[$0] }) {
            let routers = claimants(of: group.list, atMost: 16)
            guard routers.count > 1 else { continue }
            for member in group.members {
                let prefix = prefixes.entries[member].prefix
                guard !prefix.isHost, !prefix.isDefault else { continue }
                result.append(DuplicatePrefix(prefix: prefix, routers: routers))
                // Keeps the first 256, sorting only once in a while.
                if result.count >= 16 * limit { result = Array(result.sorted { $0.prefix < $1.prefix }.prefix(limit)) }
            }
        }
        return Array(result.sorted { $0.prefix < $1.prefix }.prefix(limit))
    }

    /// Reachable routers among those that announce a prefix for themselves, in order, each once, although a router may announce
    /// it twice, at two metrics.
    private func claimants(of list: CandidateList, atMost limit: Int) -> [RouterID] {
        var routers: [RouterID] = []
        for candidate in list.candidates {
            guard candidate.kind == .intraArea, routers.count < limit else { break }
            let node = topology[candidate.announcer]
            guard !node.name.isNetwork, routers.last != node.name.router,
                paths.distance(to: candidate.announcer) != nil
            else { continue }
            routers.append(node.name.router)
        }
        return routers.sorted()
    }

    /// The name that a router announces (RFC 5642); `nil` if it announces none.
    public func hostname(of router: RouterID) -> String? {
        information[router]?.filter { $0.hostname != nil }.min { $0.key < $1.key }?.hostname
    }

    /// The name that a router announces or, when it announces none any more, announced last.
    public func lastHostname(of router: RouterID) -> String? { hostname(of: router) ?? formerNames[router] }

    /// The name of a port that its router announces; `nil` if it announces none.
    public func portName(of router: RouterID, interfaceID: UInt32) -> String? {
        information[router]?.lazy.flatMap(\.portNames).first { $0.interfaceID == interfaceID }?.name
    }

    /// The smallest MTU that reachable routers announce for their interfaces, in octets; `nil` if none announces one.
    public var smallestMTU: UInt32? {
        information.lazy.filter { router, _ in distance(to: router) != nil }.flatMap {
            $0.value.lazy.compactMap(\.smallestMTU)
        }.min()
    }
}

extension BestPath {
    /// The rank of a path among paths of all kinds; the lowest is best.
    fileprivate var rank: [UInt32] {
        guard let kind else { return [.max] }
        let (first, second, third) = Self.rank(kind, metric, internalMetric, interior)
        return [UInt32(kind.rawValue), first, second, third, isLocal ? 0 : 1]
    }

    /// The distance to the announcer or the forwarding address: the path's metric without the announced one, except for
    /// external paths of type 2.
    fileprivate func distance(announcedAt metric: UInt32) -> UInt32 {
        if isLocal { return 0 }
        return kind == .externalType2 ? internalMetric : self.metric - metric
    }
}
