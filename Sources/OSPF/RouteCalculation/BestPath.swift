import Addressing
import OSPFPacket
import ShortestPath

/// The best path to a prefix among the candidates so far. One value is reused for all groups of prefixes, so that the
/// search allocates no memory.
struct BestPath {
    /// `nil` while there is no path.
    private(set) var kind: PathKind?
    /// As in ``Destination``.
    private(set) var metric: UInt32 = 0
    private(set) var internalMetric: UInt32 = 0
    /// For an external path, where its part inside the routing domain runs; otherwise `any`.
    private(set) var interior = Interior.any
    /// Whether an announcement of the calculating router itself is one of the best.
    private(set) var isLocal = false
    /// The routers whose announcements are the best. In order, without duplicates, once ``finish()`` was called.
    private(set) var announcers: [RouterID] = []
    /// The numbers of exits (``LocalView/exits``) through which the best paths begin.
    var firstHops = FirstHopSet()
    /// Next hops in addition to the exits: forwarding addresses on links of the root, which are gateways themselves (RFC 2328
    /// §16.4 (3)).
    private(set) var forwardingAddresses: Set<NextHop> = []

    /// Whether the path has a next hop.
    var hasNextHops: Bool { !firstHops.isEmpty || !forwardingAddresses.isEmpty }

    /// Where the part of an external path inside the routing domain runs, the preferred place first (RFC 2328 §16.4.1).
    enum Interior: UInt32 {
        /// Only through our area, which is not the backbone.
        case area
        /// Through the backbone or another area.
        case any
    }

    /// The order of preference between paths of one kind: the lowest is preferred, by the first member, then the second, then
    /// the third (RFC 2328 §16.4 (6)).
    static func rank(
        _ kind: PathKind, _ metric: UInt32, _ internalMetric: UInt32, _ interior: Interior
    ) -> (UInt32, UInt32, UInt32) {
        kind == .externalType2 ? (metric, interior.rawValue, internalMetric) : (0, interior.rawValue, metric)
    }

    /// Resets the value to no path.
    mutating func reset() {
        kind = nil
        isLocal = false
        announcers.removeAll(keepingCapacity: true)
        firstHops.removeAll()
        if !forwardingAddresses.isEmpty { forwardingAddresses = [] }
    }

    /// Adds the next hops to a forwarding address: those of the route to it, or the address itself where it is on a link of
    /// ours.
    mutating func forward(to address: IPv6Address, along route: BestPath, exits: [Exit]) {
        for number in route.firstHops {
            let hop = exits[number].nextHop
            if hop.isOnLink {
                forwardingAddresses.insert(NextHop(interface: hop.interface, gateway: address))
            } else {
                firstHops.insert(number)
            }
        }
    }

    /// Considers a path. A better path replaces the others, an equal one is added to them. Returns whether it is one of the
    /// best, so that the caller adds its first hops. Kinds must be offered in their order of preference.
    mutating func offer(
        _ kind: PathKind, metric: UInt32, internalMetric: UInt32 = 0, interior: Interior = .any,
        by announcer: RouterID, isLocal: Bool = false
    ) -> Bool {
        if let best = self.kind {
            let rank = Self.rank(kind, metric, internalMetric, interior)
            let known = Self.rank(best, self.metric, self.internalMetric, self.interior)
            guard best == kind, rank <= known else { return false }
            if rank < known { reset() }
        }
        self.kind = kind
        self.metric = metric
        self.internalMetric = internalMetric
        self.interior = interior
        self.isLocal = self.isLocal || isLocal
        if announcers.last != announcer { announcers.append(announcer) }
        return true
    }

    /// Sorts the announcers and removes duplicates.
    mutating func finish() {
        if zip(announcers, announcers.dropFirst()).allSatisfy(<) { return }
        announcers = Set(announcers).sorted()
    }

    /// Sets the path to the calculating router itself, regardless of what other routers announce.
    mutating func claim() {
        reset()
        kind = .intraArea
        metric = 0
        internalMetric = 0
        interior = .any
        isLocal = true
    }
}

/// The routes to forwarding addresses found in a run. Each is calculated once, regardless of the number of external prefixes
/// that use it.
struct ForwardingRoutes {
    /// By the group of the prefix that the forwarding address is in.
    fileprivate var found: [GroupNumber: BestPath] = [:]
    /// The number of prefix lengths tried, as a measure of the work.
    fileprivate(set) var steps = 0
}

extension RouteCalculation {
    /// Finds the best of some candidates, which are sorted by kind (RFC 2328 §11, §16.4). Ignores kinds after `last`.
    func choose(
        _ candidates: [Candidate], upTo last: PathKind = .externalType2, using forwarding: inout ForwardingRoutes,
        into best: inout BestPath
    ) {
        best.reset()
        defer { best.finish() }
        for candidate in candidates {
            // A worse kind counts only if nothing of a better kind is reachable.
            if let kind = best.kind, kind < candidate.kind { break }
            guard candidate.kind <= last else { break }
            switch candidate.kind {
            case .intraArea:
                offerIntraArea(candidate, to: &best)
                if best.isLocal { return }
            case .interArea: offerInterArea(candidate, to: &best)
            case .externalType1, .externalType2: offerExternal(candidate, using: &forwarding, to: &best)
            }
        }
    }

    private func offerIntraArea(_ candidate: Candidate, to best: inout BestPath) {
        let node = topology[candidate.announcer]
        // A prefix of our own is never routed elsewhere, even if another router announces it, as with anycast, and is nearer
        // than our own metric.
        guard node.name != .router(view.root) else { return best.claim() }
        guard let distance = paths.distance(to: candidate.announcer), node.isPresent,
            best.offer(.intraArea, metric: distance + candidate.metric, by: node.name.router)
        else { return }
        paths.addFirstHops(to: candidate.announcer, into: &best.firstHops)
        guard node.name.isNetwork else { return }
        // A prefix of a network that we are attached to is reached directly, if that is a shortest path.
        for hop in view.attachedNetworks where hop.vertex == candidate.announcer && hop.cost == distance {
            best.firstHops.insert(hop.number)
        }
    }

    private func offerInterArea(_ candidate: Candidate, to best: inout BestPath) {
        guard let distance = borderDistance(candidate.announcer),
            best.offer(.interArea, metric: distance + candidate.metric, by: topology[candidate.announcer].name.router)
        else { return }
        paths.addFirstHops(to: candidate.announcer, into: &best.firstHops)
    }

    private func offerExternal(
        _ candidate: Candidate, using forwarding: inout ForwardingRoutes, to best: inout BestPath
    ) {
        let announcer = topology[candidate.announcer].name.router
        let isType2 = candidate.kind == .externalType2
        // Our own announcement is at distance 0, and another router with a better metric is preferred to it.
        if announcer == view.root {
            _ = best.offer(
                candidate.kind, metric: candidate.metric, interior: interior(isInside: true), by: announcer,
                isLocal: true)
            return
        }
        // The announcer must be reachable even if packets are sent to a forwarding address (RFC 2328 §16.4 (3)).
        guard var distance = boundaryDistance(candidate.announcer) else { return }
        var isInside = insideDistance(toBoundary: candidate.announcer) != nil
        var indirect = BestPath()
        if !candidate.forwardingAddress.isUnspecified {
            indirect = route(to: candidate.forwardingAddress, using: &forwarding)
            guard indirect.kind != nil, !indirect.isLocal else { return }
            distance = indirect.metric
            isInside = indirect.kind == .intraArea
        }
        let metric = isType2 ? candidate.metric : distance.addingSaturated(candidate.metric)
        let isBest = best.offer(
            candidate.kind, metric: metric, internalMetric: isType2 ? distance : 0,
            interior: interior(isInside: isInside), by: announcer)
        guard isBest else { return }
        if candidate.forwardingAddress.isUnspecified {
            addFirstHops(toBoundary: candidate.announcer, distance: distance, into: &best.firstHops)
        } else {
            best.forward(to: candidate.forwardingAddress, along: indirect, exits: view.exits)
        }
    }

    /// The preference of a path to an AS boundary router or a forwarding address: inside the area (`isInside`), or through a
    /// border router.
    private func interior(isInside: Bool) -> BestPath.Interior { isInside && !isBackbone ? .area : .any }

    /// The distance to an area border router; `nil` if the vertex is none or is this router, or if it is unreachable or
    /// forwards no transit traffic because its R-bit is clear (RFC 5340 §A.2).
    private func borderDistance(_ vertex: Vertex) -> UInt32? {
        let node = topology[vertex]
        guard node.flags.contains(.border), node.name.router != view.root, topology.graph.isTransit(vertex) else {
            return nil
        }
        return paths.distance(to: vertex)
    }

    /// The distance to an AS boundary router, in the area or else behind a border router (RFC 2328 §16.2, §16.4 (3)); `nil` if
    /// it is not reachable.
    ///
    /// A clear R-bit of the AS boundary router does not matter here, although RFC 5340 §A.2 reads as if it should: a gateway
    /// that is being drained is avoided because of its costs. If there is no other gateway, it is still better than none.
    private func boundaryDistance(_ vertex: Vertex) -> UInt32? {
        if let distance = insideDistance(toBoundary: vertex) { return distance }
        return interAreaRouters[vertex]?.compactMap { entry in borderDistance(entry.border).map { $0 + entry.metric } }
            .min()
    }

    /// The distance to an AS boundary router in the area; `nil` if it is not there or not reachable.
    private func insideDistance(toBoundary vertex: Vertex) -> UInt32? {
        topology[vertex].flags.contains(.external) ? paths.distance(to: vertex) : nil
    }

    /// Adds the first hops of the paths to an AS boundary router that have the length `distance`, the shortest.
    private func addFirstHops(toBoundary vertex: Vertex, distance: UInt32, into set: inout FirstHopSet) {
        if insideDistance(toBoundary: vertex) != nil { return paths.addFirstHops(to: vertex, into: &set) }
        for entry in interAreaRouters[vertex] ?? [] {
            guard let border = borderDistance(entry.border), border + entry.metric == distance else { continue }
            paths.addFirstHops(to: entry.border, into: &set)
        }
    }

    /// The intra-area or inter-area route for packets to `address`: that of the longest matching prefix with such a route. Its
    /// `kind` is `nil` if there is none.
    private func route(to address: IPv6Address, using forwarding: inout ForwardingRoutes) -> BestPath {
        for length in stride(from: 128, through: 0, by: -1) where prefixes.lengthCounts[length] > 0 {
            forwarding.steps += 1
            guard let group = prefixes.group(of: IPv6Prefix(address, length: length)) else { continue }
            let route: BestPath
            if let known = forwarding.found[group] {
                route = known
            } else {
                var best = BestPath()
                choose(prefixes.groups[group].list.candidates, upTo: .interArea, using: &forwarding, into: &best)
                forwarding.found[group] = best
                route = best
            }
            if route.kind != nil { return route }
        }
        return BestPath()
    }
}

extension UInt32 {
    fileprivate func addingSaturated(_ other: UInt32) -> UInt32 {
        let sum = addingReportingOverflow(other)
        return sum.overflow ? .max : sum.partialValue
    }
}
