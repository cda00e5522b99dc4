public import Addressing
public import MeshConfiguration
public import OSPF
public import Services

/// What a network is made of, before anything happens in it: a plain value, so that a scenario can be printed, compared
/// and made smaller.
public struct NetworkPlan: Hashable, Sendable {
    /// The machines.
    public var nodes: [NodePlan]
    /// What connects them.
    public var links: [LinkPlan]
    /// The delays and the socket buffers of the machines.
    public var machine = MachineBehavior()
    /// How all machines authenticate packets when they are first started.
    public var authentication = Configuration.AuthenticationOptions()

    public init(nodes: [NodePlan], links: [LinkPlan]) {
        self.nodes = nodes
        self.links = links
    }
}

/// One machine with a router on it.
public struct NodePlan: Hashable, Sendable {
    /// The router ID it starts with.
    public var routerID: RouterID
    /// Whether the router ID was derived, so that a duplicate may change it; otherwise it is configured.
    public var routerIDIsDerived: Bool
    /// The prefixes in `advertise`.
    public var prefixes: [AdvertisedPrefix]
    /// The external prefixes that it imports.
    public var externals: [ExternalPrefix]
    /// Its VIPs.
    public var vips: [VIP] = []
    /// The pool from which it assigns itself an IPv4 address; `nil` if it assigns itself none.
    public var ipv4Pool: PrefixPool?
    /// The ranges of cluster IPs that the cluster tells; known from the start.
    public var serviceRanges: [IPv6Prefix] = []
    /// The address by which the agent reaches the API server; `nil` if it is not in the environment.
    public var apiServer: IPv6Address?
    /// What its wall clock shows when the simulation begins, in seconds since 1970.
    public var wallClock: Int64 = 0
    /// What its monotonic clock shows when the simulation begins; those of real machines differ, too.
    public var clockOffset: Duration

    public init(
        routerID: RouterID, routerIDIsDerived: Bool = false, prefixes: [AdvertisedPrefix] = [],
        externals: [ExternalPrefix] = [], clockOffset: Duration = .zero
    ) {
        self.routerID = routerID
        self.routerIDIsDerived = routerIDIsDerived
        self.prefixes = prefixes
        self.externals = externals
        self.clockOffset = clockOffset
    }
}

/// A cable between two machines, or a segment with one or more.
public struct LinkPlan: Hashable, Sendable {
    /// Its ends: two for a cable.
    public var ends: [EndPlan]
    /// Whether it is a segment (a switch, a bridge), even with two ends.
    public var isSegment: Bool
    /// How well it carries packets.
    public var quality: LinkQuality
    /// The hello interval, in whole seconds.
    public var helloInterval: Duration
    /// The dead interval, in whole seconds.
    public var deadInterval: Duration
    /// The MTU in octets, at least 1280.
    public var mtu: Int
    /// Whether neighbors are asked by echo requests. Off unless it matters: echoes are most packets of a run otherwise.
    public var liveness = InterfaceRule.Liveness.off
    /// Whether its ports are avoided while it is bad.
    public var isQualityOn = false
    /// The sessions of BFD with neighbors; `nil` means none.
    public var bfd: BFDRule?

    public init(
        ends: [EndPlan], isSegment: Bool = false, quality: LinkQuality = LinkQuality(),
        helloInterval: Duration = .seconds(1), deadInterval: Duration = .seconds(4), mtu: Int = 1500
    ) {
        precondition(ends.count >= 1 && (isSegment || ends.count == 2))
        self.ends = ends
        self.isSegment = isSegment
        self.quality = quality
        self.helloInterval = helloInterval
        self.deadInterval = deadInterval
        self.mtu = mtu
    }
}

/// One end of a link: a port of a machine.
public struct EndPlan: Hashable, Sendable {
    /// The machine, by its place in ``NetworkPlan/nodes``.
    public var node: Int
    /// The OSPF cost.
    public var cost: UInt16
    /// The priority in the designated router election.
    public var priority: UInt8
    /// The interface type in the configuration.
    public var kind: InterfaceConfiguration.Kind

    public init(node: Int, cost: UInt16 = 10, priority: UInt8 = 1, kind: InterfaceConfiguration.Kind = .pointToPoint) {
        self.node = node
        self.cost = cost
        self.priority = priority
        self.kind = kind
    }
}

/// How well a link carries packets; all chances are 0–1 and per packet and receiver.
public struct LinkQuality: Hashable, Sendable {
    /// The delay from end to end.
    public var delay: Duration
    /// The maximum of a random addition to the delay, drawn for each copy of a packet: packets may overtake one another.
    public var jitter: Duration
    /// The chance that a packet is lost.
    public var loss: Double
    /// The chance that a packet arrives twice.
    public var duplication: Double
    /// The chance that one bit of a packet is flipped.
    public var corruption: Double
    /// Larger packets are lost, in octets with the IPv6 header.
    public var largestPacket = Int.max

    /// Describes a link; the default is a good cable.
    public init(
        delay: Duration = .microseconds(100), jitter: Duration = .zero, loss: Double = 0, duplication: Double = 0,
        corruption: Double = 0
    ) {
        self.delay = delay
        self.jitter = jitter
        self.loss = loss
        self.duplication = duplication
        self.corruption = corruption
    }
}

extension LinkQuality {
    /// Whether hellos arrive, and in order.
    var isReliable: Bool { loss == 0 && corruption == 0 && jitter <= .milliseconds(50) }
}

/// The delays and the socket buffer of a machine.
public struct MachineBehavior: Hashable, Sendable {
    /// The maximum delay of a timer.
    public var timerSlack: Duration = .microseconds(300)
    /// The maximum delay of carrier notifications.
    public var carrierDelay: Duration = .microseconds(500)
    /// The number of packets that all sockets of a machine together keep while the process sleeps; later ones are lost.
    public var socketBacklog = 256

    /// The values of a machine that is not overloaded.
    public init() {}
}
