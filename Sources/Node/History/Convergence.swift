public import Timing

/// A change of routes, from what caused it to the kernel's last acknowledgment.
public struct Convergence: Sendable {
    /// Destinations with new next hops.
    public struct Move: Hashable, Sendable {
        /// Nodes, and prefixes that several nodes announce.
        public var destinations: [String]
        /// The neighbors that packets are sent to now.
        public var neighbors: [String]
    }

    /// The number of the convergence since the node started, from 1.
    public var number: UInt64
    /// When the first change arrived or was found here.
    public var began: Instant
    /// When the routes were calculated last.
    public var calculated: Instant
    /// When the kernel had all routes.
    public var installed: Instant
    /// The number of calculations.
    public var calculations: Int
    /// What has changed in the database, as text, at most ``mostTexts``; and the number of changed LSAs.
    public var causes: [String] = []
    public var causeCount = 0
    /// What goes another way now, at most ``mostTexts``; and the number of such destinations.
    public var moves: [Move] = []
    public var movedCount = 0
    /// Nodes and prefixes that are reached no more, and that are reached now and were not before: at most ``mostTexts`` of each;
    /// and the numbers of prefixes.
    public var lost: [String] = []
    public var lostCount = 0
    public var gained: [String] = []
    public var gainedCount = 0

    /// The length of each list at most.
    public static let mostTexts = 16

    /// The time from the first change until the kernel had all routes, in seconds, to microseconds.
    public var secondsText: String {
        let microseconds = (installed - began).nanoseconds / 1000
        let rest = String(microseconds % 1_000_000)
        return "\(microseconds / 1_000_000)." + String(repeating: "0", count: 6 - rest.count) + rest
    }

    /// The convergence as a line.
    public var text: String {
        var parts: [String] = []
        func list(_ texts: [String], of count: Int) -> String {
            let shown = texts.prefix(4).joined(separator: ", ")
            let rest = max(count, texts.count) - min(texts.count, 4)
            return rest > 0 ? "\(shown) and \(rest) more" : shown
        }
        if !lost.isEmpty { parts.append("no route any more to \(list(lost, of: lost.count))") }
        if !gained.isEmpty { parts.append("new routes to \(list(gained, of: gained.count))") }
        for move in moves.prefix(3) {
            parts.append(
                "\(list(move.destinations, of: move.destinations.count)) by way of "
                    + move.neighbors.joined(separator: ", "))
        }
        if parts.isEmpty { parts.append("routes changed") }
        let cause = causes.isEmpty ? "a neighbor or port of this node" : list(causes, of: causeCount)
        return parts.joined(separator: "; ") + "; cause: " + cause
    }
}
