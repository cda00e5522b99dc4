internal import Addressing
internal import Liveness
internal import OSPF
internal import Timing

/// How good the cables of the node are, by port.
public struct QualityTable: Sendable {
    var cables: [UInt32: CableQuality] = [:]
    /// Whether something was noted that has not been looked at.
    private var hasNews = false
    /// The number of changes of costs, and when the next may be: all changes together are at most one per ``pause``, because each
    /// is a new router-LSA for the whole mesh.
    public internal(set) var costChanges: UInt64 = 0
    var nextCostChange = Instant.zero
    /// Whether a change of a cost waits for ``nextCostChange``.
    var hasWaitingChange = false
    /// The ports that were last watched by ``NodeEffect/watchPorts(_:)``.
    var watchedPorts: [UInt32] = []

    static let pause = Duration.seconds(5)
    static let mostCables = 256

    init() {}

    /// When there is something to look at; `.zero` is at once.
    var nextDeadline: Instant? {
        if hasNews { return .zero }
        var earliest = cables.values.lazy.compactMap(\.deadline).min()
        if hasWaitingChange { earliest = earliest.map { min($0, nextCostChange) } ?? nextCostChange }
        return earliest
    }

    /// Whether a port may become avoided, or may no longer be, without anything new happening.
    public var mayChange: Bool { hasNews || hasWaitingChange || cables.values.contains(where: \.mayChange) }

    /// Changes what is known of the cable of a port.
    mutating func update(_ port: UInt32, _ change: (inout CableQuality) -> Void) {
        guard cables[port] != nil || cables.count < Self.mostCables else { return }
        change(&cables[port, default: CableQuality()])
        hasNews = true
    }

    mutating func forget(_ port: UInt32) { cables[port] = nil }

    /// Brings all alarms up to date.
    mutating func advance(to now: Instant) {
        hasNews = false
        for port in cables.keys { cables[port]!.advance(to: now) }
    }

    /// Compares the round trip of each cable with the median of the others of its kind, if there are at least two. `kinds` says
    /// which ports are alike.
    mutating func compareRoundTrips(kinds: [UInt32: Int], at now: Instant) {
        var roundTrips: [Int: [(port: UInt32, roundTrip: Duration)]] = [:]
        for (port, cable) in cables {
            guard let kind = kinds[port], let roundTrip = cable.roundTrip else { continue }
            roundTrips[kind, default: []].append((port, roundTrip))
        }
        for list in roundTrips.values {
            let sorted = list.sorted { $0.roundTrip < $1.roundTrip }
            for (index, item) in sorted.enumerated() {
                // The median of those without this one.
                let place = (sorted.count - 1) / 2
                let other = sorted.count < 3 ? nil : sorted[place < index ? place : place + 1].roundTrip
                cables[item.port]!.compareRoundTrips(with: other, at: now)
            }
        }
    }

    /// The cost of a port that should be used only where there is no better way. The order of such ports is that of their own
    /// costs; it is below MaxLinkMetric, so that a drained router (RFC 6987) is still avoided more.
    public static func costToAvoid(_ cost: UInt16) -> UInt16 { max(cost, UInt16(min(65_534, 60_000 + Int(cost)))) }
}
