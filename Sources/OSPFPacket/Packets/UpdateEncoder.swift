public import Addressing

/// Builds link state updates by copying the octets of LSAs, each with its current age. Flooding sends an LSA on many
/// interfaces, so no LSA is encoded again.
public struct UpdateEncoder: Sendable {
    /// The number of LSAs in the packet so far.
    public private(set) var count = 0
    private var octets: [UInt8]
    /// The size of the largest packet that the link carries without fragmentation, without the IPv6 header.
    private let maximumSize: Int

    /// Begins an update for a link with an MTU of `mtu` octets.
    public init(header: PacketHeader, mtu: Int) {
        maximumSize = PacketHeader.size + max(0, PacketHeader.bodySize(mtu: mtu))
        octets = header.begin(.linkStateUpdate, reserving: maximumSize)
        // The number of LSAs, which `finish` fills in.
        octets.append(0 as UInt32)
    }

    /// Whether there is no LSA in the packet.
    public var isEmpty: Bool { count == 0 }

    /// Whether `lsa` still fits. An LSA larger than the MTU fits into an empty packet, which IPv6 then fragments (RFC 5340
    /// §A.1): only the originator of the LSA could split it.
    public func fits(_ lsa: LSA) -> Bool {
        octets.count + lsa.octets.count <= (isEmpty ? PacketHeader.maximumPacketSize : maximumSize)
    }

    /// Appends an LSA if it fits, and returns whether it does. `age` is the age to send in seconds, including the
    /// transmission delay (RFC 2328 §13.3); outside of 0–3600, the nearer of these is sent.
    public mutating func append(_ lsa: LSA, age: Int) -> Bool {
        guard fits(lsa) else { return false }
        let start = octets.count
        octets.append(contentsOf: lsa.octets)
        octets.replace(at: start, with: UInt16(min(max(0, age), Int(LSAHeader.maxAge))))
        count += 1
        return true
    }

    /// Returns the finished packet for these addresses. The encoder is then empty and begins the next packet.
    public mutating func finish(source: IPv6Address, destination: IPv6Address) -> [UInt8] {
        let start = PacketHeader.size + LinkStateUpdate.fixedSize
        var packet = octets
        packet.replace(at: PacketHeader.size, with: UInt32(count))
        PacketHeader.seal(&packet, source: source, destination: destination)
        octets.removeSubrange(start...)
        count = 0
        return packet
    }
}
