public import Addressing
public import OSPFPacket

/// The configuration of a router at its start.
public struct RouterConfiguration: Hashable, Sendable {
    /// The router's ID; never 0.
    public var routerID: RouterID
    /// Whether the ID was derived from a hardware address, so that it may be changed when another router turns out to have it
    /// (RFC 7503 §7). An ID that somebody configured is kept.
    public var routerIDIsDerived: Bool
    /// The area of all interfaces.
    public var areaID: AreaID
    /// The instance of all interfaces (RFC 5340 §2.4).
    public var instanceID: UInt8
    /// The node's name, announced to other routers (RFC 5642); empty for none.
    public var hostname: String
    /// Distinguishes this machine from another one with the same router ID: 32 octets or more (RFC 7503 §7.2.2). A shorter
    /// fingerprint is neither announced nor compared.
    public var hardwareFingerprint: [UInt8]
    /// The maximum number of next hops of a route, at least 1.
    public var maximumPaths: Int
    /// The delays between a change and the calculation of shortest paths (RFC 8405).
    public var spfDelay: SPFDelayParameters
    /// The limits on what the network can make the router store.
    public var limits: RouterLimits
    /// The seed of the router's random numbers: hello times, first sequence numbers of exchanges, a new router ID.
    public var seed: UInt64
    /// How long the resumption of an earlier run of the same node may take at most (it usually takes milliseconds); see
    /// ``Resumption``. `nil` for none: there was no earlier run, or the kernel no longer has its routes.
    public var resumptionLimit: Duration?
    /// How the router takes part in graceful restarts, its own and those of its neighbors.
    public var gracefulRestart: GracefulRestartOptions
    /// Whether routes with a single next hop get a loop-free alternate as its backup (RFC 5286).
    public var fastReroute = true

    public init(
        routerID: RouterID, routerIDIsDerived: Bool = false, areaID: AreaID = .backbone, instanceID: UInt8 = 0,
        hostname: String = "", hardwareFingerprint: [UInt8] = [], maximumPaths: Int = 64,
        spfDelay: SPFDelayParameters = SPFDelayParameters(), limits: RouterLimits = RouterLimits(), seed: UInt64 = 0,
        resumptionLimit: Duration? = nil, gracefulRestart: GracefulRestartOptions = GracefulRestartOptions()
    ) {
        precondition(routerID != .none && maximumPaths >= 1)
        self.routerID = routerID
        self.routerIDIsDerived = routerIDIsDerived
        self.areaID = areaID
        self.instanceID = instanceID
        self.hostname = hostname
        self.hardwareFingerprint = hardwareFingerprint
        self.maximumPaths = maximumPaths
        self.spfDelay = spfDelay
        self.limits = limits
        self.seed = seed
        self.resumptionLimit = resumptionLimit
        self.gracefulRestart = gracefulRestart
    }

    /// Whether the fingerprint is long enough to be announced.
    var announcesFingerprint: Bool { hardwareFingerprint.count >= 32 }
}

/// The timers of the SPF back-off state machine (RFC 8405 §3).
public struct SPFDelayParameters: Hashable, Sendable {
    /// INITIAL_SPF_DELAY: the delay after a change in state QUIET.
    public var initial: Duration
    /// SHORT_SPF_DELAY: the delay after a change in state SHORT_WAIT, which follows QUIET.
    public var short: Duration
    /// LONG_SPF_DELAY: the delay after a change in state LONG_WAIT.
    public var long: Duration
    /// TIME_TO_LEARN_INTERVAL: the time in SHORT_WAIT, after which the state is LONG_WAIT.
    public var timeToLearn: Duration
    /// HOLDDOWN_INTERVAL: the time without changes after which the state is QUIET again.
    public var holdDown: Duration

    /// Makes parameters. The defaults are short, because ``Router/calculationPauseEnd`` bounds the share of the time that
    /// calculations take.
    public init(
        initial: Duration = .zero, short: Duration = .milliseconds(5), long: Duration = .milliseconds(20),
        timeToLearn: Duration = .milliseconds(500), holdDown: Duration = .seconds(3)
    ) {
        self.initial = initial
        self.short = short
        self.long = long
        self.timeToLearn = timeToLearn
        self.holdDown = holdDown
    }
}

/// Limits on what the network can make a router store. What would exceed one is refused and reported
/// (``Notice/limitReached(_:)``). LSAs that this router originates are never refused.
public struct RouterLimits: Hashable, Sendable {
    /// LSAs in the database; and, counted separately, LSAs in the request lists of all neighbors together.
    public var lsas: Int
    /// Octets of LSAs in the database.
    public var lsaOctets: Int
    /// Neighbors on one interface.
    public var neighborsPerInterface: Int
    /// Prefixes that are taken into account. The limits on LSAs alone would allow many more: a short prefix takes 8 octets.
    public var prefixes: Int
    /// Announcers of one prefix that are taken into account, at least 1.
    public var announcersPerPrefix: Int
    /// Announcements that are taken into account, of all prefixes together: two announcers of one prefix count twice.
    public var announcements: Int

    /// Makes limits. The defaults leave room for some ten thousand nodes.
    public init(
        lsas: Int = 200_000, lsaOctets: Int = 16 << 20, neighborsPerInterface: Int = 256, prefixes: Int = 1 << 17,
        announcersPerPrefix: Int = 4096, announcements: Int = 1 << 19
    ) {
        precondition(announcersPerPrefix >= 1)
        self.lsas = lsas
        self.lsaOctets = lsaOctets
        self.neighborsPerInterface = neighborsPerInterface
        self.prefixes = prefixes
        self.announcersPerPrefix = announcersPerPrefix
        self.announcements = announcements
    }
}

/// The configuration of an interface. The router has only interfaces that are up and have carrier and a link-local address.
public struct InterfaceConfiguration: Hashable, Sendable {
    /// The kind of the link.
    public enum Kind: String, Hashable, Sendable {
        /// Exactly two routers.
        case pointToPoint = "p2p"
        /// Any number of routers, one of which is designated.
        case broadcast
        /// Point-to-point, but broadcast from a second neighbor on, or from one that elects a designated router, until no
        /// neighbor is left or the only one is shown to be point-to-point (`Router+AutomaticLink.swift`).
        case auto
    }

    /// The kernel's index, which is also the OSPF interface ID; never 0.
    public var index: UInt32
    /// The kernel's name.
    public var name: String
    /// The MTU of the link: the largest IPv6 packet in octets, at least 1280.
    public var mtu: Int
    /// The source address of OSPF packets.
    public var linkLocalAddress: IPv6Address
    /// The kind of the link.
    public var kind: Kind
    /// The cost of sending on this interface, 1–65535.
    public var cost: UInt16
    /// HelloInterval: the time between hellos. Hellos carry it in whole seconds, rounded up.
    public var helloInterval: Duration
    /// RouterDeadInterval: the time without hellos after which a neighbor is removed. Hellos carry it in whole seconds,
    /// rounded up.
    public var deadInterval: Duration
    /// RxmtInterval: the time after which an unacknowledged LSA is retransmitted, and the longest after which an unanswered
    /// database description or request is.
    public var retransmitInterval: Duration
    /// Seconds added to an LSA's age when it is sent (InfTransDelay), at least 1.
    public var transmitDelay: UInt16
    /// The priority in the election of the designated router; 0 excludes this router.
    public var priority: UInt8
    /// Whether the interface sends no hellos and has no neighbors. Its prefixes are announced if they are among those of
    /// ``RouterEvent/advertise(_:)``.
    public var isPassive: Bool

    public init(
        index: UInt32, name: String, mtu: Int, linkLocalAddress: IPv6Address, kind: Kind = .auto, cost: UInt16 = 10,
        helloInterval: Duration = .seconds(1), deadInterval: Duration = .seconds(4),
        retransmitInterval: Duration = .seconds(1), transmitDelay: UInt16 = 1, priority: UInt8 = 1,
        isPassive: Bool = false
    ) {
        precondition(index != 0 && mtu >= 1280 && cost >= 1 && transmitDelay >= 1)
        self.index = index
        self.name = name
        self.mtu = mtu
        self.linkLocalAddress = linkLocalAddress
        self.kind = kind
        self.cost = cost
        self.helloInterval = helloInterval
        self.deadInterval = deadInterval
        self.retransmitInterval = retransmitInterval
        self.transmitDelay = transmitDelay
        self.priority = priority
        self.isPassive = isPassive
    }
}

/// A prefix this router announces as its own.
public struct AdvertisedPrefix: Hashable, Sendable {
    /// The prefix.
    public var prefix: IPv6Prefix
    /// What other routers add to their distance to this one, 0–65534.
    public var metric: UInt16
    /// The prefix options: the LA-bit for an address of this machine.
    public var options: PrefixOptions

    /// The largest metric that we announce, so that other announcers of the prefix are preferred. RFC 5340 allows 65535, but
    /// some implementations take that for unreachable.
    public static let lastResort: UInt16 = 65534

    public init(prefix: IPv6Prefix, metric: UInt16 = 0, options: PrefixOptions = []) {
        self.prefix = prefix
        self.metric = metric
        self.options = options
    }
}
