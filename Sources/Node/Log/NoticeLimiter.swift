public import OSPF
public import Timing

/// Limits notices that other routers can cause at will: a few of a kind at once, then one per interval.
public struct NoticeLimiter: Sendable {
    /// What to do with a notice.
    public enum Verdict: Hashable, Sendable {
        /// Log it.
        case logged
        /// Log it, and note that more of its kind are logged once per interval.
        case loggedAsLastOfBurst
        /// Do not log it.
        case suppressed
    }

    /// The notices that are limited together: those of one interface (its index), or of the whole router.
    private enum Kind: Hashable {
        case mtu(UInt32)
        case hello(UInt32)
        case stalled(UInt32)
        case fault(UInt32)
        case standby(UInt32)
        case linkKind(UInt32)
        case restart(UInt32)
        case duplicateRouterID
        case duplicatePrefix

        /// `nil` for notices that are always logged.
        init?(_ notice: Notice) {
            switch notice {
            case .mtuMismatch(let interface, _, _, _): self = .mtu(interface)
            case .helloMismatch(let interface, _, _, _, _): self = .hello(interface)
            case .exchangeStalled(let interface, _, _): self = .stalled(interface)
            case .standby(let interface, _): self = .standby(interface)
            case .followsElection(let interface, _), .becamePointToPoint(let interface): self = .linkKind(interface)
            case .neighborFault(let interface, _, _, _, _): self = .fault(interface)
            case .restart(let interface, _, _): self = .restart(interface)
            case .duplicateRouterID: self = .duplicateRouterID
            case .duplicatePrefix: self = .duplicatePrefix
            case .neighborState, .interfaceState, .becameBroadcast, .unresponsiveNeighborHearsUs, .limitReached:
                return nil
            }
        }
    }

    /// The number of notices of a kind that are logged at once.
    static let burst = 5
    /// After that, one is logged per interval.
    static let interval = Duration.seconds(60)

    public init() {}

    /// Each logged notice uses up one interval, which begins when that of the notice before ends. By kind, the end of the
    /// last of them; up to ``burst`` intervals may lie ahead.
    private var booked: [Kind: Instant] = [:]
    /// The number of suppressed notices.
    public private(set) var suppressed: UInt64 = 0

    /// Decides about a notice. One that is logged uses up an interval, one that is not is counted.
    public mutating func verdict(on notice: Notice, at now: Instant) -> Verdict {
        guard let kind = Kind(notice) else { return .logged }
        let start = max(booked[kind] ?? now, now)
        // There may be a kind for every port that ever existed. Kinds whose intervals are over limit nothing and are
        // forgotten.
        if booked.count > 256 { booked = booked.filter { $0.value > now } }
        guard start + Self.interval <= now + Self.interval * Self.burst else {
            suppressed += 1
            return .suppressed
        }
        booked[kind] = start + Self.interval
        return start + Self.interval * 2 <= now + Self.interval * Self.burst ? .logged : .loggedAsLastOfBurst
    }
}
