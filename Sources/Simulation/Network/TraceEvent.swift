public import Node

/// Something that happens, for the observer.
public enum TraceEvent: Sendable {
    /// An action from outside.
    case action(Action)
    /// A node asked for something.
    case effect(node: Int, NodeEffect)
    /// A packet reached a router.
    case delivery(node: Int, interface: UInt32, octets: [UInt8])
    /// The carrier of a port changed, as its router sees it.
    case carrier(node: Int, interface: UInt32, isUp: Bool)
}
