import Addressing
import OSPFPacket
internal import Timing

/// Route calculation after changes of the database.
extension Router {
    /// Something that shortest paths depend on has changed: links in the database, or a neighbor of ours.
    mutating func topologyChanged(at now: Instant) { spfDelay.changed(at: now) }

    /// When the next calculation is due; `nil` if nothing changed. If only prefixes changed, no shortest paths are needed, and
    /// the calculation waits only for ``calculationPauseEnd``.
    var calculationDeadline: Instant? {
        (spfDelay.deadline ?? (prefixesChanged ? .zero : nil)).map { max($0, calculationPauseEnd) }
    }

    /// The pause after a calculation, per step of its work: about as long as a step takes. The router has no clock to measure
    /// the time with.
    private static let pausePerStep = Duration.nanoseconds(50)
    /// The longest pause, so that routes follow a change within about a second however large the database.
    private static let maximumPause = Duration.seconds(1)

    /// Calculates now, and reports what is different.
    mutating func calculateRoutes(at now: Instant) {
        prefixesChanged = false
        spfDelay.popDue(at: now)
        statistics.routeCalculations += 1
        let update = calculation.run(
            root: routerID, neighbors: usableNeighbors, maximumPaths: configuration.maximumPaths,
            findsAlternates: configuration.fastReroute)
        calculationPauseEnd = now + min(Self.maximumPause, Self.pausePerStep * calculation.lastWork)
        notifyDuplicatePrefixes()
        if calculation.prefixes.hasRefused { refuse(because: .prefixes, at: now) } else { limits.end(.prefixes) }
        let changes = uncalculatedChanges
        uncalculatedChanges = DatabaseChanges()
        guard !update.isEmpty else { return }
        calculatedChanges = changes
        routeTable.apply(update)
        effects.append(.routes(update))
    }

    private var usableNeighbors: [UsableNeighbor] {
        interfaces.flatMap { interface in
            interface.neighbors.filter(interface.isUsable).map {
                UsableNeighbor(
                    interface: interface.index, routerID: $0.routerID, interfaceID: $0.interfaceID,
                    address: $0.address)
            }
        }
    }

    /// Sends a notice for each prefix that several routers claim, when that begins or the routers change.
    private mutating func notifyDuplicatePrefixes() {
        let found = calculation.duplicatePrefixes()
        guard found != notifiedDuplicatePrefixes else { return }
        for duplicate in found where !notifiedDuplicatePrefixes.contains(duplicate) {
            notify(.duplicatePrefix(duplicate.prefix, routers: duplicate.routers))
        }
        notifiedDuplicatePrefixes = found
    }
}
