/// The conditions of this node that decide about announcing services.
public struct NodeConditions: Hashable, Sendable {
    /// The name of the Node object, by which endpoints refer to the node (`nodeName`).
    public var name: String
    /// Whether the node is ready in the cluster; true while that is unknown, as when the node cannot reach the API.
    public var isReady = true
    /// Whether it has the label `node.kubernetes.io/exclude-from-external-load-balancers`.
    public var isExcluded = false
    /// Whether it is cordoned: no new pods, usually before maintenance.
    public var isCordoned = false
    /// Why the cluster drains it; `nil` if it does not.
    public var drainReason: String?

    /// A node with unknown conditions.
    public init(name: String) { self.name = name }

    /// Whether the node will probably be stopped or removed.
    public var isLeaving: Bool { isCordoned || drainReason != nil }
}
