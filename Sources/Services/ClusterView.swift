public import Addressing

/// The known state of the cluster, and the state of the connection to its API.
public struct ClusterView: Hashable, Sendable {
    /// The state of our copy of one kind of objects.
    public struct Resource: Hashable, Sendable {
        /// Whether a complete list was received in this run.
        public var isSynced = false
        /// Whether its watch works.
        public var isConnected = false
        /// Whether the last failure was that the API server denied access to it, and no watch was accepted since.
        public var isRefused = false
        /// The number of objects in the copy.
        public var objects = 0
        /// Why its watch does not work, if known, or that it has been silent for too long.
        public var problem: String?

        /// The state at the start.
        public init() {}
    }

    /// The service account or file that describes the connection.
    public var origin: String
    /// The states of the kinds of objects, by their label, mostly the plural: `services`, `endpointslices`, `nodes` (only
    /// this node), `nodeaddresses` (all Nodes), `servicecidrs` unless the server does not have that kind.
    public var resources: [String: Resource] = [:]
    /// The conditions of this node, from its Node object; the last known ones if that was deleted.
    public var node: NodeConditions
    /// Whether the Node was ever seen, in this run or an earlier one.
    public var isNodeKnown = false
    /// The usable pod ranges that the cluster assigned to the node, now or last: at most one of each family.
    public var podCIDRs: [IPv6Prefix] = []
    /// The addresses of all Nodes, and those by which the API server is reached, except its cluster IPs: never service
    /// addresses.
    public var reservedAddresses: Set<IPv6Address> = []
    /// The ranges of cluster IPs that the cluster has told, at most ``mostServiceRanges``; empty while they are not known.
    public var serviceRanges: [IPv6Prefix] = []
    /// The maximum number of ranges in ``serviceRanges``. A cluster has one or two.
    public static let mostServiceRanges = 16
    /// Which of the ranges that the cluster assigned cannot be used, as text; `nil` if all can.
    public var rangeProblem: String?
    /// Why no connection can be made, for example because credentials cannot be read; `nil` otherwise.
    public var connectionProblem: String?
    /// Why the copy cannot be saved for the next start; `nil` if it can.
    public var cacheProblem: String?
    /// The use of the address pools.
    public var pools: [PoolUse] = []
    /// Whether this node is the leader that assigns pool addresses to services.
    public var assignsAddresses = false

    /// Makes the view at the start, when nothing is known of the cluster.
    public init(origin: String, resources: [String: Resource] = [:], node: NodeConditions) {
        self.origin = origin
        self.resources = resources
        self.node = node
    }

    /// What does not work and why, and whether this node's Node is missing, one line each.
    public var problems: [String] {
        var lines = resources.sorted { $0.key < $1.key }.compactMap { name, resource in
            resource.problem.map { "\(name): \($0)" }
        }
        if let nodes = resources["nodes"], nodes.isSynced, nodes.objects == 0 {
            lines.append(
                isNodeKnown
                    ? "the Node \(node.name) was deleted; its last state stays in use"
                    : "there is no Node \(node.name); if it has another name, set node.name or $NODE_NAME")
        }
        lines += [connectionProblem, rangeProblem, cacheProblem].compactMap(\.self)
        return lines
    }

    /// Whether all watches work.
    public var isConnected: Bool { resources.values.allSatisfy(\.isConnected) }
}
