/// A port of the machine.
public struct Interface: ListItem, Hashable {
    /// `InterfaceList`.
    public static let listKind = "InterfaceList"

    /// The kernel's name.
    public var name: String
    /// The kernel's index, which is also the OSPF interface ID.
    public var index: Int
    /// The type in use: `p2p`, `broadcast` or `passive`; ``configuredType`` in the states `Down` and `Standby`. `unused` for a
    /// port that is not used.
    public var type: String
    /// The configured type: `auto`, `p2p`, `broadcast` or `passive`; `unused` for a port that is not used.
    public var configuredType: String
    /// The OSPF state (`Down` for a port that is not used): `Down`, `Waiting`, `PointToPoint`, `DROther`, `Backup`, `DR`,
    /// `Passive`, or `Standby` if another port of this node is active on the same link.
    public var state: String
    /// Whether the port has carrier.
    public var carrier: Bool
    /// Why the port is down; which settings of routers on its link do not match; that no hello is received; or what is wrong with
    /// its cable. For a port that
    /// is not used, ``decision`` if an operator may miss the port. Otherwise `nil`.
    public var problem: String?
    /// The link-local address that OSPF uses; `nil` if the port is down or not used.
    public var address: String?
    /// The hardware address; `nil` if the device has none.
    public var mac: String?
    /// The MTU in octets.
    public var mtu: Int
    /// The OSPF cost; 0 for a port that is not used.
    public var cost: Int
    /// The hello interval in seconds; 0 for a port that is not used.
    public var hello: Double
    /// The dead interval in seconds; 0 for a port that is not used.
    public var dead: Double
    /// Neighbors in any state.
    public var neighbors: Int
    /// Neighbors in state Full.
    public var neighborsFull: Int
    /// The router ID of the designated router; `nil` if none is elected, as on a port that is not `broadcast`.
    public var designatedRouter: String?
    /// The router ID of the backup designated router; `nil` if none is elected, as on a port that is not `broadcast`.
    public var backupDesignatedRouter: String?
    /// LSAs waiting to be sent for the first time.
    public var queued: Int
    /// The rule of `interfaces` by which the port is used, or the reason why it is not used. `nil` from older agents.
    public var decision: String?
    /// Whether the port is used only where there is no better way, because its cable is bad; `nil` if not.
    public var avoided: Bool?

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
