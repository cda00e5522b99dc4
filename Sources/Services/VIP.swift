public import Addressing
public import OSPF

/// An address that several nodes share (anycast): each holds and announces it while its own check passes.
public struct VIP: Hashable, Sendable {
    /// What people call it; unique on the node.
    public var name: String
    /// The address, announced as a /128.
    public var address: IPv6Address
    /// What is announced together with the address, as the default route is by gateways.
    public var prefixes: [AdvertisedPrefix]
    /// What must work for the address to be held; `nil` holds it always.
    public var check: HealthCheck?

    public init(
        name: String, address: IPv6Address, prefixes: [AdvertisedPrefix] = [], check: HealthCheck? = nil
    ) {
        self.name = name
        self.address = address
        self.prefixes = prefixes
        self.check = check
    }
}

/// How a service is tried, how often, and how many outcomes in a row change the mind.
public struct HealthCheck: Hashable, Sendable {
    /// What is tried.
    public var probe: Probe
    /// Time from the end of one try to the start of the next.
    public var interval: Duration
    /// How long one try may take.
    public var timeout: Duration
    /// Successes in a row until the service counts as healthy again, at least 1.
    public var rise: Int
    /// Failures in a row until it counts as unhealthy, at least 1.
    public var fall: Int

    public init(
        probe: Probe, interval: Duration = .seconds(1), timeout: Duration = .seconds(1), rise: Int = 2, fall: Int = 3
    ) {
        precondition(rise >= 1 && fall >= 1)
        self.probe = probe
        self.interval = interval
        self.timeout = timeout
        self.rise = rise
        self.fall = fall
    }

    /// How long the last outcome stands for the present. A checker that has reported nothing for this long has
    /// stalled, and what it said last is no longer to be trusted: as long as `fall` failures would have taken, and one more.
    public var lifetime: Duration { (interval + timeout * probe.attempts) * (fall + 1) }
}
