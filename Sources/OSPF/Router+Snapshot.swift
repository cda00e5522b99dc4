public import Addressing
public import OSPFPacket

extension Router {
    /// The interfaces in order of their index.
    public var interfaceSnapshots: [InterfaceSnapshot] { [] }
    /// The neighbours in order of interface and router ID.
    public var neighborSnapshots: [NeighborSnapshot] { [] }
    /// Every LSA with its age at `now`, in order of its key.
    public func databaseSnapshot(at now: Instant) -> [DatabaseEntrySnapshot] { [] }
    /// The name a router has told (RFC 5642).
    public func hostname(of router: RouterID) -> String? { nil }
    /// The counters.
    public var statistics: RouterStatistics { RouterStatistics() }
    /// The sum of the checksums of all LSAs of area and AS scope: equal on all routers whose databases are.
    public var databaseChecksum: UInt32 { 0 }
    /// Whether nothing is on its way: no exchange under way, nothing unacknowledged, queued, throttled or uncomputed.
    public var isQuiet: Bool { true }
}
