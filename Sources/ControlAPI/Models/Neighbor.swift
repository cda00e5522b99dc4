/// A router heard on a link.
public struct Neighbor: ListItem, Hashable {
    /// `NeighborList`.
    public static let listKind = "NeighborList"

    /// Its name if it says one.
    public var node: String?
    public var routerID: String
    /// Our interface towards it.
    public var interface: String
    /// Its link-local address.
    public var address: String
    /// `Down`, `Init`, `2-Way`, `ExStart`, `Exchange`, `Loading` or `Full`.
    public var state: String
    /// Seconds in this state.
    public var age: Double
    /// Seconds until it is given up unless a hello comes.
    public var deadIn: Double
    /// Its priority for becoming designated router.
    public var priority: Int
    /// The designated router in its view, on a broadcast link.
    public var designatedRouter: String?
    /// The backup in its view, on a broadcast link.
    public var backupDesignatedRouter: String?
    /// Changes of state since it was first heard.
    public var stateChanges: Int
    /// LSAs sent to it and not yet acknowledged.
    public var retransmissions: Int
    /// LSAs asked of it and not yet come.
    public var requests: Int
    /// What keeps the adjacency from forming, if something is known to.
    public var problem: String?

    public init(
        node: String?, routerID: String, interface: String, address: String, state: String, age: Double, deadIn: Double,
        priority: Int, designatedRouter: String?, backupDesignatedRouter: String?, stateChanges: Int,
        retransmissions: Int, requests: Int, problem: String?
    ) {
        self.node = node
        self.routerID = routerID
        self.interface = interface
        self.address = address
        self.state = state
        self.age = age
        self.deadIn = deadIn
        self.priority = priority
        self.designatedRouter = designatedRouter
        self.backupDesignatedRouter = backupDesignatedRouter
        self.stateChanges = stateChanges
        self.retransmissions = retransmissions
        self.requests = requests
        self.problem = problem
    }
}
