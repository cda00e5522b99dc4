public import Node

/// An event for ``Network/observer``.
public enum TraceEvent: Sendable {
    /// An action from outside.
    case action(Action)
    /// A node has returned an effect.
    case effect(node: Int, NodeEffect)
    /// A packet reached a router.
    case delivery(node: Int, interface: UInt32, octets: [UInt8])
    /// A process was notified that the carrier of a port has changed.
    case carrier(node: Int, interface: UInt32, isUp: Bool)
}
