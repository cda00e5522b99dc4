public import Addressing

/// A decoded OSPFv3 packet (RFC 5340 §A.3).
public struct Packet: Hashable, Sendable {
    /// The fields every packet begins with.
    public var header: PacketHeader
    /// What it carries.
    public var body: Body

    /// The five packet types.
    public enum Body: Hashable, Sendable {
        /// Type 1 (§A.3.2).
        case hello(Hello)
        /// Type 2 (§A.3.3).
        case databaseDescription(DatabaseDescription)
        /// Type 3 (§A.3.4).
        case linkStateRequest(LinkStateRequest)
        /// Type 4 (§A.3.5).
        case linkStateUpdate(LinkStateUpdate)
        /// Type 5 (§A.3.6).
        case linkStateAcknowledgment(LinkStateAcknowledgment)
    }

    /// Makes a packet.
    public init(header: PacketHeader, body: Body) {
        self.header = header
        self.body = body
    }
}

/// The fields every packet begins with: 16 octets (RFC 5340 §A.3.1). Version, type, length and checksum are the
/// codec's business.
public struct PacketHeader: Hashable, Sendable {
    /// The header's size in octets.
    public static let size = 16

    /// Who sends the packet.
    public var routerID: RouterID
    /// The area it belongs to.
    public var areaID: AreaID
    /// Which of several instances on one link it belongs to.
    public var instanceID: UInt8

    /// Makes a header.
    public init(routerID: RouterID, areaID: AreaID, instanceID: UInt8) {
        self.routerID = routerID
        self.areaID = areaID
        self.instanceID = instanceID
    }
}

/// Hello (RFC 5340 §A.3.2).
public struct Hello: Hashable, Sendable {
    /// The sender's number of the interface.
    public var interfaceID: UInt32
    /// The sender's priority for becoming designated router; 0 is never.
    public var priority: UInt8
    /// The sender's options.
    public var options: OSPFOptions
    /// Seconds between hellos.
    public var helloInterval: UInt16
    /// Seconds of silence after which a neighbour is gone.
    public var deadInterval: UInt16
    /// The designated router in the sender's view; 0 for none.
    public var designatedRouter: RouterID
    /// The backup in the sender's view; 0 for none.
    public var backupDesignatedRouter: RouterID
    /// The routers heard on the link lately.
    public var neighbors: [RouterID]

    /// Makes a hello.
    public init(
        interfaceID: UInt32, priority: UInt8, options: OSPFOptions, helloInterval: UInt16, deadInterval: UInt16,
        designatedRouter: RouterID, backupDesignatedRouter: RouterID, neighbors: [RouterID]
    ) {
        self.interfaceID = interfaceID
        self.priority = priority
        self.options = options
        self.helloInterval = helloInterval
        self.deadInterval = deadInterval
        self.designatedRouter = designatedRouter
        self.backupDesignatedRouter = backupDesignatedRouter
        self.neighbors = neighbors
    }
}

/// Database description (RFC 5340 §A.3.3).
public struct DatabaseDescription: Hashable, Sendable {
    /// The I, M and MS bits.
    public struct Flags: OptionSet, Hashable, Sendable {
        /// The bits.
        public let rawValue: UInt8
        /// Makes flags from their bits.
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// The sender is the master.
        public static let master = Flags(rawValue: 1 << 0)
        /// More descriptions follow.
        public static let more = Flags(rawValue: 1 << 1)
        /// The first of the exchange.
        public static let initialize = Flags(rawValue: 1 << 2)
    }

    /// The sender's options.
    public var options: OSPFOptions
    /// The largest IPv6 packet the sender can take on the link whole.
    public var interfaceMTU: UInt16
    /// I, M, MS.
    public var flags: Flags
    /// Orders the exchange.
    public var sequenceNumber: UInt32
    /// The LSAs described.
    public var headers: [LSAHeader]

    /// Makes a description.
    public init(
        options: OSPFOptions, interfaceMTU: UInt16, flags: Flags, sequenceNumber: UInt32, headers: [LSAHeader]
    ) {
        self.options = options
        self.interfaceMTU = interfaceMTU
        self.flags = flags
        self.sequenceNumber = sequenceNumber
        self.headers = headers
    }
}

/// Link state request (RFC 5340 §A.3.4).
public struct LinkStateRequest: Hashable, Sendable {
    /// The LSAs wanted.
    public var keys: [LSAKey]
    /// Makes a request.
    public init(keys: [LSAKey]) { self.keys = keys }
}

/// Link state update (RFC 5340 §A.3.5).
public struct LinkStateUpdate: Hashable, Sendable {
    /// The LSAs whose length and checksum are right.
    public var lsas: [LSA]
    /// How many LSAs were left out by the decoder because their checksum was wrong (RFC 2328 §13 (1)).
    public var damaged: Int
    /// Makes an update.
    public init(lsas: [LSA], damaged: Int = 0) {
        self.lsas = lsas
        self.damaged = damaged
    }
}

/// Link state acknowledgment (RFC 5340 §A.3.6).
public struct LinkStateAcknowledgment: Hashable, Sendable {
    /// The instances acknowledged.
    public var headers: [LSAHeader]
    /// Makes an acknowledgment.
    public init(headers: [LSAHeader]) { self.headers = headers }
}
