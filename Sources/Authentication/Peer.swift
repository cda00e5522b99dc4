public import Addressing
internal import OSPFPacket
public import Timing

/// A router that sent packets which were accepted.
public struct Peer: Hashable, Sendable {
    /// Our interface, and the router's ID.
    public struct Key: Hashable, Sendable, Comparable {
        public var interface: UInt32
        public var router: RouterID

        public init(interface: UInt32, router: RouterID) {
            self.interface = interface
            self.router = router
        }

        /// By interface, then by router ID.
        public static func < (left: Key, right: Key) -> Bool {
            (left.interface, left.router) < (right.interface, right.router)
        }
    }

    public internal(set) var address: IPv6Address
    /// The key of its last packet with a valid trailer; `nil` if the last one had none that is valid.
    public internal(set) var keyID: UInt16?
    /// Since when its packets come so.
    public internal(set) var since: Instant
    /// When the last packet was accepted.
    public internal(set) var lastHeard: Instant
    /// The largest sequence number of each packet type (RFC 7166 §4.6), by the type's number.
    var sequences = [UInt64?](repeating: nil, count: 6)

    init(address: IPv6Address, keyID: UInt16?, at now: Instant) {
        self.address = address
        self.keyID = keyID
        since = now
        lastHeard = now
    }

    func sequence(of type: PacketType) -> UInt64? { sequences[Int(type.rawValue)] }
}

/// A sender whose packets are refused.
public struct Stranger: Hashable, Sendable {
    public var interface: UInt32
    public var address: IPv6Address
    /// The router ID in its last packet, which nobody vouches for.
    public internal(set) var routerID: RouterID
    /// The identifier of the key that its last packet names; `nil` without a trailer.
    public internal(set) var keyID: UInt16?
    /// Why its last packet was refused.
    public internal(set) var refusal: AuthenticationRefusal
    public internal(set) var first: Instant
    public internal(set) var last: Instant
    /// The number of its packets.
    public internal(set) var packets: UInt64
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
