internal import Addressing
internal import ControlAPI
internal import Node
internal import OSPF
internal import Routing
internal import Timing

extension AgentSnapshot {
    /// All routes, IPv6 first, in order of their prefix, then the service routes.
    var routeList: [Route] {
        guard let router else { return [] }
        let neighbors = neighborsByNextHop
        let routes = router.routeTable.routes.sorted {
            ($0.key.ipv4 == nil ? 0 : 1, $0.key) < ($1.key.ipv4 == nil ? 0 : 1, $1.key)
        }
        return routes.compactMap { prefix, id in
            route(prefix, id, router, neighbors)
        } + serviceRoutes
    }

    /// The service routes, in order of their prefix.
    private var serviceRoutes: [Route] {
        node.serviceRouteList.map { prefix, state, since in
            Route(
                prefix: prefix.description, family: prefix.ipv4 == nil ? "ipv6" : "ipv4", kind: Route.serviceKind,
                nodes: [], metric: 0, internalMetric: nil,
                nextHops: [Route.NextHop(address: IPv6Address.unspecified.description, interface: "lo")],
                age: age(since: since), fib: Route.FIB(state))
        }
    }

    /// The route to a prefix, or to the longest prefix that matches an address, with all its announcers; `nil` if there is no
    /// such route.
    func explainedRoute(to target: RouteTargetQuery) -> Route? {
        guard let router else { return nil }
        let found: IPv6Prefix? =
            switch target {
            case .prefix(let prefix): prefix
            case .address(let address):
                router.routeTable.routes.keys.filter { $0.routes(address) }.max { $0.length < $1.length }
            }
        guard let prefix = found else { return serviceRoute(to: target) }
        guard let id = router.routeTable.routes[prefix], var route = route(prefix, id, router, neighborsByNextHop)
        else { return serviceRoute(to: target) }
        route.announcers = announcers(of: prefix, router)
        return route
    }

    /// The service route to a prefix, or the longest that matches an address. If the router has a route too, its prefix is longer:
    /// a prefix that the mesh routes needs no service route.
    private func serviceRoute(to target: RouteTargetQuery) -> Route? {
        let matching = serviceRoutes.compactMap { route in
            IPv6Prefix(route.prefix).flatMap { prefix -> (IPv6Prefix, Route)? in
                switch target {
                case .prefix(let wanted): prefix == wanted ? (prefix, route) : nil
                case .address(let address): prefix.routes(address) ? (prefix, route) : nil
                }
            }
        }
        return matching.max { $0.0.length < $1.0.length }?.1
    }

    /// Whether this node itself announces a prefix or an address.
    func isOwn(_ target: RouteTargetQuery) -> Bool {
        announced.contains { own in
            switch target {
            case .prefix(let prefix): own.prefix == prefix
            case .address(let address): own.prefix.routes(address)
            }
        }
    }

    /// The neighbor behind each next hop that can be in a route.
    private var neighborsByNextHop: [NextHop: RouterID] {
        Dictionary(
            (router?.neighborSnapshots ?? []).map {
                (NextHop(interface: $0.interface, gateway: $0.address), $0.routerID)
            }, uniquingKeysWith: { $1 })
    }

    /// The route to a prefix without its announcers; `id` is its destination.
    private func route(
        _ prefix: IPv6Prefix, _ id: DestinationID, _ router: Router, _ neighbors: [NextHop: RouterID]
    ) -> Route? {
        guard let destination = router.routeTable.destinations[id] else { return nil }
        func described(_ hop: NextHop) -> Route.NextHop {
            let neighbor = neighbors[hop]
            return Route.NextHop(
                address: hop.gateway.description, interface: name(ofInterface: hop.interface),
                routerID: neighbor?.description, node: neighbor.flatMap { name(of: $0) })
        }
        // Without support of the kernel, there is none.
        let backup = fib?.configuration.hasBackups == true ? destination.backup : nil
        return Route(
            prefix: prefix.description, family: prefix.ipv4 == nil ? "ipv6" : "ipv4", kind: destination.kind.text,
            nodes: destination.announcers.map { label(of: $0) }, metric: Int(destination.metric),
            internalMetric: destination.kind == .externalType2 ? Int(destination.internalMetric) : nil,
            nextHops: destination.nextHops.map(described), age: age(since: ages.changed(prefix, id) ?? now),
            fib: kernelState(of: prefix), backup: backup.map(described))
    }

    private func kernelState(of prefix: IPv6Prefix) -> Route.FIB {
        fib?.state(of: prefix).map { Route.FIB($0) } ?? Route.FIB(state: .missing)
    }

    private func announcers(of prefix: IPv6Prefix, _ router: Router) -> [Route.Announcer] {
        let candidates = router.candidates(for: prefix)
        let best = candidates.first { $0.isBest }
        return candidates.map { candidate in
            Route.Announcer(
                routerID: candidate.announcer.description, node: name(of: candidate.announcer),
                metric: Int(candidate.metric), distance: candidate.distance.map(Int.init), kind: candidate.kind.text,
                selected: candidate.isBest, reason: candidate.isBest ? nil : Self.reason(candidate, best))
        }
    }

    /// Why `candidate` was not chosen, where `best` is one of those chosen. Without a best one, no candidate can be used.
    private static func reason(_ candidate: PrefixCandidate, _ best: PrefixCandidate?) -> String {
        guard candidate.distance != nil else { return "unreachable" }
        guard let best else { return "not usable" }
        if candidate.kind > best.kind { return "\(best.kind.text) is preferred to \(candidate.kind.text)" }
        return candidate.metric >= AdvertisedPrefix.lastResort ? "last resort" : "farther"
    }
}

/// The target of a request for one route.
enum RouteTargetQuery: Hashable, Sendable {
    /// This prefix exactly.
    case prefix(IPv6Prefix)
    /// The longest match for this address.
    case address(IPv6Address)

    /// Parses a prefix, `default` (`::/0`) or an address, of either family.
    init?(_ text: String) {
        if let prefix = IPv6Prefix(text) {
            self = .prefix(prefix)
        } else if text == "default" {
            self = .prefix(.default)
        } else if let address = IPv6Address(text) {
            self = .address(address)
        } else {
            return nil
        }
    }
}

extension IPv6Prefix {
    /// Whether a route to this prefix matches `address`: `::/0` does not match IPv4.
    fileprivate func routes(_ address: IPv6Address) -> Bool {
        (ipv4 == nil) == (address.ipv4 == nil) && contains(address)
    }
}

extension Route.FIB {
    init(_ state: RouteState) {
        switch state {
        case .installed: self.init(state: .installed)
        case .pending: self.init(state: .pending)
        case .failed(let failure): self.init(state: .failed, detail: failure.message)
        }
    }
}

extension PathKind {
    /// The name in the API.
    var text: String {
        switch self {
        case .intraArea: "intra-area"
        case .interArea: "inter-area"
        case .externalType1: "external-1"
        case .externalType2: "external-2"
        }
    }
}
