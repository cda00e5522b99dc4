public import Addressing

/// What is known of the cluster, and how it stands with the API.
public struct ClusterView: Hashable, Sendable {
    /// How it stands with one kind of objects.
    public struct Resource: Hashable, Sendable {
        /// Whether all objects there were have been heard of once in this life.
        public var isSynced = false
        /// Whether the server is heard.
        public var isConnected = false
        /// Whether the server has said that it will not tell.
        public var isRefused = false
        /// How many objects are known.
        public var objects = 0
        /// Why the server is not heard, as far as that is known.
        public var problem: String?

        /// Nothing is known yet.
        public init() {}
    }

    /// Where the connection was described.
    public var origin: String
    /// By plural: `services`.
    public var resources: [String: Resource] = [:]
    /// What counts of this node.
    public var node: NodeConditions
    /// Whether something was ever heard of this node, in this life or an earlier one.
    public var isNodeKnown = false
    /// Whether the cluster has this node now.
    public var isNodePresent = false
    /// The ranges that the cluster gives the node's pods, or last gave them: at most one of each family.
    public var podCIDRs: [IPv6Prefix] = []
    /// The addresses of all machines that the cluster knows, and those by which its API is reached: never a service's.
    public var machineAddresses: Set<IPv6Address> = []
    /// What the cluster gives besides and cannot be such a range, in words.
    public var rangeProblem: String?
    /// Why nobody can be asked, in words.
    public var connectionProblem: String?
    /// Why what is known cannot be kept, in words.
    public var keepingProblem: String?
    /// How much of the address pools is in use.
    public var pools: [PoolUse] = []
    /// Whether this is the node that gives addresses of pools to services.
    public var assignsAddresses = false

    /// Makes a view in which nothing is known of the cluster yet.
    public init(origin: String, resources: [String: Resource] = [:], node: NodeConditions) {
        self.origin = origin
        self.resources = resources
        self.node = node
    }

    /// What is not heard and why, a line each.
    public var problems: [String] {
        var lines = resources.sorted { $0.key < $1.key }.compactMap { name, resource in
            resource.problem.map { "\(name): \($0)" }
        }
        if let nodes = resources["nodes"], nodes.isSynced, !isNodePresent {
            lines.append(
                isNodeKnown
                    ? "there is no Node \(node.name) any more; what it last said goes on to count"
                    : "there is no Node \(node.name): if it has another name, node.name or $NODE_NAME must say it")
        }
        lines += [connectionProblem, rangeProblem, keepingProblem].compactMap(\.self)
        return lines
    }

    /// Whether everything that is watched is heard.
    public var isConnected: Bool { resources.values.allSatisfy(\.isConnected) }
}
