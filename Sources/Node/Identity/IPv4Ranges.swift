public import Addressing
internal import MeshConfiguration
internal import OSPF
internal import OSPFPacket

/// What the node has of IPv4: an address, and ranges for its pods, given or taken out of pools that all nodes share.
public struct IPv4Ranges: Sendable {
    /// The address given.
    public let givenAddress: IPv4Address?
    /// The address taken, as a /32.
    public internal(set) var takenAddress: SelfAssignedRange?
    /// The range taken for the pods.
    public internal(set) var takenPods: SelfAssignedRange?

    /// What ranges are taken for; also the names under which they are saved.
    public static let purposes = ["ipv4-address", "ipv4-pods"]

    /// Begins with what the configuration gives and with what an earlier run took.
    init(_ configuration: Configuration.IPv4, saved: [String: IPv4Prefix]) {
        func range(_ purpose: String, _ pool: PrefixPool?) -> SelfAssignedRange? {
            pool.map { SelfAssignedRange(purpose: purpose, pool: $0, saved: saved[purpose]) }
        }
        givenAddress = configuration.address
        takenAddress = configuration.address == nil ? range("ipv4-address", configuration.nodes) : nil
        takenPods = range("ipv4-pods", configuration.pods)
    }

    /// The node's own address.
    public var address: IPv4Address? { givenAddress ?? takenAddress?.prefix?.address }

    /// How the address is announced.
    var announced: AdvertisedPrefix? {
        address.map { AdvertisedPrefix(prefix: IPv6Prefix(host: IPv6Address($0)), options: .localAddress) }
    }
}
