public import Addressing
import OSPFPacket
public import Timing

/// Signs that another router has this router's ID (RFC 7503 §7), or that others share one.
struct DuplicateDetection: Sendable {
    /// If newer instances of our own LSAs keep arriving, another router originates them. LSAs of an earlier run of this
    /// router arrive too, but within seconds. So another router is there if, within a window, at least `threshold.count`
    /// newer instances of our router-LSA arrive, and the last at least `threshold.time` after the first.
    static let window = Duration.seconds(60)
    static let threshold = (count: 5, time: Duration.seconds(15))

    /// Whether to choose another router ID after the current event has been processed.
    var mustYield = false
    /// Limits how often the router ID may be changed.
    private(set) var backoff = YieldBackoff()
    /// When a packet from another router with our ID was first received on an interface since it came up, by the interface's
    /// index.
    var neighborSeen: [UInt32: Instant] = [:]
    /// When another router with our ID was last detected, on a link or by its LSAs.
    var lastSeen: Instant?
    /// When the last notice about a duplicate that was detected by its LSAs was sent.
    var distantNotified: Instant?
    /// When our own auto-configuration-LSA was last received with another fingerprint.
    var otherFingerprintSeen: Instant?
    /// When the last window started, and the number of newer instances of our router-LSA that were received in it.
    var newerRouterLSAs: (since: Instant, count: Int)?

    /// The other routers whose fingerprint has changed, by router ID.
    private var changes: [RouterID: FingerprintChanges] = [:]

    /// The number of changes with less than ``window`` between them, and the time of the last one.
    private struct FingerprintChanges: Sendable {
        var count: Int
        var last: Instant
    }

    /// The number of changes that show two routers with one ID: they overwrite each other's LSAs in every database, so the
    /// fingerprint changes back and forth. When a machine is replaced, it changes once.
    private static let changesOfDuplicates = 3
    /// The maximum number of router IDs in ``changes``, because LSAs can be forged.
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

    /// The router IDs, other than ours, that several routers use, in order.
    func others(at now: Instant) -> [RouterID] {
        changes.filter { $0.value.count >= Self.changesOfDuplicates && now - $0.value.last < Self.window }.keys.sorted()
    }

    /// The router ID was changed. Removes all records except ``backoff``, which counts the change.
    mutating func yielded(at now: Instant) {
        var backoff = backoff
        backoff.yielded(at: now)
        self = DuplicateDetection()
        self.backoff = backoff
    }
}

extension Router {
    /// A packet with our own router ID was received. Unless it is from an interface of ours, its sender is a duplicate: the
    /// router with the smaller link-local address changes its ID (§7.1). A configured ID is not changed. If the sender should
    /// change its ID and has not done so three dead intervals after its first packet, its ID seems to be configured: this
    /// router changes its own.
    mutating func receivedOwnRouterID(from source: IPv6Address, on index: UInt32, at now: Instant) {
        guard !interfaces.contains(where: { $0.configuration.linkLocalAddress == source }) else { return }
        duplicates.lastSeen = now
        let interface = interfaces[index].configuration
        let first = duplicates.neighborSeen[interface.index]
        let weYield =
            configuration.routerIDIsDerived && duplicates.backoff.mayYield(at: now)
            && (interface.linkLocalAddress < source || first.map { now - $0 > interface.deadInterval * 3 } == true)
        if first == nil { duplicates.neighborSeen[interface.index] = now }
        // One notice for each interface, and always one when we change our ID.
        if first == nil || weYield, !duplicates.mustYield {
            notify(.duplicateRouterID(routerID, seenOn: interface.index, weYield: weYield))
        }
        if weYield { duplicates.mustYield = true }
    }

    /// An LSA with our router ID was received that is newer than ours, or of which we have none. If two routers with one ID
    /// both announce fingerprints in auto-configuration-LSAs, the one with the smaller fingerprint should change its ID
    /// (RFC 7503 §7.2). With or without a fingerprint, a router that keeps originating newer instances of our router-LSA is a
    /// duplicate; then this router should change its ID.
    mutating func checkForDuplicate(_ lsa: LSA, at now: Instant) {
        var isDuplicate = false
        var weShouldYield = true
        if let theirs = fingerprint(in: lsa), configuration.announcesFingerprint {
            guard theirs != configuration.hardwareFingerprint else { return }
            // The first LSA with another fingerprint may be from an earlier run of this router whose state was lost. We
            // replace it, and only another router would respond with a newer instance.
            isDuplicate = duplicates.otherFingerprintSeen.map { now - $0 < DuplicateDetection.window } ?? false
            duplicates.otherFingerprintSeen = now
            weShouldYield = configuration.hardwareFingerprint.lexicographicallyPrecedes(theirs)
        } else if lsa.key.type == .router {
            if let newerRouterLSAs = duplicates.newerRouterLSAs,
                now - newerRouterLSAs.since < DuplicateDetection.window
            {
                duplicates.newerRouterLSAs!.count += 1
            } else {
                duplicates.newerRouterLSAs = (now, 1)
            }
            let (since, count) = duplicates.newerRouterLSAs!
            isDuplicate =
                count >= DuplicateDetection.threshold.count && now - since >= DuplicateDetection.threshold.time
        }
        guard isDuplicate else { return }
        duplicates.lastSeen = now
        let weYield = configuration.routerIDIsDerived && weShouldYield && duplicates.backoff.mayYield(at: now)
        // One notice per window, but always one when we change our ID.
        if weYield || duplicates.distantNotified.map({ now - $0 > DuplicateDetection.window }) != false {
            duplicates.distantNotified = now
            notify(.duplicateRouterID(routerID, seenOn: nil, weYield: weYield))
        }
        if weYield { duplicates.mustYield = true }
    }

    /// The body of an LSA has changed. If that is the auto-configuration-LSA of another router, a change of any TLV counts as
    /// a change of the fingerprint: RFC 7503 defines no other TLV.
    mutating func noteFingerprintChange(in key: LSAKey, at now: Instant) {
        guard key.type == .autoConfiguration, key.advertisingRouter != routerID else { return }
        duplicates.fingerprintChanged(key.advertisingRouter, at: now)
    }

    /// Whether a router with our router ID was heard on an interface since it came up. Such a router does not become a
    /// neighbor.
    public func hasNeighborWithOurRouterID(on interface: UInt32) -> Bool { duplicates.neighborSeen[interface] != nil }

    /// Router IDs that several other routers of the mesh have (RFC 7503 §7.2), in order.
    public func duplicateRouterIDsOfOthers(at now: Instant) -> [RouterID] { duplicates.others(at: now) }

    private func fingerprint(in lsa: LSA) -> [UInt8]? {
        guard lsa.key.type == .autoConfiguration, lsa.age < LSAHeader.maxAge,
            case .autoConfiguration(let body)? = try? lsa.body()
        else { return nil }
        return body.hardwareFingerprint
    }

    /// If the router ID must change, changes it and restarts: removes all neighbors and LSAs.
    mutating func resolveDuplicate(at now: Instant) {
        guard duplicates.mustYield else { return }
        let interfaces = self.interfaces.map(\.configuration)
        for interface in interfaces { interfaceDown(interface.index, reason: .replaced, at: now) }
        // The new ID must not be one of these.
        let known = Set(database.entries.keys.map(\.lsa.advertisingRouter))
        for key in database.entries.keys.sorted() { removeLSA(key, at: now) }
        aging = DeadlineQueue()
        origination.restart()
        resumption = nil
        graceEnd = nil
        duplicates.yielded(at: now)
        repeat {
            configuration.routerID = RouterID(UInt32(truncatingIfNeeded: random.next()))
        } while configuration.routerID == .none || known.contains(configuration.routerID)
        effects.append(.routerIDChanged(routerID))
        for interface in interfaces { interfaceUp(interface, at: now) }
    }
}
