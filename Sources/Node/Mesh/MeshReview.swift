internal import Timing

/// When the mesh as a whole was last reviewed, and its state then. A review takes time in proportion to the mesh.
struct MeshReview: Sendable {
    /// What a review depends on, in short: the sum of the checksums of all LSAs of area and AS scope, the number of route
    /// calculations, and whether this node may assign itself IPv4 ranges.
    struct Digest: Hashable, Sendable {
        var checksum: UInt32
        var calculations: UInt64
        var isSynchronized: Bool
    }

    /// The conflicts about the node's own addresses and its VIPs, as text.
    var claims: [String] = []
    /// What the last review saw, and when it was.
    private var seen: (digest: Digest, moment: Instant)?
    private var mustReview = false
    /// When the next review is due even if nothing changes; `nil` if none is.
    private(set) var deadline: Instant?

    /// The minimum time from a review to the next, unless that is requested (``invalidate()``): one change of the mesh brings
    /// many LSAs within milliseconds.
    private static let interval = Duration.milliseconds(200)

    /// Requests a review, which is due at once.
    mutating func invalidate() { mustReview = true }

    /// Whether the last review saw this state, and no further review is requested.
    func hasSeen(_ digest: Digest) -> Bool { !mustReview && seen?.digest == digest }

    /// Whether a review is due; the caller then does it. One that comes too soon after the last is due at ``deadline``.
    mutating func isDue(_ digest: Digest, at now: Instant) -> Bool {
        if let seen, !mustReview {
            guard digest != seen.digest || deadline.map({ $0 <= now }) == true else { return false }
            let next = seen.moment + Self.interval
            guard next <= now else {
                deadline = next
                return false
            }
        }
        seen = (digest, now)
        mustReview = false
        deadline = nil
        return true
    }

    /// Makes a review due at this time at the latest.
    mutating func reviewAgain(at moment: Instant?) {
        guard let moment else { return }
        deadline = deadline.map { min($0, moment) } ?? moment
    }
}
