public import Addressing
internal import MeshConfiguration
internal import OSPF
internal import OSPFPacket

/// The node's IPv4 address, configured or self-assigned, and its self-assigned IPv4 pod range. Self-assigned ones come from the
/// pools `addressing.ipv4.nodes` and `addressing.ipv4.pods`, which all nodes share. Configured pod ranges are in
/// ``NodeIdentity/podPrefixes``.
public struct IPv4Ranges: Sendable {
    /// The configured address; `nil` without one.
    public let configuredAddress: IPv4Address?
    /// The self-assigned address, as a /32; `nil` without a pool, or with a configured address.
    public internal(set) var selfAssignedAddress: SelfAssignedRange?
    /// The self-assigned pod range; `nil` without a pool.
    public internal(set) var selfAssignedPods: SelfAssignedRange?

    /// The purposes of ranges. They are also the names under which ranges are saved.
    public static let purposes = ["ipv4-address", "ipv4-pods"]

    /// Starts with the configuration and the ranges of earlier runs.
    init(_ configuration: Configuration.IPv4, saved: [String: IPv4Prefix]) {
        func range(_ purpose: String, _ pool: PrefixPool?) -> SelfAssignedRange? {
            pool.map { SelfAssignedRange(purpose: purpose, pool: $0, saved: saved[purpose]) }
        }
        configuredAddress = configuration.address
        selfAssignedAddress = configuration.address == nil ? range("ipv4-address", configuration.nodes) : nil
        selfAssignedPods = range("ipv4-pods", configuration.pods)
    }

    /// The node's own address; `nil` if none is configured or assigned.
    public var address: IPv4Address? { configuredAddress ?? selfAssignedAddress?.prefix?.address }
}
