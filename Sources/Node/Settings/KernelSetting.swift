/// A setting of the kernel that this node depends on.
public enum KernelSetting: Hashable, Sendable {
    /// Forward IPv6, and IPv4, and choose among equal ways by port: for the whole machine.
    case forwarding
    /// Replacing a next-hop group does not tell every route behind it (`net.ipv4.nexthop_compat_mode` = 0).
    case quietNextHops
    /// A port of the mesh takes IPv4 packets whose way back is by another port (`rp_filter` is not 1).
    case looseReversePathFilter(port: String)
    /// A port takes router advertisements although the machine forwards (`accept_ra` = 2 where it is 1).
    case keepRouterAdvertisements(port: String)
    /// A port of the mesh takes no router advertisements (`accept_ra` = 0).
    case refuseRouterAdvertisements(port: String)
}

/// What came of one variable of a ``KernelSetting``.
public struct SettingOutcome: Hashable, Sendable {
    /// How it went.
    public enum Result: Hashable, Sendable {
        /// It was right.
        case unchanged
        /// It was set; what it was before.
        case changed(from: String)
        /// It could not be set, and why.
        case failed(String)
        /// This kernel does not have it.
        case absent
    }

    /// The variable, such as `net.ipv6.conf.all.forwarding`.
    public var name: String
    /// What it should be.
    public var wanted: String
    /// How it went.
    public var result: Result

    /// Makes an outcome.
    public init(name: String, wanted: String, result: Result) {
        self.name = name
        self.wanted = wanted
        self.result = result
    }
}
