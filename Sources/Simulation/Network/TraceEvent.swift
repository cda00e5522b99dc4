public import Node

/// An event for ``Network/observer``.
public enum TraceEvent: Sendable {
    /// An action is performed.
    case action(Action)
    /// A node returns an effect.
    case effect(node: Int, NodeEffect)
    /// A process reads a packet.
    case delivery(node: Int, interface: UInt32, octets: [UInt8])
    /// A process is notified that a port went down or came up.
    case carrier(node: Int, interface: UInt32, isUp: Bool)
}
