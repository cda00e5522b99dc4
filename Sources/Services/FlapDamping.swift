internal import OSPF
internal import Timing

/// Damping of a service address whose endpoints come and go. Without damping, this node would announce it again each time, until
/// the router delays that (`PrefixOrigination`), and connections would break each time. The more often the address flaps,
/// the longer it has to be stable before it is announced at its normal metric. Damping delays no withdrawal.
struct FlapDamping: Hashable, Sendable {
    /// The number of flaps that have no consequence: a service that restarts once or twice is announced again at once.
    private static let free = 2
    /// The time without a flap after which the count starts again.
    static let memory = Duration.seconds(30)
    /// The shortest damping: long enough that the router adds no delay (`PrefixOrigination`).
    private static let shortest = Duration.seconds(2)
    /// The longest damping: less than ``memory``, otherwise damping itself would end the count.
    private static let longest = Duration.seconds(20)

    /// The number of flaps with less than ``memory`` between them, counted up to 16; the seventh already has the longest
    /// damping.
    private var flaps = 0
    /// The time of the last flap.
    private var last = Instant.zero

    /// Counts a flap: the demand for the address ended or became weaker.
    mutating func note(at now: Instant) {
        flaps = isOver(at: now) ? 1 : min(flaps + 1, 16)
        last = now
    }

    /// The time until which the address is last resort if there is demand for its normal metric again.
    var end: Instant {
        flaps <= Self.free ? last : last + min(Self.longest, Self.shortest * (1 << (flaps - Self.free - 1)))
    }

    /// Whether the time without a flap is long enough that the count starts again.
    func isOver(at now: Instant) -> Bool { flaps == 0 || now - last >= Self.memory }
}
