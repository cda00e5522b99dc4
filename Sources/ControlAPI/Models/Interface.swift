/// A port of the node that a rule of the configuration is about.
public struct Interface: ListItem, Hashable {
    /// `InterfaceList`.
    public static let listKind = "InterfaceList"

    /// The kernel's name.
    public var name: String
    /// The kernel's index, which is also the OSPF interface ID.
    public var index: Int
    /// What it is treated as now: `p2p`, `broadcast` or `passive`.
    public var type: String
    /// What the configuration says: `auto`, `p2p`, `broadcast` or `passive`.
    public var configuredType: String
    /// The OSPF state: `Down`, `Waiting`, `PointToPoint`, `DROther`, `Backup`, `DR`, `Passive`, or
    /// `Standby` where another port of this node speaks for both on one link.
    public var state: String
    /// Whether the port has carrier.
    public var carrier: Bool
    /// Why it is down, if it is, or who is heard on it and does not become a neighbour.
    public var problem: String?
    /// The link-local address.
    public var address: String?
    /// The hardware address.
    public var mac: String?
    /// The largest IPv6 packet it takes.
    public var mtu: Int
    /// The cost of sending out of it.
    public var cost: Int
    /// Seconds between hellos.
    public var hello: Double
    /// Seconds of silence after which a neighbour is gone.
    public var dead: Double
    /// Neighbours heard of.
    public var neighbors: Int
    /// Neighbours in state Full.
    public var neighborsFull: Int
    /// The designated router, on a broadcast link.
    public var designatedRouter: String?
    /// The backup, on a broadcast link.
    public var backupDesignatedRouter: String?
    /// LSAs waiting to be sent for the first time.
    public var queued: Int
    /// Why the port is used, or not: the rule of `interfaces` that matches it, or what keeps it from being used. `nil` of
    /// agents that did not say.
    public var decision: String?

    public init(
        name: String, index: Int, type: String, configuredType: String, state: String, carrier: Bool, problem: String?,
        address: String?, mac: String?, mtu: Int, cost: Int, hello: Double, dead: Double, neighbors: Int = 0,
        neighborsFull: Int = 0, designatedRouter: String? = nil, backupDesignatedRouter: String? = nil, queued: Int = 0,
        decision: String? = nil
    ) {
        self.name = name
        self.index = index
        self.type = type
        self.configuredType = configuredType
        self.state = state
        self.carrier = carrier
        self.problem = problem
        self.address = address
        self.mac = mac
        self.mtu = mtu
        self.cost = cost
        self.hello = hello
        self.dead = dead
        self.neighbors = neighbors
        self.neighborsFull = neighborsFull
        self.designatedRouter = designatedRouter
        self.backupDesignatedRouter = backupDesignatedRouter
        self.queued = queued
        self.decision = decision
    }
}
