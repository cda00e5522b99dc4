public import Addressing
public import OSPF

/// An anycast address: each node announces it while its own check passes.
public struct VIP: Hashable, Sendable {
    /// The name, unique on the node.
    public var name: String
    /// The address, announced as a host prefix: /128, or /32 for IPv4.
    public var address: IPv6Address
    /// Prefixes announced together with the address, such as the default route of a gateway.
    public var prefixes: [AdvertisedPrefix]
    /// The check that must pass; `nil` announces the address always.
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

/// What is checked, how often, and how many outcomes in a row change the health.
public struct HealthCheck: Hashable, Sendable {
    /// What is checked.
    public var probe: Probe
    /// The time from the end of one check to the start of the next.
    public var interval: Duration
    /// The time that one attempt may take; each endpoint of the probe is one attempt.
    public var timeout: Duration
    /// Successes in a row until the service is healthy again, at least 1.
    public var rise: Int
    /// Failures in a row until it is unhealthy, at least 1. The default is more than 1, so that a lost packet changes
    /// nothing.
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

    /// How long an outcome is valid: the time of `fall` failures and one more. A checker that has not reported for this long,
    /// and ``VIPTable/grace`` more, has stalled.
    public var lifetime: Duration { (interval + timeout * probe.attempts) * (fall + 1) }
}
