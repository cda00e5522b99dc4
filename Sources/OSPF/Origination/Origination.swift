import Addressing
import OSPFPacket
internal import Timing

/// The LSAs that this router should originate: their bodies, and when the next instance of each may be sent. The instances
/// that it has originated are in the database. ``Router`` makes the bodies (`Router+Bodies.swift`), because they depend on the
/// whole router.
struct Origination: Sendable {
    /// One of the router's own LSAs.
    struct OwnLSA: Sendable {
        /// The wanted body; `nil` to flush the LSA.
        var body: LSABody?
        var throttle: OriginationThrottle
        /// How many times its sequence numbers started again after a flush (RFC 2328 §12.1.6), modulo 32,768.
        var sequenceRestarts: Int32 = 0
        /// Until when it waits in ``Origination/pending``, which may have later moments of it, too; `nil` if it does not wait.
        var pendingMoment: Instant?

        /// The first number of its current sequence. Each sequence starts 65,536 higher than the one before, so that it has none
        /// of the numbers that the one before has used: late acknowledgments of those would count for instances of this one.
        var firstSequenceNumber: Int32 { LSAHeader.initialSequenceNumber + sequenceRestarts << 16 }

        init(_ key: LSAKey, body: LSABody?) {
            self.body = body
            let hasNodePrefixes =
                key.type == .ipv4Prefix || key.type == .intraAreaPrefix && key.linkStateID & networkPrefixBit == 0
            throttle = OriginationThrottle(hasNodePrefixes ? .bursts : .doubling)
        }
    }

    /// What has changed since own LSAs were last updated: only the LSAs that depend on it are made again.
    struct Changes: OptionSet, Sendable {
        let rawValue: UInt8
        /// Interfaces, adjacencies, designated routers, link-LSAs, router flags, options.
        static let interfaces = Changes(rawValue: 1)
        /// Prefixes of the node (``RouterEvent/advertise(_:)``).
        static let prefixes = Changes(rawValue: 2)
        /// Imported prefixes (``RouterEvent/advertiseExternal(_:)``).
        static let externals = Changes(rawValue: 4)
        /// What is in the Router Information and auto-configuration-LSAs.
        static let identity = Changes(rawValue: 8)
    }

    /// The size, in octets, of the largest LSA that fits the smallest IPv6 MTU, so that no link fragments our LSAs.
    private static let largestLSA = LinkStateUpdate.maximumLSASize(mtu: 1280)
    /// The octets for prefixes in an intra-area-prefix-LSA, without header and fixed fields.
    private static let prefixCapacity = largestLSA - LSAHeader.size - IntraAreaPrefixLSA.fixedSize
    /// The octets for prefixes in an IPv4-prefix-LSA, without header and fixed fields.
    private static let ipv4Capacity = largestLSA - LSAHeader.size - IPv4PrefixLSA.fixedSize
    /// The octets for links in a router-LSA, without header and the four octets of flags and options.
    private static let linkCapacity = largestLSA - LSAHeader.size - 4

    /// The bit of the link state IDs of intra-area-prefix-LSAs of links. Those of the node's own prefixes count from 0.
    static let networkPrefixBit: UInt32 = 1 << 31

    /// Identifies a link of the router-LSA: the interface, and the neighbor or the designated router.
    struct LinkKey: Hashable, Comparable, Sendable {
        var interface: UInt32
        var neighbor: RouterID
        static func < (left: LinkKey, right: LinkKey) -> Bool {
            (left.interface, left.neighbor) < (right.interface, right.neighbor)
        }
    }

    /// At the start, everything that a router has before it imports prefixes.
    var changes: Changes = [.interfaces, .prefixes, .identity]
    /// The LSAs that are wanted, and those that are being flushed.
    var own: [DatabaseKey: OwnLSA] = [:]
    /// The LSAs whose next instance must wait, and until when.
    var pending = DeadlineQueue<DatabaseKey>()
    private(set) var isStubRouter = false

    /// The links of our router-LSAs; one takes 16 octets.
    var links = StableFragments<LinkKey, RouterLSA.Link>(capacity: linkCapacity) { _ in 16 }
    /// The node's own IPv6 and IPv4 prefixes.
    var prefixes = PrefixOrigination(capacity: prefixCapacity, size: \.size)
    var ipv4Prefixes = PrefixOrigination(capacity: ipv4Capacity, size: \.sizeInIPv4)
    /// The prefixes of the links whose designated router we are or were, by interface index.
    var networkPrefixes: [UInt32: StableFragments<IPv6Prefix, LSAPrefix>] = [:]
    /// The imported prefixes.
    private(set) var externals: [IPv6Prefix: ExternalPrefix] = [:]
    /// The link state ID of each imported prefix, also of those that are not imported any more and whose LSA is still to be
    /// flushed. An ID is not used again for another prefix.
    var externalIDs: [IPv6Prefix: UInt32] = [:]
    private var nextExternalID: UInt32 = 0

    var nextDeadline: Instant? { [pending.first, prefixDeadline].compactMap(\.self).min() }

    /// Whether an LSA waits for its next instance, or a prefix to be announced.
    var isWaiting: Bool { pending.count > 0 || prefixes.isWaiting || ipv4Prefixes.isWaiting }

    /// When prefixes that wait, or that move to another LSA, need something to be done.
    private var prefixDeadline: Instant? { [prefixes.deadline, ipv4Prefixes.deadline].compactMap(\.self).min() }

    /// Whether any own LSA may have to be originated now.
    func isDue(at now: Instant) -> Bool {
        !changes.isEmpty || nextDeadline.map { $0 <= now } == true
    }

    /// The changes since the last call, and what is due now.
    mutating func takeChanges(at now: Instant) -> Changes {
        defer { changes = [] }
        return prefixDeadline.map { $0 <= now } == true ? changes.union(.prefixes) : changes
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
        ipv4Prefixes.wanted = wanted.filter { $0.key.ipv4 != nil }
        prefixes.wanted = wanted.filter { $0.key.ipv4 == nil }
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

    /// Link state IDs of an earlier run from this one on are not taken over. New IDs count on from the largest of the earlier
    /// run, so a forged LSA with an ID near 2³² would leave none.
    private static let earlierIDLimit: UInt32 = 1 << 24

    /// Takes over the link state IDs of imported prefixes from an earlier run. Prefixes that the earlier run did not import get
    /// IDs after its largest.
    mutating func adoptExternalIDs(_ earlier: [IPv6Prefix: UInt32]) {
        let earlier = earlier.filter { $0.value < Self.earlierIDLimit }
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

    /// Lets the sequence numbers of a new LSA start above those of its first sequence, which an earlier run may have used.
    mutating func expectLaterSequence(of key: DatabaseKey) {
        guard own[key] == nil else { return }
        own[key] = OwnLSA(key.lsa, body: nil)
        own[key]!.sequenceRestarts = 1
    }

    /// Forgets the link-local LSAs of an interface that is not in use any more.
    mutating func removeInterface(_ index: UInt32) {
        own = own.filter { $0.key.interface != index }
    }

    /// An empty distribution for the prefixes of a link whose designated router we are.
    static func networkFragments() -> StableFragments<IPv6Prefix, LSAPrefix> {
        StableFragments(capacity: prefixCapacity, size: \.size)
    }

    /// A flushed LSA of ours was removed from the database. If it is wanted, because only its sequence numbers were used up or
    /// because it is wanted again, a new sequence starts.
    mutating func removed(_ key: DatabaseKey) {
        guard let lsa = own[key] else { return }
        guard lsa.body != nil else { return own[key] = nil }
        own[key]!.sequenceRestarts = (lsa.sequenceRestarts + 1) & 0x7fff
        schedule(key, at: .zero)
    }

    /// Resets everything that belongs to the old router ID: nothing has been originated under the new one.
    mutating func restart() {
        own = [:]
        pending = DeadlineQueue()
        networkPrefixes = [:]
        prefixes.fragments.markAllChanged()
        ipv4Prefixes.fragments.markAllChanged()
        changes = [.interfaces, .prefixes, .externals, .identity]
    }

    /// Lets an LSA wait for its next origination, unless it waits already.
    mutating func schedule(_ key: DatabaseKey, at moment: Instant) {
        guard let known = own[key], known.pendingMoment.map({ moment < $0 }) ?? true else { return }
        own[key]!.pendingMoment = moment
        pending.insert(key, at: moment)
    }
}
