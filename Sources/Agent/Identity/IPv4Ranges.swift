internal import Addressing
internal import MeshConfiguration
internal import OSPF
internal import OSPFPacket

/// What the node has of IPv4: an address, and ranges for its pods, given or taken out of pools that all nodes share.
struct IPv4Ranges: Sendable {
    /// The address given.
    let givenAddress: IPv4Address?
    /// The address taken, as a /32.
    var takenAddress: SelfAssignedRange?
    /// The range taken for the pods.
    var takenPods: SelfAssignedRange?

    /// Begins with what the configuration gives and with what an earlier run took.
    init(_ configuration: Configuration.IPv4, _ state: StateDirectory) {
        func range(_ purpose: String, _ pool: PrefixPool?) -> SelfAssignedRange? {
            pool.map { SelfAssignedRange(purpose: purpose, pool: $0, saved: state.savedRange(for: purpose)) }
        }
        givenAddress = configuration.address
        takenAddress = configuration.address == nil ? range("ipv4-address", configuration.nodes) : nil
        takenPods = range("ipv4-pods", configuration.pods)
    }

    /// The node's own address.
    var address: IPv4Address? { givenAddress ?? takenAddress?.prefix?.address }

    /// How the address is announced.
    var announced: AdvertisedPrefix? {
        address.map { AdvertisedPrefix(prefix: IPv6Prefix(host: IPv6Address($0)), options: .localAddress) }
    }

    /// What stands in the way of it.
    var problems: [String] {
        [takenAddress, takenPods].compactMap(\.self).filter(\.isWanting).map {
            "nothing is left of \($0.pool.base) for a /\($0.pool.length) of this node; make the pool larger"
        }
    }
}
