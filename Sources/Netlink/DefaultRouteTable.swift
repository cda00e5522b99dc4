internal import Addressing
internal import CNetlink
internal import Glibc
internal import Links
internal import Routing

/// The default routes of other programs and the kernel, kept current by the kernel's notifications. A function that
/// returns `Bool` returns `false` if ``kinds`` may be wrong now, because a notification is ambiguous or the table is
/// incomplete; then the routes must be read again.
struct DefaultRouteTable {
    /// The key of a route. Several routes can coexist under one key.
    struct Key: Hashable {
        var family: IPFamily
        var table: UInt32
        var metric: UInt32
        var typeOfService: UInt8
    }

    /// One route. Routes with the same key differ in another field.
    struct Route: Hashable {
        /// Next hops of its own, or a next-hop object or group.
        enum Target: Hashable {
            case hops(Set<KernelRoute.Hop>)
            case object(NextHopID)
        }

        var key: Key
        var protocolNumber: UInt8
        var target: Target
        var preferredSource: IPv6Address?

        /// Its own next hops; none if it has a next-hop object.
        var hops: Set<KernelRoute.Hop> { if case .hops(let hops) = target { hops } else { [] } }
        var isAdvertised: Bool { protocolNumber == KernelRoute.advertisement }
    }

    /// The kinds of default routes that the kernel has. A kind is what ``DefaultRoute`` distinguishes: an interface, a family,
    /// and whether a router advertisement made the route.
    var kinds: Set<DefaultRoute> { Set(counts.keys) }

    /// The interfaces of each route, without those of dead next hops.
    private var interfaces: [Route: Set<UInt32>] = [:]
    /// How many routes there are of each kind.
    private var counts: [DefaultRoute: Int] = [:]
    /// Whether routes were left out because of the limit.
    private var isTruncated = false

    /// The maximum number of routes: a link with many routers that advertise themselves must not fill the memory.
    private static let limit = 1024

    /// A route was added or, with `replaces`, took the place of one with its key. `new` are its usable interfaces. A route that
    /// is not `isForeign`, because it is ours or has no next hop, is not stored, but may have replaced one that is.
    mutating func add(_ route: Route, interfaces new: Set<UInt32>, replaces: Bool, isForeign: Bool) -> Bool {
        if replaces {
            let others = interfaces.keys.filter { $0.key == route.key && $0 != route }
            // The notification does not say which of several was replaced.
            guard others.count < 2 else { return false }
            for other in others { guard drop(other) else { return false } }
        } else if route.key.family == .ipv6, route.hops.count > 1 {
            // IPv6 adds a next hop to the route with this key, and the notification lists all of its next hops.
            for part in interfaces.keys where part.key == route.key && route.hops.isSuperset(of: part.hops) {
                _ = drop(part)
            }
        }
        guard isForeign else { return drop(route) }
        insert(route, new)
        return true
    }

    /// A route, or some of its next hops, was removed.
    mutating func remove(_ route: Route) -> Bool {
        if interfaces[route] != nil { return drop(route) }
        let parts = interfaces.keys.filter {
            $0.key == route.key && $0.protocolNumber == route.protocolNumber && !route.hops.isEmpty
                && $0.hops.isSuperset(of: route.hops)
        }
        guard var rest = parts.first else { return true }
        let isKnown = drop(rest)
        rest.target = .hops(rest.hops.subtracting(route.hops))
        insert(rest, Set(rest.hops.map(\.interface)))
        return isKnown
    }

    /// An interface went down, was removed (`isGone`), or has lost its last address of `family`, which concerns only routes of
    /// that family. The kernel removes the routes over it, without a notification for those of IPv4.
    mutating func removeRoutes(over interface: UInt32, of family: IPFamily? = nil, isGone: Bool = false) -> Bool {
        var isKnown = true
        for (route, all) in interfaces where (family ?? route.key.family) == route.key.family {
            let isOnIt = all.contains(interface) || route.hops.contains { $0.interface == interface }
            guard isOnIt else { continue }
            isKnown = drop(route) && isKnown
            // One of several next hops is dead now. The route stays, unless it is IPv4 and the interface was removed.
            let rest = all.subtracting([interface])
            if !rest.isEmpty, !isGone || route.key.family == .ipv6 { insert(route, rest) }
        }
        return isKnown
    }

    /// An interface is up, or got an IPv4 address. The next hops over it are usable again in IPv4 routes that kept other next
    /// hops meanwhile.
    mutating func restoreNextHops(over interface: UInt32) {
        for (route, all) in interfaces where route.key.family == .ipv4 && !all.contains(interface) {
            guard route.hops.contains(where: { $0.interface == interface }) else { continue }
            _ = drop(route)
            insert(route, all.union([interface]))
        }
    }

    /// An address was removed, and with it the routes that have it as their preferred source.
    mutating func removeRoutes(from source: IPv6Address) -> Bool {
        var isKnown = true
        for route in interfaces.keys where route.preferredSource == source { isKnown = drop(route) && isKnown }
        return isKnown
    }

    /// Adds a route with its usable interfaces, unless it is known or the table is full.
    mutating func insert(_ route: Route, _ new: Set<UInt32>) {
        guard interfaces[route] == nil else { return }
        guard interfaces.count < Self.limit else { return isTruncated = true }
        interfaces[route] = new
        for interface in new { counts[kind(of: route, over: interface), default: 0] += 1 }
    }

    /// Removes a route. Returns whether ``kinds`` is certain: not if the last known route of a kind is gone while
    /// another one of this kind may have been left out.
    private mutating func drop(_ route: Route) -> Bool {
        guard let usable = interfaces.removeValue(forKey: route) else { return true }
        var isKnown = true
        for interface in usable {
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
    /// `nil` unless it is a default route, and not a cached copy of one.
    init?(_ route: KernelRoute) {
        guard route.isDefault, !route.isCached else { return nil }
        key = DefaultRouteTable.Key(
            family: route.family, table: route.table, metric: route.metric, typeOfService: route.typeOfService)
        protocolNumber = route.protocolNumber
        preferredSource = route.preferredSource
        if case .group(let id) = route.target {
            target = .object(id)
        } else {
            target = .hops(Set(route.hops))
        }
    }
}
