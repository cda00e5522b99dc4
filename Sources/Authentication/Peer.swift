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
    /// The dead interval at that time.
    var lifetime = Duration.zero
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
