public import Addressing
import OSPFPacket
public import Timing

/// Signs that another router has this router's ID (RFC 7503 §7).
struct DuplicateDetection: Sendable {
    /// What to do once the event in hand is through.
    enum Resolution: Hashable, Sendable {
        /// Take another ID.
        case yield(seenOn: UInt32?)
    }

    /// A router that keeps sending LSAs of ours newer than ours is another router. LSAs of earlier runs of ours are
    /// replaced by a few instances within seconds, so five in a minute count only if they continue for a while.
    static let window = Duration.seconds(60)
    static let patience = (count: 5, time: Duration.seconds(15))

    var resolution: Resolution?
    /// How often another ID may be taken.
    private(set) var backoff = YieldBackoff()
    /// When a neighbor with our ID was first heard, by interface.
    var neighborSeen: [UInt32: Instant] = [:]
    /// When a sign of another router with our ID was last seen.
    var lastSeen: Instant?
    /// When the last notice about a distant duplicate was sent.
    var distantNotified: Instant?
    /// When our own auto-configuration-LSA was last received with another fingerprint.
    var otherFingerprintSeen: Instant?
    /// When the current window of replaced router-LSAs started, and their number.
    var outlived: (since: Instant, count: Int)?

    /// Router IDs of others whose fingerprint changed, with how often and when.
    private var changes: [RouterID: FingerprintChanges] = [:]

    private struct FingerprintChanges: Sendable {
        var count: Int
        var last: Instant
    }

    /// Two routers with one ID overwrite each other's LSAs in every database, so the fingerprint changes back and forth. A
    /// machine that was replaced changes it once.
    private static let changesOfDuplicates = 3
    /// The maximum number of router IDs that are counted.
    private static let mostChanging = 64

    /// Another router's fingerprint has changed.
    mutating func fingerprintChanged(_ router: RouterID, at now: Instant) {
        if let known = changes[router], now - known.last < Self.window {
            changes[router] = FingerprintChanges(count: known.count + 1, last: now)
            return
        }
        if changes.count >= Self.mostChanging { changes = changes.filter { now - $0.value.last < Self.window } }
        if changes.count < Self.mostChanging { changes[router] = FingerprintChanges(count: 1, last: now) }
    }

    /// The IDs that several other routers have.
    func others(at now: Instant) -> [RouterID] {
        changes.filter { $0.value.count >= Self.changesOfDuplicates && now - $0.value.last < Self.window }.keys.sorted()
    }

    /// Another ID was taken: everything noted about the old one is removed.
    mutating func yielded(at now: Instant) {
        var backoff = backoff
        backoff.yielded(at: now)
        self = DuplicateDetection()
        self.backoff = backoff
    }
}

extension Router {
    /// A packet with our own router ID was received. Unless it is our own packet, the neighbor at that address is a
    /// duplicate: the smaller link-local address takes another ID (§7.1); a configured ID stays. If a neighbor that
    /// should yield does not, this router yields in the end.
    mutating func receivedOwnRouterID(from source: IPv6Address, on index: UInt32, at now: Instant) {
        guard !interfaces.contains(where: { $0.configuration.linkLocalAddress == source }) else { return }
        duplicates.lastSeen = now
        let interface = interfaces[index].configuration
        let first = duplicates.neighborSeen[interface.index]
        let weYield =
            configuration.routerIDIsDerived && duplicates.backoff.mayYield(at: now)
            && (interface.linkLocalAddress < source || first.map { now - $0 > interface.deadInterval * 3 } == true)
        if first == nil {
            duplicates.neighborSeen[interface.index] = now
            notify(.duplicateRouterID(routerID, seenOn: interface.index, weYield: weYield))
        }
        if weYield { duplicates.resolution = .yield(seenOn: interface.index) }
    }

    /// An LSA of ours, newer than what we have sent, came in. Routers of our kind say who they are in an
    /// auto-configuration-LSA: the smaller fingerprint takes another ID (§7.2). Others show themselves by never
    /// giving up.
    mutating func checkForDuplicate(_ lsa: LSA, at now: Instant) {
        var isDuplicate = false
        var weShouldYield = true
        if let theirs = fingerprint(in: lsa), !configuration.hardwareFingerprint.isEmpty {
            guard theirs != configuration.hardwareFingerprint else { return }
            // The first one may be from an earlier run of this router whose state was lost. We replace it; only another
            // router answers with the next.
            isDuplicate = duplicates.otherFingerprintSeen.map { now - $0 < DuplicateDetection.window } ?? false
            duplicates.otherFingerprintSeen = now
            weShouldYield = configuration.hardwareFingerprint.lexicographicallyPrecedes(theirs)
        } else if lsa.key.type == .router {
            if let outlived = duplicates.outlived, now - outlived.since < DuplicateDetection.window {
                duplicates.outlived!.count += 1
            } else {
                duplicates.outlived = (now, 1)
            }
            let (since, count) = duplicates.outlived!
            isDuplicate =
                count >= DuplicateDetection.patience.count && now - since >= DuplicateDetection.patience.time
        }
        guard isDuplicate else { return }
        duplicates.lastSeen = now
        let weYield = configuration.routerIDIsDerived && weShouldYield && duplicates.backoff.mayYield(at: now)
        if weYield || duplicates.distantNotified.map({ now - $0 > DuplicateDetection.window }) != false {
            duplicates.distantNotified = now
            notify(.duplicateRouterID(routerID, seenOn: nil, weYield: weYield))
        }
        if weYield { duplicates.resolution = .yield(seenOn: nil) }
    }

    /// The contents of an LSA have changed; of an auto-configuration-LSA, the fingerprint is all there is.
    mutating func noteFingerprintChange(in key: LSAKey, at now: Instant) {
        guard key.type == .autoConfiguration, key.advertisingRouter != routerID else { return }
        duplicates.fingerprintChanged(key.advertisingRouter, at: now)
    }

    /// Router IDs that several other routers of the mesh have (RFC 7503 §7.2), ascending.
    public func duplicateRouterIDsOfOthers(at now: Instant) -> [RouterID] { duplicates.others(at: now) }

    private func fingerprint(in lsa: LSA) -> [UInt8]? {
        guard lsa.key.type == .autoConfiguration, lsa.age < LSAHeader.maxAge,
            case .autoConfiguration(let body)? = try? lsa.body()
        else { return nil }
        return body.hardwareFingerprint
    }

    /// Takes another router ID and restarts: neighbors and the database are removed.
    mutating func resolveDuplicate(at now: Instant) {
        guard case .yield? = duplicates.resolution else { return }
        let interfaces = self.interfaces.map(\.configuration)
        for interface in interfaces { interfaceDown(interface.index, reason: .replaced, at: now) }
        let known = Set(database.entries.keys.map(\.lsa.advertisingRouter))
        for key in database.entries.keys.sorted() { removeLSA(key, at: now) }
        aging = DeadlineQueue()
        origination.restart()
        resumption = nil
        duplicates.yielded(at: now)
        repeat {
            configuration.routerID = RouterID(UInt32(truncatingIfNeeded: random.next()))
        } while configuration.routerID == .none || known.contains(configuration.routerID)
        effects.append(.routerIDChanged(routerID))
        for interface in interfaces { interfaceUp(interface, at: now) }
    }
}
