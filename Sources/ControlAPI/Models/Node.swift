/// A router of the mesh, as the database describes it.
public struct Node: ListItem, Hashable {
    /// `NodeList`.
    public static let listKind = "NodeList"

    /// Its name if it says one.
    public var node: String?
    public var routerID: String
    /// Whether it is the node that answers.
    public var isSelf: Bool
    /// Whether it can be reached.
    public var reachable: Bool
    /// The distance to it; `nil` when it cannot be reached.
    public var metric: Int?
    /// Whether it asks others to route around it.
    public var stubRouter: Bool
    /// Whether it is an area border router.
    public var isBorder: Bool
    /// Whether it brings in prefixes from outside.
    public var isExternal: Bool
    /// The prefixes it announces inside the area.
    public var prefixes: [String]
    /// Its adjacencies.
    public var links: [Link]

    public init(
        node: String?, routerID: String, isSelf: Bool, reachable: Bool, metric: Int?, stubRouter: Bool, isBorder: Bool,
        isExternal: Bool, prefixes: [String], links: [Link]
    ) {
        self.node = node
        self.routerID = routerID
        self.isSelf = isSelf
        self.reachable = reachable
        self.metric = metric
        self.stubRouter = stubRouter
        self.isBorder = isBorder
        self.isExternal = isExternal
        self.prefixes = prefixes
        self.links = links
    }

    /// An adjacency as its near end describes it.
    public struct Link: Codable, Hashable, Sendable {
        /// The router at the other end, or the designated router of a shared link.
        public var routerID: String
        /// Its name if it says one.
        public var node: String?
        /// `p2p`, `transit` or `virtual`.
        public var type: String
        /// The cost from the near end.
        public var cost: Int
        /// The near end's interface ID.
        public var interfaceID: Int
        /// The far end's interface ID.
        public var neighborInterfaceID: Int

        public init(
            routerID: String, node: String?, type: String, cost: Int, interfaceID: Int, neighborInterfaceID: Int
        ) {
            self.routerID = routerID
            self.node = node
            self.type = type
            self.cost = cost
            self.interfaceID = interfaceID
            self.neighborInterfaceID = neighborInterfaceID
        }
    }
}
