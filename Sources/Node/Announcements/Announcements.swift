internal import Addressing
public import OSPF

/// The prefixes that the node announces, and whether they may have changed.
public struct Announcements: Sendable {
    /// The prefixes, each once, in the order of precedence.
    public private(set) var prefixes: [AdvertisedPrefix] = []
    /// Grows whenever ``prefixes`` may have changed.
    public private(set) var version: UInt64 = 0
    /// Whether something other than the ledger may have changed the prefixes.
    private var isStale = false
    /// The version of the ledger that ``prefixes`` were composed from.
    private var ledgerVersion = AddressLedger.Version()
    /// The announcements that ``prefixes`` were made from. They may contain a prefix twice.
    private var composed: [AdvertisedPrefix] = []

    /// Notes that something other than the ledger may have changed the prefixes.
    mutating func invalidate() { isStale = true }

    /// Whether the prefixes were composed from this version of the ledger.
    func isCurrent(ledgerVersion: AddressLedger.Version) -> Bool { self.ledgerVersion == ledgerVersion }

    /// Whether the prefixes must be composed again, now that the ledger has this version. The caller composes them. This takes
    /// time in proportion to all prefixes. So while the ledger `isGrowing` (has more addresses to add), outcomes of additions
    /// wait until they are more than a quarter as many as the prefixes. Nothing else waits.
    mutating func takeStale(ledgerVersion: AddressLedger.Version, isGrowing: Bool) -> Bool {
        let placements = ledgerVersion.placements - self.ledgerVersion.placements
        let mayWait = placements <= (isGrowing ? UInt64(prefixes.count / 4) : 0)
        guard isStale || ledgerVersion.changes != self.ledgerVersion.changes || !mayWait else { return false }
        isStale = false
        self.ledgerVersion = ledgerVersion
        return true
    }

    /// Replaces the prefixes. Of several announcements of one prefix, the first counts. Returns whether the announcements have
    /// changed.
    mutating func update(_ composed: [AdvertisedPrefix]) -> Bool {
        guard self.composed != composed else { return false }
        self.composed = composed
        var seen: Set<IPv6Prefix> = []
        prefixes = composed.filter { seen.insert($0.prefix).inserted }
        version += 1
        return true
    }

    /// Gives this copy its own storage; see ``MeshNode/detach()``.
    mutating func detach() { prefixes.detach() }
}
