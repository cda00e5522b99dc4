/// What counts of this node when services are announced.
public struct NodeConditions: Hashable, Sendable {
    /// The node's name, as endpoints give it.
    public var name: String
    /// Whether the cluster counts the node as ready; it does while that is unknown,
    /// as when the node cannot reach the API.
    public var isReady = true
    /// Whether it bears the label `node.kubernetes.io/exclude-from-external-load-balancers`.
    public var isExcluded = false
    /// Whether it was cordoned: no pods come to it any more, mostly because somebody is about to work on it.
    public var isCordoned = false
    /// Why it is to be drained; `nil` if it is not.
    public var drainReason: String?

    /// A node of which only the name is known.
    public init(name: String) { self.name = name }

    /// Whether somebody is about to take the node away.
    public var isLeaving: Bool { isCordoned || drainReason != nil }
}
