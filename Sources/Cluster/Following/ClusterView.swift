public import Addressing
internal import Kubernetes

/// What is known of the cluster, and how it stands with the API.
public struct ClusterView: Hashable, Sendable {
    /// How it stands with one kind of objects.
    public struct Resource: Hashable, Sendable {
        /// Whether all objects there were have been heard of once in this life.
        public var isSynced = false
        /// Whether the server is heard.
        public var isConnected = false
        /// How many objects are known.
        public var objects = 0
        /// Why the server is not heard, as far as that is known.
        public var problem: String?

        init() {}

        init(_ state: WatchState) {
            isSynced = state.isSynced
            isConnected = state.connectedSince != nil
            objects = state.objects
            problem = state.connectedSince == nil ? state.lastError : nil
        }
    }

    /// Where the connection was described.
    public var origin: String
    /// By plural: `services`.
    public var resources: [String: Resource] = [:]
    /// What counts of this node.
    public var node: NodeConditions
    /// The ranges that the cluster gives the node's pods.
    public var podCIDRs: [IPv6Prefix] = []

    /// Whether everything that is watched is heard.
    public var isConnected: Bool { resources.values.allSatisfy(\.isConnected) }
}

/// What is new of the cluster.
public struct ClusterReport: Sendable {
    /// How it stands now.
    public var view: ClusterView
    /// Addresses of which something else is wanted than before; `nil` is nothing.
    public var changes: [IPv6Address: ServiceBoard.Entry?]
    /// What people should be told.
    public var notices: [String]
}
