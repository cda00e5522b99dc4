public import Node

/// Something an observer is told of.
public enum Occurrence: Sendable {
    /// An action from outside.
    case action(Action)
    /// A node asked for something.
    case effect(node: Int, NodeEffect)
    /// A packet reached a router.
    case delivery(node: Int, interface: UInt32, octets: [UInt8])
    /// A router was told of its port.
    case carrier(node: Int, interface: UInt32, isUp: Bool)
}
