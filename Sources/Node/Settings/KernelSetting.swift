/// A kernel setting that the node depends on. `accept_ra` is 0 (never accept router advertisements), 1 (not on a port that
/// forwards) or 2 (always); `rp_filter` is 0 (off), 1 (strict) or 2 (loose).
public enum KernelSetting: Hashable, Sendable {
    /// `lo` is up, so that the addresses on it answer.
    case loopbackUp
    /// Forwarding of IPv6 and IPv4, and ECMP hashing that includes TCP and UDP ports: for the whole machine.
    case forwarding
    /// Forwarding of IPv4 packets that a port of the mesh receives (`forwarding` = 1).
    case forwardingOnPort(String)
    /// No notification for every route when its next-hop group is replaced (`net.ipv4.nexthop_compat_mode` = 0).
    case quietNextHops
    /// A port of the mesh accepts IPv4 packets whose return path is another port: the larger of its `rp_filter` and that of
    /// `all` is not 1.
    case looseReversePathFilter(port: String)
    /// A port accepts router advertisements although the machine forwards (`accept_ra` 1 becomes 2).
    case keepRouterAdvertisements(port: String)
    /// A port that is not used any more accepts router advertisements again (`accept_ra` 0 becomes 2), if the machine's
    /// default for new ports is not 0.
    case acceptRouterAdvertisements(port: String)
    /// A port of the mesh accepts no router advertisements (`accept_ra` = 0).
    case refuseRouterAdvertisements(port: String)
}

/// The outcome for one variable of a ``KernelSetting``.
public struct SettingOutcome: Hashable, Sendable {
    public enum Result: Hashable, Sendable {
        /// It had the right value.
        case unchanged
        /// It was set; the value before.
        case changed(from: String)
        /// It could not be set, with the reason.
        case failed(String)
        /// It does not exist: this kernel does not know it, or the port is gone or has no IPv6.
        case absent
    }

    /// The variable, such as `net.ipv6.conf.all.forwarding`.
    public var name: String
    /// The wanted value.
    public var wanted: String
    public var result: Result

    public init(name: String, wanted: String, result: Result) {
        self.name = name
        self.wanted = wanted
        self.result = result
    }
}
