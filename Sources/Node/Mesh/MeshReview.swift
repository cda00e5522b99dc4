internal import Timing

/// When the mesh as a whole was last looked at, which takes as long as it is large, and what it said then.
struct MeshReview: Sendable {
    /// What tells whether the mesh says something new.
    struct Digest: Hashable, Sendable {
        var checksum: UInt32
        var calculations: UInt64
        var isSynchronized: Bool
    }

    /// Who else claims the node's own addresses, in words.
    var claims: [String] = []
    private var seen: (digest: Digest, moment: Instant)?
    private var mustLook = false
    /// When to look again although nothing is new.
    private(set) var deadline: Instant?

    /// The time between two looks while the mesh changes all the time.
    private static let distance = Duration.milliseconds(200)

    /// Has the mesh looked at again at once.
    mutating func invalidate() { mustLook = true }

    /// Whether to look now.
    mutating func isDue(_ digest: Digest, at now: Instant) -> Bool {
        if let seen, !mustLook {
            guard digest != seen.digest || deadline.map({ $0 <= now }) == true else { return false }
            let next = seen.moment + Self.distance
            guard next <= now else {
                deadline = next
                return false
            }
        }
        seen = (digest, now)
        mustLook = false
        deadline = nil
        return true
    }

    /// Looks again at a moment, at the latest.
    mutating func lookAgain(_ moment: Instant?) {
        guard let moment else { return }
        deadline = deadline.map { min($0, moment) } ?? moment
    }
}
