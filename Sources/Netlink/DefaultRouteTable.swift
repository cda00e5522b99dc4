internal import Addressing
internal import CNetlink
internal import Glibc
internal import Links
internal import Routing

/// The default routes of others, kept current by the kernel's notifications. A function returns `false` if a notification is
/// ambiguous; then the routes must be read again.
struct DefaultRouteTable {
    /// The key of a route. Some kinds of routes can coexist under one key.
    struct Key: Hashable {
        var family: IPFamily
        var table: UInt32
        var metric: UInt32
        var typeOfService: UInt8
    }

    /// One route. Two with the same key differ in the rest.
    struct Route: Hashable {
        enum Target: Hashable {
            case ways(Set<KernelRoute.Way>)
            case object(NextHopID)
        }

        var key: Key
        var protocolNumber: UInt8
        var target: Target
        var preferredSource: IPv6Address?

        /// Its own ways; none if it has a next-hop object.
        var ways: Set<KernelRoute.Way> { if case .ways(let ways) = target { ways } else { [] } }
        var isAdvertised: Bool { protocolNumber == KernelRoute.advertisement }
    }

    /// The kinds of default routes there are.
    var kinds: Set<DefaultRoute> { Set(counts.keys) }

    private var interfaces: [Route: Set<UInt32>] = [:]
    private var counts: [DefaultRoute: Int] = [:]
    /// Whether there were more routes than are kept.
    private var isTruncated = false

    /// The most routes kept: a link full of routers that advertise themselves must not fill the memory.
    private static let limit = 1024

    /// A route is new, or it took the place of those with its key.
    mutating func add(_ route: Route, interfaces new: Set<UInt32>, replaces: Bool, isForeign: Bool) -> Bool {
        if replaces {
            let others = interfaces.keys.filter { $0.key == route.key && $0 != route }
            guard others.count < 2 else { return false }
            for other in others { guard drop(other) else { return false } }
        } else if route.key.family == .ipv6, route.ways.count > 1 {
            // IPv6 adds a further way to the route with this key, and the notification lists all of its ways.
            for part in interfaces.keys where part.key == route.key && route.ways.isSuperset(of: part.ways) {
                _ = drop(part)
            }
        }
        guard isForeign else { return drop(route) }
        insert(route, new)
        return true
    }

    /// A route is gone, or some of its ways.
    mutating func remove(_ route: Route) -> Bool {
        if interfaces[route] != nil { return drop(route) }
        let parts = interfaces.keys.filter {
            $0.key == route.key && $0.protocolNumber == route.protocolNumber && !route.ways.isEmpty
                && $0.ways.isSuperset(of: route.ways)
        }
        guard var rest = parts.first else { return true }
        let isKnown = drop(rest)
        rest.target = .ways(rest.ways.subtracting(route.ways))
        insert(rest, Set(rest.ways.map(\.interface)))
        return isKnown
    }

    /// An interface went down or, with `isGone`, was removed, and its routes with it. The kernel does not notify the
    /// removal of IPv4 routes.
    mutating func removeRoutes(over interface: UInt32, of family: IPFamily? = nil, isGone: Bool = false) -> Bool {
        var isKnown = true
        for (route, all) in interfaces where (family ?? route.key.family) == route.key.family {
            let isOnIt = all.contains(interface) || route.ways.contains { $0.interface == interface }
            guard isOnIt else { continue }
            isKnown = drop(route) && isKnown
            // Of several ways one is dead now, and the route stays, unless a device is gone.
            let rest = all.subtracting([interface])
            if !rest.isEmpty, !isGone || route.key.family == .ipv6 { insert(route, rest) }
        }
        return isKnown
    }

    /// An interface is up again, and with it the ways over it of IPv4 routes that had others meanwhile.
    mutating func restoreWays(over interface: UInt32) {
        for (route, all) in interfaces where route.key.family == .ipv4 && !all.contains(interface) {
            guard route.ways.contains(where: { $0.interface == interface }) else { continue }
            _ = drop(route)
            insert(route, all.union([interface]))
        }
    }

    /// An address is gone, and with it the routes whose source it was.
    mutating func removeRoutes(from source: IPv6Address) -> Bool {
        var isKnown = true
        for route in interfaces.keys where route.preferredSource == source { isKnown = drop(route) && isKnown }
        return isKnown
    }

    mutating func insert(_ route: Route, _ new: Set<UInt32>) {
        guard interfaces[route] == nil else { return }
        guard interfaces.count < Self.limit else { return isTruncated = true }
        interfaces[route] = new
        for interface in new { counts[kind(of: route, over: interface), default: 0] += 1 }
    }

    /// Forgets a route; whether it is known what is left.
    private mutating func drop(_ route: Route) -> Bool {
        guard let over = interfaces.removeValue(forKey: route) else { return true }
        var isKnown = true
        for interface in over {
            let kind = kind(of: route, over: interface)
            counts[kind]! -= 1
            guard counts[kind] == 0 else { continue }
            counts[kind] = nil
            if isTruncated { isKnown = false }
        }
        return isKnown
    }

    private func kind(of route: Route, over interface: UInt32) -> DefaultRoute {
        DefaultRoute(interface: interface, family: route.key.family, isAdvertised: route.isAdvertised)
    }
}

extension DefaultRouteTable.Route {
    /// The route if it is a default route.
    init?(_ route: KernelRoute) {
        guard route.isDefault, !route.isCached else { return nil }
        key = DefaultRouteTable.Key(
            family: route.family, table: route.table, metric: route.metric, typeOfService: route.typeOfService)
        protocolNumber = route.protocolNumber
        preferredSource = route.preferredSource
        if case .group(let id) = route.target {
            target = .object(id)
        } else {
            target = .ways(Set(route.ways))
        }
    }
}
