import Addressing
import OSPFPacket
internal import Timing

/// Identifies an LSA in the database. Link-local LSAs belong to one interface.
struct DatabaseKey: Hashable, Sendable, Comparable {
    /// The interface of a link-local LSA, else 0.
    var interface: UInt32
    var lsa: LSAKey

    init(interface: UInt32, lsa: LSAKey) {
        self.interface = interface
        self.lsa = lsa
    }

    /// The key of an LSA on the link of an interface. LSAs of unknown types without the U-bit have link-local scope
    /// (RFC 5340 §4.5.1).
    init(_ key: LSAKey, on interface: UInt32) {
        let isLocal = key.type.scope == .linkLocal || !key.type.isFloodedWhenUnknown && !key.type.isKnown
        self.init(interface: isLocal ? interface : 0, lsa: key)
    }

    static func < (left: DatabaseKey, right: DatabaseKey) -> Bool {
        left.lsa != right.lsa ? left.lsa < right.lsa : left.interface < right.interface
    }
}

/// The link-state database: every LSA known, of all scopes (RFC 5340 §4.4.2). Ages are not counted up but derived from the
/// moment of installation.
struct LinkStateDatabase: Sendable {
    struct Entry: Sendable {
        /// The LSA with the age it had when installed.
        var lsa: LSA
        var installed: Instant
        /// The number of neighbors that must acknowledge this instance: how many retransmission lists have the LSA.
        var unacknowledged = 0
        /// The number of instances in a row, this one the last, that each arrived less than MinLSArrival after the one before.
        var arrivalBurst = 0

        /// When this instance was last sent to a neighbor that had an older one.
        var lastReply: Instant?

        func age(at now: Instant) -> UInt16 {
            let seconds = (now - installed).components.seconds
            return UInt16(min(Int64(LSAHeader.maxAge), Int64(lsa.age) + max(0, seconds)))
        }

        /// The header with the age at `now`.
        func header(at now: Instant) -> LSAHeader {
            var header = lsa.header
            header.age = age(at: now)
            return header
        }

        /// When the LSA has an age of `age` seconds.
        func moment(ofAge age: UInt16) -> Instant {
            installed + .seconds(Int64(age) - Int64(lsa.age))
        }
    }

    private(set) var entries: [DatabaseKey: Entry] = [:]

    /// Copies the storage if another database shares it; see `Detach.swift` in `Addressing`.
    mutating func detach() { entries.detach() }

    /// The size of all LSAs together in octets.
    private(set) var octetCount = 0
    /// The sum of the checksums of the LSAs that are not link-local, which is commonly used to compare databases.
    private(set) var checksumSum: UInt32 = 0
    /// LSAs that were installed at MaxAge, so flushed, and wait to be removed.
    private(set) var maxAged: Set<DatabaseKey> = []

    subscript(key: DatabaseKey) -> Entry? { entries[key] }

    /// Installs an instance, in place of an older one if there is one. The caller must have removed the older one from all
    /// retransmission lists.
    mutating func install(_ lsa: LSA, for key: DatabaseKey, at now: Instant, arrivalBurst: Int = 0) {
        if let old = entries[key] {
            assert(old.unacknowledged == 0)
            subtract(old, for: key)
        }
        octetCount += lsa.octets.count
        if key.interface == 0 { checksumSum &+= UInt32(lsa.header.checksum) }
        if lsa.age >= LSAHeader.maxAge { maxAged.insert(key) }
        entries[key] = Entry(lsa: lsa, installed: now, arrivalBurst: arrivalBurst)
    }

    mutating func remove(_ key: DatabaseKey) {
        guard let old = entries.removeValue(forKey: key) else { return }
        subtract(old, for: key)
    }

    /// Subtracts an LSA from the sums, and removes it from ``maxAged``.
    private mutating func subtract(_ entry: Entry, for key: DatabaseKey) {
        octetCount -= entry.lsa.octets.count
        if key.interface == 0 { checksumSum &-= UInt32(entry.lsa.header.checksum) }
        maxAged.remove(key)
    }

    mutating func recordReply(_ key: DatabaseKey, at now: Instant) { entries[key]?.lastReply = now }

    /// Changes the number of neighbors that have not acknowledged the installed instance.
    mutating func adjustUnacknowledged(_ key: DatabaseKey, by difference: Int) {
        entries[key]?.unacknowledged += difference
        assert((entries[key]?.unacknowledged ?? 0) >= 0)
    }
}
