public import Addressing
internal import CNetlink
internal import Glibc
public import Linux
public import Routing

/// What distinguishes our routes from those of others.
public struct KernelFIBConfiguration: Hashable, Sendable {
    /// The routing protocol number that all our routes and next hops carry (`ip route … proto 71`). Objects with another number
    /// are never changed, except next-hop objects with an ID of ours that another program has replaced. 5–255, because 0–4 are
    /// those of the kernel and of `ip`; not 188, which is that of FRR's OSPF.
    public var protocolNumber: UInt8
    /// The routing table; 254 is `main`. Not 0, which means "unspecified".
    public var table: UInt32
    /// The metric of our routes: the kernel keeps one route per prefix and metric, and prefers the lowest. Not 0,
    /// which the kernel changes to 1024 for IPv6, and not ``serviceRouteMetric``.
    public var metric: UInt32
    /// The source address of local packets over our routes, if the sender does not choose one. Must be an address of this
    /// machine; `nil` leaves it to the kernel.
    public var preferredSource: IPv6Address?
    /// Like ``preferredSource``, for IPv4 routes.
    public var preferredSourceIPv4: IPv4Address?

    /// The metric of service routes: the largest there is, so that any other route to the same prefix comes first.
    public static let serviceRouteMetric = UInt32.max

    public init(
        protocolNumber: UInt8 = 71, table: UInt32 = 254, metric: UInt32 = 20, preferredSource: IPv6Address? = nil,
        preferredSourceIPv4: IPv4Address? = nil
    ) {
        precondition(protocolNumber > 4 && table != 0 && metric != 0 && metric != Self.serviceRouteMetric)
        self.protocolNumber = protocolNumber
        self.table = table
        self.metric = metric
        self.preferredSource = preferredSource
        self.preferredSourceIPv4 = preferredSourceIPv4
    }
}

/// The kernel's routes and next-hop objects that carry our protocol number: reads them, changes them in large batches. To
/// be used on one thread.
public final class KernelFIB {
    /// The amount of work sent to the kernel.
    public struct Counters: Hashable, Sendable {
        /// Changes sent by ``KernelFIB/apply(_:)``, one message each.
        public var changes: UInt64 = 0
        /// Batches in which they were sent, with one system call each.
        public var batches: UInt64 = 0
        /// Changes that the kernel refused.
        public var refusals: UInt64 = 0
        /// Calls of ``KernelFIB/read(_:)``.
        public var readings: UInt64 = 0
    }

    /// What distinguishes our routes from those of others.
    public var configuration: KernelFIBConfiguration
    /// Whether the kernel has next-hop objects (Linux 5.3 and later).
    public let supportsNextHopObjects: Bool
    /// The amount of work sent to the kernel so far.
    public private(set) var counters = Counters()

    /// The netlink port of our socket: notifications of our changes carry it.
    public var port: UInt32 { socket.port }

    let socket: NetlinkSocket
    /// Our routes with another metric, from an earlier run with another configuration, as last read.
    private var staleRoutes: [(prefix: IPv6Prefix, metric: UInt32)] = []

    /// So few that the kernel's refusals fit the receive buffer even if it refuses every message of a batch.
    private static let messagesPerBatch = 256
    /// A batch ends with the change that exceeds this. It is one datagram and must fit the send buffer (1 MiB).
    private static let octetsPerBatch = 64 << 10

    /// Opens a socket in the calling thread's network namespace, and detects the capabilities of the kernel.
    public init(configuration: KernelFIBConfiguration = KernelFIBConfiguration()) throws(SystemError) {
        self.configuration = configuration
        socket = try NetlinkSocket()
        // Kernels without next-hop objects refuse to list them.
        do {
            try socket.dump(Int(RTM_GETNEXTHOP), nhmsg(), of: "next hops", restart: {}) { _ in }
            supportsNextHopObjects = true
        } catch let error {
            guard error.code == EOPNOTSUPP || error.code == EINVAL else { throw error }
            supportsNextHopObjects = false
        }
    }

    /// Makes changes in order. Returns those (by index) that the kernel refused. Throws only if communication with the
    /// kernel fails; then some changes may have been made, and ``read(_:)`` must find out which.
    public func apply(_ changes: [FIBChange]) throws(SystemError) -> [(index: Int, failure: FIBFailure)] {
        guard !changes.isEmpty else { return [] }
        var failures: [(index: Int, failure: FIBFailure)] = []
        var batch = MessageEncoder(capacity: 32 << 10)
        var start = 0
        while start < changes.count {
            let sequence = socket.sequenceNumbers(Self.messagesPerBatch)
            batch.removeAll()
            for change in changes[start...].prefix(Self.messagesPerBatch) {
                if batch.octets.count > Self.octetsPerBatch { break }
                encode(change, sequence: sequence &+ UInt32(batch.count), into: &batch)
            }
            let count = batch.count
            for refusal in try socket.transact(&batch, first: sequence) {
                failures.append((start + refusal.index, FIBFailure(refusal)))
            }
            counters.batches += 1
            start += count
        }
        counters.changes += UInt64(changes.count)
        counters.refusals += UInt64(failures.count)
        return failures
    }

    /// Reads our next-hop objects, the IDs of all others and, for ``FIB/ReadExtent/everything``, our routes in our table.
    public func read(_ extent: FIB.ReadExtent = .everything) throws(SystemError) -> KernelRoutes {
        counters.readings += 1
        var kernel = KernelRoutes(routes: nil)
        if supportsNextHopObjects { try readNextHops(&kernel) }
        if extent == .everything {
            kernel.routes = [:]
            try readRoutes(&kernel)
        }
        return kernel
    }

    /// Removes our routes that ``read(_:)`` found with another metric than the configured one. A refusal of the kernel is
    /// ignored.
    public func removeStaleRoutes() throws(SystemError) {
        for route in staleRoutes {
            _ = try request(.removeRoute(route.prefix), metric: route.metric)
        }
        staleRoutes = []
    }

    /// Removes the routes in our table, and all next-hop objects, that carry our protocol number. Returns how many there
    /// were. Throws if the kernel refuses to remove one, except for routes with another metric than the configured one.
    @discardableResult
    public func cleanUp() throws(SystemError) -> (routes: Int, nextHops: Int) {
        let kernel = try read()
        let routes = kernel.routes ?? [:]
        let ids = try ownNextHopIDs()
        // Routes first. The kernel removes the routes that point at an object with the object, but some of ours may point at
        // objects of others.
        let removals: [FIBChange] =
            routes.keys.sorted().map { .removeRoute($0) }
            + kernel.serviceRoutes.keys.sorted().map { .removeServiceRoute($0) }
            + ids.groups.sorted().map { .removeGroup($0) }
            + ids.singles.sorted().map { .removeNextHop($0) }
        for (index, failure) in try apply(removals) where failure.reason != .missing {
            throw SystemError("remove \(removals[index])", code: failure.code)
        }
        let staleCount = staleRoutes.count
        try removeStaleRoutes()
        return (routes.count + kernel.serviceRoutes.count + staleCount, ids.groups.count + ids.singles.count)
    }

    /// Makes one change of a route that has another metric than the configured one.
    private func request(_ change: FIBChange, metric: UInt32) throws(SystemError) -> Refusal? {
        let usual = configuration.metric
        configuration.metric = metric
        defer { configuration.metric = usual }
        var batch = MessageEncoder()
        let sequence = socket.sequenceNumbers(1)
        encode(change, sequence: sequence, into: &batch)
        return try socket.transact(&batch, first: sequence).first
    }
}

extension FIBFailure {
    init(_ refusal: Refusal) {
        let reason: Reason =
            switch refusal.code {
            case ENETDOWN, ENODEV, ENXIO: .linkUnusable
            case EEXIST: .exists
            case ENOENT, ESRCH: .missing
            case EINVAL: .invalid
            default: .refused
            }
        self.init(reason, code: refusal.code, message: refusal.message)
    }
}

// MARK: - Reading

extension KernelFIB {
    /// Reads our next-hop objects, and the IDs of all others, which we must not use: objects of other programs, and those with
    /// our protocol number of kinds that we never make.
    private func readNextHops(_ kernel: inout KernelRoutes) throws(SystemError) {
        var result = kernel
        let ours = configuration.protocolNumber
        try socket.dump(Int(RTM_GETNEXTHOP), nhmsg(), of: "next hops", restart: { result = KernelRoutes(routes: nil) })
        {
            guard let object = NextHopObject($0) else { return }
            switch object.content {
            case .single(let nextHop) where object.protocolNumber == ours: result.nextHops[object.id] = nextHop
            case .group(let group) where object.protocolNumber == ours: result.groups[object.id] = group
            // A group without members is never wanted, so it is replaced or removed.
            case .weightedGroup(let isResilient) where object.protocolNumber == ours:
                result.groups[object.id] = NextHopGroup([], isResilient: isResilient)
            default: result.foreignIDs.insert(object.id)
            }
        }
        kernel = result
    }

    /// The IDs of the groups and of the single next hops that carry our protocol number, also of kinds that we never make.
    private func ownNextHopIDs() throws(SystemError) -> (groups: Set<NextHopID>, singles: Set<NextHopID>) {
        var groups: Set<NextHopID> = []
        var singles: Set<NextHopID> = []
        guard supportsNextHopObjects else { return (groups, singles) }
        try socket.dump(Int(RTM_GETNEXTHOP), nhmsg(), of: "next hops", restart: {}) {
            guard let object = NextHopObject($0), object.protocolNumber == configuration.protocolNumber else { return }
            if object.isGroup { groups.insert(object.id) } else { singles.insert(object.id) }
        }
        return (groups, singles)
    }

    private func readRoutes(_ kernel: inout KernelRoutes) throws(SystemError) {
        staleRoutes = []
        for family in [AF_INET6, AF_INET] { try readRoutes(of: family, &kernel) }
    }

    private func readRoutes(of family: CInt, _ kernel: inout KernelRoutes) throws(SystemError) {
        var fixed = rtmsg()
        fixed.rtm_family = UInt8(family)
        fixed.rtm_protocol = configuration.protocolNumber
        // `nil` for a route that is ours but not as we make it, so that it must be replaced.
        var found: [IPv6Prefix: RouteTarget?] = [:]
        var services: [IPv6Prefix: Bool] = [:]
        var others: [(prefix: IPv6Prefix, metric: UInt32)] = []
        do {
            try socket.dump(
                Int(RTM_GETROUTE), fixed, of: "routes",
                { $0.attribute(Int(RTA_TABLE.rawValue), self.configuration.table) },
                restart: {
                    found = [:]
                    services = [:]
                    others = []
                }
            ) {
                // Kernels before 4.20 ignore the table and the protocol number in a request.
                guard let route = KernelRoute($0), (route.prefix.ipv4 == nil) == (family == AF_INET6),
                    route.protocolNumber == configuration.protocolNumber,
                    route.table == configuration.table, !route.isCached
                else { return }
                if route.metric == configuration.metric {
                    found[route.prefix] = .some(
                        route.isUnicast && route.preferredSource == preferredSource(for: route.prefix)
                            ? route.target : nil)
                } else if route.metric == KernelFIBConfiguration.serviceRouteMetric {
                    services[route.prefix] =
                        route.isServiceRoute && route.preferredSource == preferredSource(for: route.prefix)
                } else {
                    others.append((route.prefix, route.metric))
                }
            }
        } catch let error {
            // The table does not exist until the first route is added to it.
            guard error.code == ENOENT else { throw error }
        }
        kernel.routes?.merge(found) { _, new in new }
        kernel.serviceRoutes.merge(services) { _, new in new }
        staleRoutes += others
    }
}
