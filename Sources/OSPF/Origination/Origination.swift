import Addressing
import OSPFPacket
internal import Timing

/// The LSAs that this router should originate and has originated: the wanted bodies, and when each may be sent next.
/// ``Router`` makes the bodies, because they depend on the whole router.
struct Origination: Sendable {
    /// One of the router's own LSAs.
    struct OwnLSA: Sendable {
        /// The wanted body; `nil` to flush the LSA.
        var body: LSABody?
        var throttle = OriginationThrottle()
        /// How many times its sequence numbers were used up and started again (RFC 2328 §12.1.6), modulo 65,536.
        var sequenceRestarts: Int32 = 0
        /// Whether it waits in ``Origination/pending``.
        var isPending = false
    }

    /// What has changed and may change own LSAs.
    struct Changes: OptionSet, Sendable {
        let rawValue: UInt8
        /// Interfaces, adjacencies, designated routers, link-LSAs, router flags.
        static let interfaces = Changes(rawValue: 1)
        /// Prefixes of the node.
        static let prefixes = Changes(rawValue: 2)
        /// Imported prefixes.
        static let externals = Changes(rawValue: 4)
        /// Name and fingerprint.
        static let identity = Changes(rawValue: 8)
    }

    /// The size, in octets, of the largest LSA that fits the smallest IPv6 link.
    private static let largestLSA = LinkStateUpdate.maximumLSASize(mtu: 1280)
    /// The octets for prefixes in an intra-area-prefix-LSA, without header and fixed fields.
    private static let prefixCapacity = largestLSA - LSAHeader.size - IntraAreaPrefixLSA.fixedSize
    /// The octets for prefixes in an IPv4-prefix-LSA, without header and fixed fields.
    private static let ipv4Capacity = largestLSA - LSAHeader.size - IPv4PrefixLSA.fixedSize
    /// The octets for links in a router-LSA, without header and fixed fields.
    private static let linkCapacity = largestLSA - LSAHeader.size - 4

    /// Identifies a link of the router-LSA: interface and neighbor.
    struct LinkKey: Hashable, Comparable, Sendable {
        var interface: UInt32
        var neighbor: RouterID
        static func < (left: LinkKey, right: LinkKey) -> Bool {
            (left.interface, left.neighbor) < (right.interface, right.neighbor)
        }
    }

    var changes: Changes = [.interfaces, .prefixes, .identity]
    var own: [DatabaseKey: OwnLSA] = [:]
    var pending = DeadlineQueue<DatabaseKey>()
    private(set) var isStubRouter = false

    var links = StableFragments<LinkKey, RouterLSA.Link>(capacity: linkCapacity) { _ in 16 }
    var prefixes = StableFragments<IPv6Prefix, LSAPrefix>(capacity: prefixCapacity, size: \.size)
    var ipv4Prefixes = StableFragments<IPv6Prefix, LSAPrefix>(capacity: ipv4Capacity, size: \.sizeInIPv4)
    var networkPrefixes: [UInt32: StableFragments<IPv6Prefix, LSAPrefix>] = [:]
    private(set) var externals: [IPv6Prefix: ExternalPrefix] = [:]
    /// The link state ID of each imported prefix. An ID is not reused for another prefix.
    var externalIDs: [IPv6Prefix: UInt32] = [:]
    private var nextExternalID: UInt32 = 0

    var nextDeadline: Instant? { pending.first }

    /// Whether any own LSA may have to be originated now.
    func isDue(at now: Instant) -> Bool {
        !changes.isEmpty || pending.first.map { $0 <= now } == true
    }

    /// Whether the router imports prefixes (RFC 5340 §A.4.3, E-bit).
    var isBoundary: Bool { !externals.isEmpty }

    mutating func advertise(_ advertised: [AdvertisedPrefix]) {
        var wanted: [IPv6Prefix: LSAPrefix] = [:]
        for entry in advertised {
            let prefix = LSAPrefix(prefix: entry.prefix, options: entry.options, metric: entry.metric)
            if let other = wanted[entry.prefix], other.metric <= prefix.metric { continue }
            wanted[entry.prefix] = prefix
        }
        ipv4Prefixes.update(to: wanted.filter { $0.key.ipv4 != nil })
        prefixes.update(to: wanted.filter { $0.key.ipv4 == nil })
        changes.insert(.prefixes)
    }

    mutating func advertiseExternal(_ imported: [ExternalPrefix]) {
        let wasBoundary = isBoundary
        externals = Dictionary(imported.map { ($0.prefix, $0) }) { first, _ in first }
        for prefix in externals.keys.sorted() where externalIDs[prefix] == nil {
            externalIDs[prefix] = nextExternalID
            nextExternalID += 1
        }
        changes.insert(.externals)
        if wasBoundary != isBoundary { changes.insert(.interfaces) }
    }

    /// The maximum link state ID of an external prefix that is taken over from an earlier run, so that the IDs never end.
    private static let maximumEarlierID: UInt32 = 1 << 24

    /// Takes over the link state IDs of external prefixes from an earlier run. Other prefixes get IDs after them.
    mutating func adoptExternalIDs(_ earlier: [IPv6Prefix: UInt32]) {
        let earlier = earlier.filter { $0.value < Self.maximumEarlierID }
        guard let last = earlier.values.max() else { return }
        nextExternalID = last + 1
        externalIDs = earlier.filter { externals[$0.key] != nil }
        for prefix in externals.keys.sorted() where externalIDs[prefix] == nil {
            externalIDs[prefix] = nextExternalID
            nextExternalID += 1
        }
    }

    mutating func setStubRouter(_ isStub: Bool) {
        guard isStub != isStubRouter else { return }
        isStubRouter = isStub
        changes.insert([.interfaces, .identity])
    }

    mutating func interfacesChanged() { changes.insert(.interfaces) }

    mutating func removeInterface(_ index: UInt32) {
        own = own.filter { $0.key.interface != index }
    }

    /// The prefixes of a network this router is designated for.
    static func networkFragments() -> StableFragments<IPv6Prefix, LSAPrefix> {
        StableFragments(capacity: prefixCapacity, size: \.size)
    }

    /// One of our LSAs was removed from the database. If it is still wanted, its sequence numbers were used up, and a
    /// new sequence starts now.
    mutating func removed(_ key: DatabaseKey) {
        guard let lsa = own[key] else { return }
        guard lsa.body != nil else { return own[key] = nil }
        own[key]!.sequenceRestarts = (lsa.sequenceRestarts + 1) & 0xffff
        schedule(key, at: .zero)
    }

    /// Resets everything that belongs to the old router ID: nothing has been originated under the new one.
    mutating func restart() {
        own = [:]
        pending = DeadlineQueue()
        networkPrefixes = [:]
        prefixes.markAllChanged()
        ipv4Prefixes.markAllChanged()
        changes = [.interfaces, .prefixes, .externals, .identity]
    }

    mutating func schedule(_ key: DatabaseKey, at moment: Instant) {
        guard own[key]?.isPending == false else { return }
        own[key]!.isPending = true
        pending.insert(key, at: moment)
    }
}

/// When an LSA may be originated again. RFC 2328 §12.4 requires MinLSInterval, 5 s, between any two instances. Here the
/// first instances are originated without delay, because a router that starts or loses a link originates several within a
/// moment. The time between instances grows only in a long series of changes, up to the same 5 s.
struct OriginationThrottle: Sendable {
    private static let first = Duration.milliseconds(10)
    private static let longest = Duration.seconds(5)

    private var last: Instant?
    private var run = 0

    /// The minimum time between the last instance and the next.
    private var wait: Duration {
        run < 2 ? .zero : min(Self.longest, Self.first * (1 << min(run - 2, 9)))
    }

    /// Whether there were so few originations that an urgent one need not wait.
    var isFresh: Bool { run < 8 }

    /// The earliest moment for the next instance.
    var earliest: Instant { last.map { $0 + wait } ?? .zero }

    mutating func originated(at now: Instant) {
        // The delay that the throttle imposes does not end a series. A pause of twice that delay, and at least 1 s,
        // does.
        if let last, now - last >= max(.seconds(1), wait * 2) { run = 0 }
        last = now
        run += 1
    }
}
