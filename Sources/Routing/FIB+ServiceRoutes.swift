public import Addressing

// Service routes: routes through `lo` to the addresses of services, so that processes on this machine can send to them.
//
// A rule of the service proxy translates such packets, but the kernel looks up a route before it applies the rule. These routes
// have a metric of their own that is larger than any other, so every other route to the same prefix comes first, that of the
// router too, and both can be in the kernel at the same time. They use no next-hop objects: only without one, the kernel refuses
// IPv6 packets that no rule has translated, instead of forwarding them through `lo` again and again.

/// A service route that is wanted or in the kernel.
struct ServiceRoute: Sendable {
    /// What the kernel has, according to the model.
    enum Installed: Hashable, Sendable {
        case nothing
        /// A notification says that the route was removed. It may be late: we may have made the route again since.
        case unknown
        case route
        /// A route of ours that must be written again, because its source or another attribute is not the wanted one.
        case other

        /// Whether there is a route.
        var isRoute: Bool { self == .route || self == .other }
    }

    var isWanted = false
    var installed = Installed.nothing
    /// A route of an earlier run that is not wanted, kept until ``FIB/sweep()``.
    var isStale = false
    /// Why the kernel refused it; it is not tried again before ``FIB/retry()`` or a change of what it depends on.
    var failure: FIBFailure?
}

extension FIB {
    /// The index of `lo`, the same in every network namespace.
    static let loopback: UInt32 = 1

    /// Makes exactly these service routes wanted.
    public mutating func setServiceRoutes(_ prefixes: Set<IPv6Prefix>) {
        for prefix in prefixes where serviceRoutes[prefix]?.isWanted != true {
            serviceRoutes[prefix, default: ServiceRoute()].isWanted = true
            serviceRoutes[prefix]!.isStale = false
            dirtyServiceRoutes.insert(prefix)
        }
        for (prefix, route) in serviceRoutes where route.isWanted && !prefixes.contains(prefix) {
            serviceRoutes[prefix]!.isWanted = false
            serviceRoutes[prefix]!.failure = nil
            dirtyServiceRoutes.insert(prefix)
        }
    }

    /// The wanted service routes and their states, by prefix.
    public var serviceRouteStates: [(prefix: IPv6Prefix, state: RouteState)] {
        serviceRoutes.filter(\.value.isWanted).sorted { $0.key < $1.key }.map { prefix, route in
            if let failure = route.failure { return (prefix, .failed(failure)) }
            return (prefix, route.installed == .route ? .installed : .pending)
        }
    }

    /// The number of service routes in the kernel, according to the model.
    public var installedServiceRoutes: Int { serviceRoutes.values.count(where: \.installed.isRoute) }

    /// Whether the kernel refused a service route.
    public var hasRefusedServiceRoutes: Bool { serviceRoutes.values.contains { $0.failure != nil } }

    /// A service route was removed or replaced, by another program or by the kernel. Returns whether there was one, according
    /// to the model.
    @discardableResult
    public mutating func serviceRouteDeleted(_ prefix: IPv6Prefix) -> Bool {
        guard let route = serviceRoutes[prefix], route.installed.isRoute else { return false }
        serviceRoutes[prefix]!.installed = .unknown
        dirtyServiceRoutes.insert(prefix)
        return true
    }

    // MARK: Planning

    /// The next changes of service routes: those that make routes, and those that remove them.
    mutating func planServiceRoutes() -> (routes: [FIBChange], removals: [FIBChange]) {
        var routes: [FIBChange] = []
        var removals: [FIBChange] = []
        for prefix in dirtyServiceRoutes.sorted() {
            guard let route = serviceRoutes[prefix] else { continue }
            guard route.isWanted else {
                // A stale route is kept until `sweep`.
                if route.isStale { continue }
                if route.installed != .nothing { removals.append(.removeServiceRoute(prefix)) }
                serviceRoutes[prefix] = nil
                continue
            }
            // A lost `lo` marks all of them when it is usable again.
            guard route.failure == nil, !lostLinks.contains(Self.loopback) else { continue }
            switch route.installed {
            case .route: continue
            case .nothing, .unknown: routes.append(.addServiceRoute(prefix))
            case .other: routes.append(.replaceServiceRoute(prefix))
            }
            serviceRoutes[prefix]!.installed = .route
        }
        dirtyServiceRoutes.removeAll()
        return (routes, removals)
    }

    // MARK: The kernel

    /// Makes the model's service routes those that were found: `true` for one that is as we make it.
    mutating func reconcileServiceRoutes(_ found: [IPv6Prefix: Bool]) {
        for (prefix, isAsWanted) in found {
            if serviceRoutes[prefix] == nil { serviceRoutes[prefix] = ServiceRoute(isStale: keepsStaleRoutes) }
            serviceRoutes[prefix]!.installed = isAsWanted ? .route : .other
            // It could not be made because it existed. Now it is in the model, so it can be replaced.
            if serviceRoutes[prefix]!.failure?.reason == .exists { serviceRoutes[prefix]!.failure = nil }
            dirtyServiceRoutes.insert(prefix)
        }
        for (prefix, route) in serviceRoutes where found[prefix] == nil && route.installed != .nothing {
            serviceRoutes[prefix]!.installed = .nothing
            dirtyServiceRoutes.insert(prefix)
        }
    }

    /// Marks service routes to be examined again, after `lo` became usable or before a retry.
    mutating func retryServiceRoutes() {
        for (prefix, route) in serviceRoutes where route.isWanted {
            serviceRoutes[prefix]!.failure = nil
            dirtyServiceRoutes.insert(prefix)
        }
    }

    /// The kernel removes all service routes with their link.
    mutating func loseServiceRoutes() { for prefix in serviceRoutes.keys { serviceRouteDeleted(prefix) } }

    /// An attribute of all routes has changed.
    mutating func rewriteServiceRoutes() {
        for (prefix, route) in serviceRoutes where route.installed.isRoute {
            serviceRoutes[prefix]!.installed = .other
            dirtyServiceRoutes.insert(prefix)
        }
    }

    /// From now on, service routes of an earlier run are removed.
    mutating func sweepServiceRoutes() {
        for (prefix, route) in serviceRoutes where route.isStale {
            serviceRoutes[prefix]!.isStale = false
            dirtyServiceRoutes.insert(prefix)
        }
    }

    /// The kernel refused to make or to write again a service route.
    mutating func failedServiceRoute(
        _ prefix: IPv6Prefix, _ failure: FIBFailure, leaves installed: ServiceRoute.Installed
    ) {
        if failure.reason == .exists { requireRead(.everything) }
        guard serviceRoutes[prefix] != nil else { return }
        serviceRoutes[prefix]!.installed = installed
        dirtyServiceRoutes.insert(prefix)
        // A route to be replaced that is missing is simply made.
        if installed == .other, failure.reason == .missing {
            serviceRoutes[prefix]!.installed = .nothing
        } else {
            serviceRoutes[prefix]!.failure = failure
        }
    }
}
