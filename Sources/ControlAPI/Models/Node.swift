/// A router in the link-state database.
public struct Node: ListItem, Hashable {
    /// `NodeList`.
    public static let listKind = "NodeList"

    /// Its host name, if known.
    public var node: String?
    public var routerID: String
    /// Whether it is this node.
    public var isSelf: Bool
    /// Whether there is a path to it.
    public var reachable: Bool
    /// The distance to it; `nil` if it is unreachable.
    public var metric: Int?
    /// Whether it is a stub router (RFC 6987).
    public var stubRouter: Bool
    /// Whether it is an area border router.
    public var isBorder: Bool
    /// Whether it is an AS boundary router.
    public var isExternal: Bool
    /// The intra-area prefixes that it announces for itself, not those of segments whose designated router it is.
    public var prefixes: [String]
    /// The links in its router-LSAs.
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

    /// A link in the router-LSA of a router (RFC 5340 §A.4.3).
    public struct Link: Codable, Hashable, Sendable {
        /// The ID of the router at the other end; for `transit`, of the designated router of the segment.
        public var routerID: String
        /// The host name of the router with ``routerID``, if known.
        public var node: String?
        /// `p2p`, `transit` or `virtual`.
        public var type: String
        /// The cost, from the router that announces the link.
        public var cost: Int
        /// The interface ID of the router that announces the link.
        public var interfaceID: Int
        /// The interface ID of the router with ``routerID``.
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
