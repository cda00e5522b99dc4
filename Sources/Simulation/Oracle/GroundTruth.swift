internal import Addressing
internal import Node
internal import OSPF

/// The real topology, calculated from the links and the machines of the network and not from the state of routers: which
/// routers can communicate, and at what cost.
///
/// Vertices are the nodes in their order, then the groups of routers on segments.
struct GroundTruth: Sendable {
    /// An edge from one vertex to another. `exit` is the port of a node by which a packet leaves, `entry` the port by which
    /// it arrives, both by their places in ``Network/ports``. The edge from a node to a segment has no `entry`, that from a
    /// segment to a node no `exit`.
    struct Edge: Sendable {
        var to: Int
        var cost: Int
        var exit: Int?
        var entry: Int?
    }

    /// The distance of vertices that cannot be reached; sums of a few of them do not overflow.
    static let unreachable = Int.max / 4
    /// The cost of all links of a stub router (RFC 6987 §2).
    static let stubCost = 0xffff

    /// Two ports that hear each other, by their places in ``Network/ports``: `near` is the node's own.
    struct Contact: Sendable {
        var near: Int
        var far: Int
        /// Whether the link is a cable, so that both routers must become Full; on a segment, that depends on the election.
        var isCable: Bool
    }

    let nodeCount: Int
    let vertexCount: Int
    /// The edges out of each vertex.
    let edges: [[Edge]]
    /// The contacts of each node.
    let contacts: [[Contact]]
    /// Whether the process of each node runs.
    let isPresent: [Bool]
    /// Whether each node is a stub router, through which nothing may be routed.
    let isStub: [Bool]
    /// The distance from each node to each vertex.
    private(set) var distances: [[Int]]

    init(of network: Network) {
        var edges = [[Edge]](repeating: [], count: network.nodes.count)
        var contacts = [[Contact]](repeating: [], count: network.nodes.count)
        for link in network.links {
            for group in Self.groups(on: link, of: network) {
                for near in group {
                    contacts[network.ports[near].node] += group.filter { $0 != near }.map {
                        Contact(near: near, far: $0, isCable: !link.isSegment)
                    }
                }
                Self.connect(group, on: link, of: network, edges: &edges)
            }
        }
        self.edges = edges
        self.contacts = contacts
        nodeCount = network.nodes.count
        vertexCount = edges.count
        isPresent = network.nodes.map(\.isRunning)
        isStub = network.nodes.map(\.isStub)
        distances = []
        for node in 0..<nodeCount { distances.append(shortestDistances(from: node)) }
    }

    /// The ports of a link with carrier and a running process, in groups that hear one another; groups of one are left out.
    private static func groups(on link: Link, of network: Network) -> [[Int]] {
        guard let reach = link.mutualReach else {
            preconditionFailure("who hears whom on a segment is no equivalence: heal half cuts first")
        }
        return reach.map { group in
            group.map { link.ports[$0] }.filter {
                network.ports[$0].hasCarrier && network.nodes[network.ports[$0].node].isRunning
            }
        }.filter { $0.count > 1 }
    }

    /// Adds the edges between ports of a link that hear one another.
    private static func connect(_ group: [Int], on link: Link, of network: Network, edges: inout [[Edge]]) {
        func cost(_ port: Int) -> Int {
            let node = network.nodes[network.ports[port].node]
            let configuration = network.ports[port].configuration
            if node.isStub { return stubCost }
            let isAvoided = node.process?.isAvoided(configuration.index) == true
            return Int(isAvoided ? QualityTable.costToAvoid(configuration.cost) : configuration.cost)
        }
        if !link.isSegment {
            for (near, far) in [(group[0], group[1]), (group[1], group[0])] {
                let from = network.ports[near].node
                let to = network.ports[far].node
                edges[from].append(Edge(to: to, cost: cost(near), exit: near, entry: far))
            }
            return
        }
        // A segment on which no router may become designated carries nothing.
        guard group.contains(where: { network.ports[$0].configuration.priority > 0 }) else { return }
        let segment = edges.count
        edges.append([])
        for port in group {
            let node = network.ports[port].node
            edges[node].append(Edge(to: segment, cost: cost(port), exit: port))
            edges[segment].append(Edge(to: node, cost: 0, entry: port))
        }
    }

    /// The algorithm of Bellman and Ford, with a queue of vertices whose distance has become smaller.
    private func shortestDistances(from source: Int) -> [Int] {
        var distances = [Int](repeating: Self.unreachable, count: vertexCount)
        guard isPresent[source] else { return distances }
        distances[source] = 0
        var improved = [source]
        var isWaiting = [Bool](repeating: false, count: vertexCount)
        var next = 0
        while next < improved.count {
            let vertex = improved[next]
            next += 1
            isWaiting[vertex] = false
            if vertex < nodeCount, isStub[vertex], vertex != source { continue }
            for edge in edges[vertex] where distances[vertex] + edge.cost < distances[edge.to] {
                distances[edge.to] = distances[vertex] + edge.cost
                if !isWaiting[edge.to] {
                    isWaiting[edge.to] = true
                    improved.append(edge.to)
                }
            }
        }
        return distances
    }

    func canReach(_ target: Int, from source: Int) -> Bool { distances[source][target] < Self.unreachable }

    /// The running nodes in groups that are connected by links, also through stub routers.
    var components: [[Int]] {
        var component = [Int?](repeating: nil, count: vertexCount)
        var result: [[Int]] = []
        for start in 0..<nodeCount where isPresent[start] && component[start] == nil {
            var members = [start]
            component[start] = result.count
            var next = 0
            while next < members.count {
                for edge in edges[members[next]] where component[edge.to] == nil {
                    component[edge.to] = result.count
                    members.append(edge.to)
                }
                next += 1
            }
            result.append(members.filter { $0 < nodeCount }.sorted())
        }
        return result
    }

    /// The first steps of all shortest paths, each with the port that a packet leaves by and the port that it enters next. A
    /// step belongs to a shortest path if its cost and the remaining distance add up to the distance.
    func firstSteps(from source: Int, to target: Int) -> [(exit: Int, entry: Int)] {
        var steps: [(exit: Int, entry: Int)] = []
        for edge in edges[source] {
            guard let exit = edge.exit else { continue }
            // Out of a port into a segment, the step ends at any router on it.
            let arrivals = edge.entry == nil ? edges[edge.to] : [Edge(to: edge.to, cost: 0, entry: edge.entry)]
            for arrival in arrivals where arrival.to != source && (arrival.to == target || !isStub[arrival.to]) {
                let length = edge.cost + arrival.cost + distances[arrival.to][target]
                if let entry = arrival.entry, length == distances[source][target] { steps.append((exit, entry)) }
            }
        }
        return steps
    }
}
