public import Addressing
public import OSPF
public import Services

/// What a network is made of, before anything happens in it: a plain value, so that a scenario can be printed, compared
/// and made smaller.
public struct NetworkPlan: Hashable, Sendable {
    /// The machines.
    public var nodes: [NodePlan]
    /// What connects them.
    public var links: [LinkPlan]
    /// How the machines behave in time.
    public var machine = MachineBehavior()

    public init(nodes: [NodePlan], links: [LinkPlan]) {
        self.nodes = nodes
        self.links = links
    }
}

/// One machine with a router on it.
public struct NodePlan: Hashable, Sendable {
    /// The router ID it starts with.
    public var routerID: RouterID
    /// Whether the router ID was derived, so that it may change.
    public var routerIDIsDerived: Bool
    /// The prefixes that it announces.
    public var prefixes: [AdvertisedPrefix]
    /// The external prefixes that it announces.
    public var externals: [ExternalPrefix]
    /// The addresses it shares with others.
    public var vips: [VIP] = []
    /// Where it takes an IPv4 address of its own from; `nil` for none.
    public var ipv4Pool: PrefixPool?
    /// What its clock shows when the simulation begins: no two machines' monotonic clocks agree.
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

/// A cable between two machines, or a segment with any number of them.
public struct LinkPlan: Hashable, Sendable {
    /// Who is on it.
    public var ends: [EndPlan]
    /// Whether multicast reaches all ports (a switch, a bridge) even with two ends, so that the routers are configured
    /// as `broadcast`.
    public var isSegment: Bool
    /// How well it carries packets.
    public var quality: LinkQuality
    /// Time between hellos, in whole seconds.
    public var helloInterval: Duration
    /// Silence after which a neighbor is gone, in whole seconds.
    public var deadInterval: Duration
    /// The largest packet, at least 1280.
    public var mtu: Int

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
    /// The cost of sending out of it.
    public var cost: UInt16
    /// For becoming designated router.
    public var priority: UInt8
    /// The kind of the link in the router's configuration.
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
    /// From end to end.
    public var delay: Duration
    /// Added at random, up to this: packets overtake one another.
    public var jitter: Duration
    /// The chance that a packet is lost.
    public var loss: Double
    /// The chance that it arrives twice.
    public var duplication: Double
    /// The chance that one of its bits is turned over.
    public var corruption: Double

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

/// What a machine adds to a router.
public struct MachineBehavior: Hashable, Sendable {
    /// How late a timer may come.
    public var timerSlack: Duration = .microseconds(300)
    /// The maximum delay of carrier notifications.
    public var carrierDelay: Duration = .microseconds(500)
    /// Packets the socket keeps while the process sleeps; later ones are lost.
    public var socketBacklog = 256

    /// Makes a well-behaved machine.
    public init() {}
}
