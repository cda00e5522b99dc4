/// The five packet types (RFC 5340 §A.3).
public enum PacketType: UInt8, Hashable, Sendable, CaseIterable {
    /// §A.3.2.
    case hello = 1
    /// §A.3.3.
    case databaseDescription = 2
    /// §A.3.4.
    case linkStateRequest = 3
    /// §A.3.5.
    case linkStateUpdate = 4
    /// §A.3.6.
    case linkStateAcknowledgment = 5
}
