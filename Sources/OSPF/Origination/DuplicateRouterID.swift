public import Addressing
import OSPFPacket
public import Timing

/// Signs that another router has this router's ID (RFC 7503 §7).
struct DuplicateDetection: Sendable {
    /// If newer instances of our own LSAs keep arriving, another router originates them. LSAs of an earlier run of this
    /// router are replaced by a few instances within seconds. So five in a minute indicate another router only if they
    /// continue for some time.
    static let window = Duration.seconds(60)
    static let patience = (count: 5, time: Duration.seconds(15))

    /// Whether to choose another router ID after the current event has been processed.
    var mustYield = false
    /// Limits how often the router ID may be changed.
    private(set) var backoff = YieldBackoff()
    /// When a packet from a neighbor with our ID was first received, by interface index.
    var neighborSeen: [UInt32: Instant] = [:]
    /// When another router with our ID was last detected.
    var lastSeen: Instant?
    /// When the last notice about a duplicate that was detected by its LSAs was sent.
    var distantNotified: Instant?
    /// When our own auto-configuration-LSA was last received with another fingerprint.
    var otherFingerprintSeen: Instant?
    /// When the current window of replaced router-LSAs started, and their number.
    var replacedRouterLSAs: (since: Instant, count: Int)?

    /// Router IDs of other routers whose fingerprint changed, with the number of changes and the time of the last one.
    private var changes: [RouterID: FingerprintChanges] = [:]

    private struct FingerprintChanges: Sendable {
        var count: Int
        var last: Instant
    }

    /// Two routers with one ID overwrite each other's LSAs in every database, so the fingerprint changes back and forth. A
    /// machine that was replaced changes it once.
    private static let changesOfDuplicates = 3
    /// The maximum number of router IDs that are counted.
    private static let maximumCounted = 64

    /// Another router's fingerprint has changed.
    mutating func fingerprintChanged(_ router: RouterID, at now: Instant) {
        if let known = changes[router], now - known.last < Self.window {
            changes[router] = FingerprintChanges(count: known.count + 1, last: now)
            return
        }
        if changes.count >= Self.maximumCounted { changes = changes.filter { now - $0.value.last < Self.window } }
        if changes.count < Self.maximumCounted { changes[router] = FingerprintChanges(count: 1, last: now) }
    }

    /// The router IDs, other than ours, that several routers use, ascending.
    func others(at now: Instant) -> [RouterID] {
        changes.filter { $0.value.count >= Self.changesOfDuplicates && now - $0.value.last < Self.window }.keys.sorted()
    }

    /// The router ID was changed. Removes everything recorded about the old one, except for the back-off.
    mutating func yielded(at now: Instant) {
        var backoff = backoff
        backoff.yielded(at: now)
        self = DuplicateDetection()
        self.backoff = backoff
    }
}

extension Router {
    /// A packet with our own router ID was received. Unless it is our own packet, its sender is a duplicate: the router
    /// with the smaller link-local address changes its ID (§7.1). A configured ID is not changed. If a neighbor that
    /// should change its ID does not do so within three dead intervals, this router changes its own.
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
        if weYield { duplicates.mustYield = true }
    }

    /// An LSA of ours was received that is newer than what we have sent. Routers that implement RFC 7503 identify
    /// themselves in an auto-configuration-LSA: the router with the smaller fingerprint changes its ID (§7.2). Other
    /// routers are detected because they continue to originate newer instances.
    mutating func checkForDuplicate(_ lsa: LSA, at now: Instant) {
        var isDuplicate = false
        var weShouldYield = true
        if let theirs = fingerprint(in: lsa), configuration.announcesFingerprint {
            guard theirs != configuration.hardwareFingerprint else { return }
            // The first one may be from an earlier run of this router whose state was lost. We replace it. Only another
            // router responds with a newer instance.
            isDuplicate = duplicates.otherFingerprintSeen.map { now - $0 < DuplicateDetection.window } ?? false
            duplicates.otherFingerprintSeen = now
            weShouldYield = configuration.hardwareFingerprint.lexicographicallyPrecedes(theirs)
        } else if lsa.key.type == .router {
            if let replacedRouterLSAs = duplicates.replacedRouterLSAs,
                now - replacedRouterLSAs.since < DuplicateDetection.window
            {
                duplicates.replacedRouterLSAs!.count += 1
            } else {
                duplicates.replacedRouterLSAs = (now, 1)
            }
            let (since, count) = duplicates.replacedRouterLSAs!
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
        if weYield { duplicates.mustYield = true }
    }

    /// The contents of an LSA have changed. The only content of an auto-configuration-LSA is the fingerprint.
    mutating func noteFingerprintChange(in key: LSAKey, at now: Instant) {
        guard key.type == .autoConfiguration, key.advertisingRouter != routerID else { return }
        duplicates.fingerprintChanged(key.advertisingRouter, at: now)
    }

    /// Whether a neighbor on an interface has our router ID. It is not a neighbor for the protocol.
    public func hasNeighborWithOurRouterID(on interface: UInt32) -> Bool { duplicates.neighborSeen[interface] != nil }

    /// Router IDs that several other routers of the mesh have (RFC 7503 §7.2), ascending.
    public func duplicateRouterIDsOfOthers(at now: Instant) -> [RouterID] { duplicates.others(at: now) }

    private func fingerprint(in lsa: LSA) -> [UInt8]? {
        guard lsa.key.type == .autoConfiguration, lsa.age < LSAHeader.maxAge,
            case .autoConfiguration(let body)? = try? lsa.body()
        else { return nil }
        return body.hardwareFingerprint
    }

    /// Changes the router ID and restarts: removes all neighbors and the database.
    mutating func resolveDuplicate(at now: Instant) {
        guard duplicates.mustYield else { return }
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
