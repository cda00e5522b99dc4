public import Addressing
public import OSPF

/// The wanted state of the kernel's routes, a model of their current state, and the changes that the kernel needs.
///
/// The router's updates change the wanted state (``update(_:)``). Reading the kernel (``reconcile(_:)``), its
/// notifications (``linkLost(_:isGone:)``, ``routeDeleted(_:)``) and failures (``failed(_:_:)``) change the model.
/// ``changes(limit:)`` plans, and the model assumes that the plan succeeds.
///
/// In ``Mode/objects`` each destination has its own next-hop group, even for a single next hop, so that a change of next hops
/// replaces the group and not the routes that point to it. The groups of an earlier run are adopted: a destination without a
/// group claims one that its prefixes point to already.
public struct FIB: Sendable {
    /// How routes point to next hops.
    public enum Mode: Hashable, Sendable {
        /// By the ID of a next-hop group (Linux 5.3 and later).
        case objects
        /// Each route has next hops of its own and is rewritten whenever they change; for older kernels.
        case multipath
    }

    /// The configuration of a FIB.
    public struct Configuration: Hashable, Sendable {
        /// How routes point to next hops.
        public var mode: Mode
        /// The range of IDs for our next-hop objects. The default one is far above the numbers that the kernel and people
        /// choose, and begins with our default protocol number, 71.
        public var nextHopIDs: ClosedRange<UInt32>
        /// The maximum number of installed routes, far more than a mesh has: it bounds what other routers can make this
        /// kernel store. Further routes fail (``FIBFailure/Reason/limit``), and ``FIB/retry()`` tries them again.
        public var maximumRoutes: Int
        /// Whether the kernel has resilient groups (Linux 5.12 and later).
        public var hasResilientGroups = true
        /// Whether the kernel has weights large enough for backups (Linux 6.12 and later).
        public var hasBackups = true

        public init(
            mode: Mode = .objects, nextHopIDs: ClosedRange<UInt32> = 71_000_000...71_999_999,
            maximumRoutes: Int = 1_000_000
        ) {
            precondition(nextHopIDs.lowerBound > 0)
            self.mode = mode
            self.nextHopIDs = nextHopIDs
            self.maximumRoutes = maximumRoutes
        }
    }

    /// What must be read from the kernel before the model is reliable again.
    public enum ReadExtent: Int, Comparable, Sendable {
        case nothing
        /// Next-hop objects and groups. Which routes the kernel removed follows from them.
        case nextHops
        case everything

        /// Less first.
        public static func < (left: ReadExtent, right: ReadExtent) -> Bool { left.rawValue < right.rawValue }
    }

    /// A single next-hop object. Here and in ``Group``, `isPresent` is whether the kernel has it, according to the model.
    struct Hop: Sendable {
        var id: NextHopID
        var isPresent: Bool
        /// The number of groups that have it as a member.
        var uses = 0
    }

    /// A next-hop group; in ``Mode/multipath`` only a set of next hops in the model that routes share.
    struct Group: Sendable {
        /// The destination that it belongs to; `nil` for a group of an earlier run that none has claimed, and for that of a
        /// released destination.
        var owner: DestinationID?
        var isPresent: Bool
        /// In the kernel's order (``FIB/arranged(_:like:)``); in ``Mode/multipath`` sorted.
        var members: [NextHop]
        /// Only beside a single member; see ``NextHopGroup/backup``.
        var backup: NextHop?
        var isResilient = false
        /// The number of routes that point to it, according to the model.
        var routes = 0

        /// The members and the backup.
        var hops: [NextHop] { backup.map { members + [$0] } ?? members }
    }

    /// The properties of a destination that the FIB needs.
    struct Target: Sendable {
        var nextHops: [NextHop]
        var backup: NextHop?
        var isAnycast = false
        /// Its group; `nil` until one is claimed or planned.
        var group: NextHopID?
        /// Whether routes may wait because there was no group that they could point to.
        var hasWaitingRoutes = false
    }

    public let configuration: Configuration
    /// Whether stale routes, the objects that they use, and ``surplusHops`` are kept until ``sweep()``.
    public internal(set) var keepsStaleRoutes = false
    /// What must be read and passed to ``reconcile(_:)`` before planning makes sense.
    public internal(set) var requiredRead = ReadExtent.nothing
    /// Whether, since the last read, a link was lost that had next hops in the kernel. The notification may have come late, so
    /// the model should be verified with a ``requireRead(_:)`` of the next hops when there is time.
    public internal(set) var needsVerification = false
    /// Whether something waits for ``retry()``.
    public var hasFailures: Bool {
        !failures.isEmpty || !refusedHops.isEmpty || !refusedDestinations.isEmpty || hasRefusedServiceRoutes
    }
    /// The number of our routes in the kernel without service routes, according to the model.
    public internal(set) var installedRoutes = 0

    /// The number of groups whose only member went while they had a backup, since the FIB was made: the kernel then moves all
    /// flows to the backup by itself.
    public internal(set) var repairs: UInt64 = 0

    /// The IDs of next hops and groups.
    var pool: NextHopIDPool
    /// Our single next-hop objects, by interface and gateway.
    var hops: [NextHop: Hop] = [:]
    /// Our groups.
    var groups: [NextHopID: Group] = [:]
    /// The destinations of the router.
    var targets: [DestinationID: Target] = [:]
    /// All prefixes that are wanted or in the kernel.
    var routes = RouteStore()

    /// Destinations whose group must be examined.
    var dirtyTargets: Set<DestinationID> = []
    /// Groups that may be without owner and routes.
    var unusedGroups: Set<NextHopID> = []
    /// Next hops that may be in no group.
    var unusedHops: Set<NextHop> = []
    /// Links on which the kernel accepts no next-hop object.
    var lostLinks: Set<UInt32> = []
    /// Next hops the kernel refused.
    var refusedHops: [NextHop: FIBFailure] = [:]
    /// Destinations whose group the kernel refused, or for which no next-hop ID was free.
    var refusedDestinations: [DestinationID: FIBFailure] = [:]
    /// Objects to be removed: duplicates of other objects of ours, and ``foreignReplacedHops``.
    var surplusHops: Set<NextHopID> = []
    /// Objects that were ours until another program changed them to ones that we never make, or that are not ours.
    var foreignReplacedHops: Set<NextHopID> = []
    /// Why routes were refused, by the kernel or because of ``Configuration/maximumRoutes``. Routes that wait for a refused
    /// group are not among them: see ``refusedDestinations`` and ``refusedHops``.
    var failures: [IPv6Prefix: FIBFailure] = [:]

    /// The service routes that are wanted or in the kernel (`FIB+ServiceRoutes`); few.
    var serviceRoutes: [IPv6Prefix: ServiceRoute] = [:]
    /// Service routes that must be examined.
    var dirtyServiceRoutes: Set<IPv6Prefix> = []

    /// Makes a FIB whose model of the kernel is empty; see ``reconcile(_:)``.
    public init(configuration: Configuration = Configuration()) {
        self.configuration = configuration
        pool = NextHopIDPool(range: configuration.nextHopIDs)
    }

    /// Applies an update of the router's routes. Returns whether the kernel needs changes for it.
    @discardableResult
    public mutating func update(_ update: RouteTableUpdate) -> Bool {
        var isChanged = !update.routes.isEmpty
        for (id, destination) in update.destinations {
            var target = targets[id] ?? Target(nextHops: [])
            guard
                target.nextHops != destination.nextHops || target.backup != destination.backup
                    || target.isAnycast != destination.isAnycast
            else { continue }
            target.nextHops = destination.nextHops
            target.backup = destination.backup
            target.isAnycast = destination.isAnycast
            targets[id] = target
            refusedDestinations[id] = nil
            dirtyTargets.insert(id)
            isChanged = true
        }
        for (prefix, destination) in update.routes {
            if destination == nil, routes.position(of: prefix) == nil { continue }
            let position = routes.insert(prefix)
            routes[position].wanted = destination
            routes[position].isStale = false
            forgetFailure(position)
            routes.markDirty(position)
        }
        for id in update.released {
            if let group = targets.removeValue(forKey: id)?.group {
                groups[group]?.owner = nil
                unusedGroups.insert(group)
            }
            refusedDestinations[id] = nil
            dirtyTargets.remove(id)
        }
        return isChanged
    }
}

extension FIB {
    /// The next hops of a destination; `nil` if it is not known.
    public func nextHops(of destination: DestinationID) -> [NextHop]? { targets[destination]?.nextHops }

    /// The next hops that the router wants for a prefix; `nil` if it has no route to it.
    public func nextHops(to prefix: IPv6Prefix) -> [NextHop]? {
        routes.position(of: prefix).flatMap { routes[$0].wanted }.flatMap { targets[$0]?.nextHops }
    }

    /// Whether the same prefixes are wanted before and after an update.
    func keepsReach(_ update: RouteTableUpdate) -> Bool {
        update.routes.allSatisfy { prefix, destination in
            destination != nil && routes.position(of: prefix).map { routes[$0].wanted != nil } == true
        }
    }
}

// MARK: - Agreement with the kernel

/// Whether the kernel has a route as the router wants it.
public enum RouteState: Hashable, Sendable {
    /// The kernel has it as wanted.
    case installed
    /// Not yet, or no link is up that could carry it.
    case pending
    /// The kernel refused it, its group or its next hops, or a limit is reached.
    case failed(FIBFailure)
}

/// The numbers of objects and routes in a FIB, according to its model of the kernel.
public struct FIBCounts: Hashable, Sendable {
    /// Our single next-hop objects in the kernel; in ``FIB/Mode/multipath`` the next hops in use.
    public var nextHops: Int
    /// Our groups in the kernel; in ``FIB/Mode/multipath`` the sets of next hops in use.
    public var groups: Int
    /// Those that have a backup.
    public var backups: Int
    /// Our routes in the kernel, without service routes.
    public var routes: Int
    /// Our service routes in the kernel.
    public var serviceRoutes: Int
    /// See ``FIB/failedRoutes``.
    public var failedRoutes: Int
}

extension FIB {
    /// Whether the kernel has a route to a prefix as the router wants it; `nil` if the router does not want it.
    public func state(of prefix: IPv6Prefix) -> RouteState? {
        guard let position = routes.position(of: prefix) else { return nil }
        let record = routes[position]
        guard let wanted = record.wanted else { return nil }
        guard let target = targets[wanted] else { return .pending }
        guard let id = target.group, groups[id]?.isPresent == true else {
            // The reason why there is no group is more specific than that of the route.
            let reason = refusedDestinations[wanted] ?? target.nextHops.lazy.compactMap { refusedHops[$0] }.first
            return (reason ?? failures[prefix]).map(RouteState.failed) ?? .pending
        }
        if let failure = failures[prefix] ?? refusedDestinations[wanted] { return .failed(failure) }
        let isAsWanted = record.installed == .group(id) && !record.isDirty && !dirtyTargets.contains(wanted)
        return isAsWanted ? .installed : .pending
    }

    /// Gives this copy its own storage of all that is large, so that the next change of the original need not copy it.
    public mutating func detach() {
        routes.detach()
        targets.detach()
        groups.detach()
        hops.detach()
        failures.detach()
    }

    /// The number of routes that the kernel refused, or that exceed ``Configuration/maximumRoutes``; without those that wait
    /// for a group or next hop that was refused.
    public var failedRoutes: Int { failures.count }

    /// The lowest prefix among the ``failedRoutes``, and why its route failed; `nil` if there are none.
    public var firstFailure: (prefix: IPv6Prefix, failure: FIBFailure)? {
        failures.min { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// The next hops that the kernel refused for another reason than ``FIBFailure/Reason/linkUnusable``. Routes use their other
    /// next hops, if there are any.
    public var refusedNextHops: [NextHop: FIBFailure] { refusedHops.filter { $0.value.reason != .linkUnusable } }

    /// The number of next-hop groups that the kernel refused or for which no ID was free, and the reason for one of them;
    /// `nil` if there are none.
    public var groupFailure: (count: Int, failure: FIBFailure)? {
        refusedDestinations.min { $0.key < $1.key }.map { (refusedDestinations.count, $0.value) }
    }

    /// The numbers of objects and routes.
    public var counts: FIBCounts {
        FIBCounts(
            nextHops: hops.values.count { $0.isPresent }, groups: groups.values.count { $0.isPresent },
            backups: groups.values.count { $0.isPresent && $0.backup != nil }, routes: installedRoutes,
            serviceRoutes: installedServiceRoutes, failedRoutes: failures.count)
    }
}

// MARK: - Records

extension FIB {
    /// Sets the state of a record according to the model, and updates the counts.
    mutating func setInstalled(_ position: Int32, _ installed: RouteRecord.Installed) {
        let previous = routes[position].installed
        guard previous != installed else { return }
        routes[position].installed = installed
        installedRoutes += (installed.isRoute ? 1 : 0) - (previous.isRoute ? 1 : 0)
        if case .group(let id) = previous {
            groups[id]?.routes -= 1
            unusedGroups.insert(id)
        }
        if case .group(let id) = installed { groups[id]?.routes += 1 }
    }

    mutating func forgetFailure(_ position: Int32) {
        guard routes[position].hasFailed else { return }
        routes[position].hasFailed = false
        failures[routes[position].prefix] = nil
    }

    mutating func noteFailure(_ position: Int32, _ failure: FIBFailure) {
        routes[position].hasFailed = true
        failures[routes[position].prefix] = failure
    }
}
