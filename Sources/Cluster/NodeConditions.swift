public import Kubernetes

/// What counts of this node when services are announced.
public struct NodeConditions: Hashable, Sendable {
    /// The node's name, as endpoints give it.
    public var name: String
    /// Whether the cluster counts the node as ready; it does while that is unknown,
    /// as when the node cannot reach the API.
    public var isReady = true
    /// Whether it bears the label `node.kubernetes.io/exclude-from-external-load-balancers`.
    public var isExcluded = false
    /// Whether it is to be drained: it bears the annotation `kubermesh.io/drain`, with any value but `false`.
    public var wantsDrain = false

    /// A node of which only the name is known.
    public init(name: String) { self.name = name }

    /// Takes in what the cluster says of the node.
    public init(_ node: Node) {
        name = node.metadata.name
        isReady = !node.isKnownUnready
        isExcluded = node.metadata.labels["node.kubernetes.io/exclude-from-external-load-balancers"] != nil
        wantsDrain = node.metadata.annotations["kubermesh.io/drain"].map { $0 != "false" } ?? false
    }
}
