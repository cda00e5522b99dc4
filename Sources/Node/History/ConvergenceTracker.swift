internal import Addressing
internal import OSPF
internal import Timing

/// The change of routes that is under way. What it notes is cheap: nothing may delay the kernel's routes. Texts are made at the end.
struct ConvergenceTracker: Sendable {
    /// A destination with other next hops.
    struct Move: Sendable {
        /// Its announcers: one, or several of a shared address.
        var announcers: [RouterID]
        var isShared: Bool
        /// What moves: all prefixes of a destination, or one that other nodes announce now.
        var subject: Subject
        var nextHops: [NextHop]

        enum Subject: Sendable {
            case destination(DestinationID)
            case prefix(IPv6Prefix)
        }

        init(_ destination: Destination, _ subject: Subject) {
            announcers = destination.announcers
            isShared = destination.isAnycast || announcers.count > 1
            self.subject = subject
            nextHops = destination.nextHops
        }
    }

    struct Draft: Sendable {
        var number: UInt64
        var began: Instant
        var calculated: Instant
        var calculations = 0
        var changes: [DatabaseChange] = []
        var changeCount = 0
        var moves: [Move] = []
        var moveCount = 0
        var lost: [IPv6Prefix] = []
        var lostCount = 0
        var gained: [IPv6Prefix] = []
        var gainedCount = 0

        /// How many changes, moves and prefixes are kept; the others are counted.
        private static let most = 64

        mutating func note(_ found: DatabaseChanges) {
            changeCount += found.count
            changes += found.listed.prefix(Self.most - changes.count)
        }

        mutating func note(_ move: Move) {
            moveCount += 1
            if moves.count < Self.most { moves.append(move) }
        }

        mutating func noteLost(_ prefix: IPv6Prefix) {
            lostCount += 1
            if lost.count < Self.most { lost.append(prefix) }
        }

        mutating func noteGained(_ prefix: IPv6Prefix) {
            gainedCount += 1
            if gained.count < Self.most { gained.append(prefix) }
        }

        /// Whether routes have changed, and not only their backups or metrics.
        var hasChanges: Bool { moveCount + lostCount + gainedCount > 0 }
    }

    private(set) var current: Draft?
    private var count: UInt64 = 0

    /// Routes were calculated and have changed: begins a convergence, or continues the one under way.
    mutating func calculated(_ found: DatabaseChanges, at now: Instant, _ note: (inout Draft) -> Void) {
        let began = found.listed.map(\.moment).min() ?? now
        var draft = current ?? Draft(number: count + 1, began: began, calculated: now)
        draft.calculated = now
        draft.calculations += 1
        note(&draft)
        guard draft.hasChanges else { return }
        draft.note(found)
        count = draft.number
        current = draft
    }

    /// The kernel has all routes.
    mutating func finish() { current = nil }
}
