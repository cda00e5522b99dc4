/// A decoded OSPFv3 packet (RFC 5340 §A.3).
public struct Packet: Hashable, Sendable {
    /// The common packet header.
    public var header: PacketHeader
    /// What follows the header.
    public var body: Body

    /// The body of a packet, by its type.
    public enum Body: Hashable, Sendable {
        /// Type 1 (§A.3.2).
        case hello(Hello)
        /// Type 2 (§A.3.3).
        case databaseDescription(DatabaseDescription)
        /// Type 3 (§A.3.4).
        case linkStateRequest(LinkStateRequest)
        /// Type 4 (§A.3.5).
        case linkStateUpdate(LinkStateUpdate)
        /// Type 5 (§A.3.6).
        case linkStateAcknowledgment(LinkStateAcknowledgment)
    }

    public init(header: PacketHeader, body: Body) {
        self.header = header
        self.body = body
    }
}
