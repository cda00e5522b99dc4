public import Addressing

/// Hello (RFC 5340 §A.3.2).
public struct Hello: Hashable, Sendable {
    /// The interface ID of the sender's interface.
    public var interfaceID: UInt32
    /// The sender's priority in the election of the designated router; 0 excludes it.
    public var priority: UInt8
    /// The sender's options.
    public var options: OSPFOptions
    /// HelloInterval: seconds between hellos.
    public var helloInterval: UInt16
    /// RouterDeadInterval: seconds without hellos from a neighbor after which it is removed.
    public var deadInterval: UInt16
    /// The designated router in the sender's view; 0 for none.
    public var designatedRouter: RouterID
    /// The backup designated router in the sender's view; 0 for none.
    public var backupDesignatedRouter: RouterID
    /// The routers whose hellos the sender received on the link within the dead interval.
    public var neighbors: [RouterID]

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

extension Hello {
    /// The size of the body before the neighbors, in octets.
    static let fixedSize = 20
    /// The offset in the body of the four octets that end with the options.
    static let optionsWord = 4
    /// The size of the body in octets.
    var size: Int { Self.fixedSize + 4 * neighbors.count }

    init(decoding octets: RawSpan) throws(DecodingError) {
        guard octets.byteCount >= Self.fixedSize else { throw .truncated }
        guard octets.byteCount % 4 == 0 else { throw .length }
        interfaceID = octets.uint32(at: 0)
        priority = octets.uint8(at: 4)
        options = octets.options(at: Self.optionsWord)
        helloInterval = octets.uint16(at: 8)
        deadInterval = octets.uint16(at: 10)
        designatedRouter = octets.routerID(at: 12)
        backupDesignatedRouter = octets.routerID(at: 16)
        neighbors = octets.routerIDs(from: Self.fixedSize)
    }

    func encode(into octets: inout [UInt8]) {
        octets.append(interfaceID)
        octets.append(priority, low24: options.rawValue)
        octets.append(helloInterval)
        octets.append(deadInterval)
        octets.append(designatedRouter.rawValue)
        octets.append(backupDesignatedRouter.rawValue)
        for neighbor in neighbors { octets.append(neighbor.rawValue) }
    }
}
