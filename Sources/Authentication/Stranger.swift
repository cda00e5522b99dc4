public import Addressing
public import Timing

/// A sender whose packets are refused.
public struct Stranger: Hashable, Sendable {
    public let interface: UInt32
    public let address: IPv6Address
    /// The router ID in its last packet, which nobody vouches for.
    public internal(set) var routerID: RouterID
    /// The identifier of the key that its last packet names; `nil` without a trailer.
    public internal(set) var keyID: UInt16?
    /// Why its last packet was refused.
    public internal(set) var refusal: AuthenticationRefusal
    public let first: Instant
    public internal(set) var last: Instant
    /// The number of its packets.
    public internal(set) var packets: UInt64 = 0
    /// Whether packets were refused while others from the address were accepted.
    public internal(set) var isAlsoNeighbor = false
    /// For how long it must be quiet before it is forgotten.
    var quietTime = StrangerTable.lifetime

    init(
        interface: UInt32, address: IPv6Address, routerID: RouterID, refusal: AuthenticationRefusal, at now: Instant
    ) {
        self.interface = interface
        self.address = address
        self.routerID = routerID
        self.refusal = refusal
        first = now
        last = now
    }

    func isForgotten(at now: Instant) -> Bool { now - last >= quietTime }

    /// Whether people should know of it.
    var isNotable: Bool { !isAlsoNeighbor || packets >= StrangerTable.fewestOfANeighbor }
}

/// Why a packet is not authentic.
public enum AuthenticationRefusal: String, Error, Hashable, Sendable, CaseIterable {
    /// It has no trailer.
    case missing
    /// The AT-bit and the presence of a trailer disagree, or a length is wrong.
    case malformed
    /// The authentication type is not 1.
    case type
    /// We do not have the key.
    case unknownKey
    /// We have the key, and it is not valid now.
    case invalidKey
    /// The authentication data are wrong: another secret, or a changed packet.
    case digest
    /// The sequence number is not larger than that of an earlier packet of the type: a packet that was sent again.
    case replay
    /// This node does not authenticate packets on the port, and the sender leaves out the checksum, because all others need its key (RFC 7166 §4.2).
    case noKeyHere
}
