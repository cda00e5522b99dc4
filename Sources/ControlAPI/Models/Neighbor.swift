/// A neighbor.
public struct Neighbor: ListItem, Hashable {
    /// `NeighborList`.
    public static let listKind = "NeighborList"

    /// Its host name, if known.
    public var node: String?
    public var routerID: String
    /// Our interface to it.
    public var interface: String
    /// Its link-local address.
    public var address: String
    /// `Down`, `Init`, `2-Way`, `ExStart`, `Exchange`, `Loading` or `Full`.
    public var state: String
    /// Seconds in this state.
    public var age: Double
    /// Seconds until it is lost unless a hello is received.
    public var deadIn: Double
    /// Its priority in the designated router election.
    public var priority: Int
    /// The designated router in its hellos, on a broadcast link.
    public var designatedRouter: String?
    /// The backup designated router in its hellos, on a broadcast link.
    public var backupDesignatedRouter: String?
    /// State changes since it was first heard.
    public var stateChanges: Int
    /// LSAs that it has not acknowledged.
    public var retransmissions: Int
    /// LSAs requested from it and not received.
    public var requests: Int
    /// What prevents the adjacency or routes through it, if known.
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
