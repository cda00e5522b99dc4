internal import OSPF
internal import Timing

/// How often an address stopped being wanted lately. One that comes and goes would have this node say the same LSA again and
/// again, and be slowed down with all that stands in it; so the more restless it is, the longer it has to stay before it is
/// announced as others are. That it goes is never held back.
struct FlapDamping: Hashable, Sendable {
    /// So often an address may go without any consequence.
    private static let free = 2
    /// Whoever has not gone for so long begins anew.
    static let calm = Duration.seconds(30)
    /// Long enough for the LSA not to be slowed down (`OriginationThrottle`).
    private static let shortest = Duration.seconds(2)
    /// Less than ``calm``, lest holding an address back makes it calm.
    private static let longest = Duration.seconds(20)

    private var flaps = 0
    private var last = Instant.zero

    /// It is wanted no more, or less.
    mutating func note(at now: Instant) {
        flaps = isOver(at: now) ? 1 : min(flaps + 1, 16)
        last = now
    }

    /// Until when it is to be the last resort, if it is wanted again.
    var end: Instant {
        flaps <= Self.free ? last : last + min(Self.longest, Self.shortest * (1 << (flaps - Self.free - 1)))
    }

    /// Whether nothing of it counts any more.
    func isOver(at now: Instant) -> Bool { flaps == 0 || now - last >= Self.calm }
}
