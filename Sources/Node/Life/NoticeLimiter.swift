public import OSPF
public import Timing

/// Keeps what others can provoke at will from filling the log: a few of a kind at once, then one in a while.
public struct NoticeLimiter: Sendable {
    /// What becomes of a notice.
    public enum Verdict: Hashable, Sendable {
        /// It is told.
        case told
        /// It is told, and more of its kind are not for a while.
        case toldLast
        /// It is passed over.
        case passedOver
    }

    /// What is counted together.
    private enum Kind: Hashable {
        case mtu(UInt32)
        case hello(UInt32)
        case stalled(UInt32)
        case fault(UInt32)
        case standby(UInt32)
        case linkKind(UInt32)
        case duplicateRouterID
        case duplicatePrefix

        /// `nil` for what comes about seldom, or has to be known every time.
        init?(_ notice: Notice) {
            switch notice {
            case .mtuMismatch(let interface, _, _, _): self = .mtu(interface)
            case .helloMismatch(let interface, _, _, _, _): self = .hello(interface)
            case .exchangeStalled(let interface, _, _): self = .stalled(interface)
            case .standby(let interface, _): self = .standby(interface)
            case .followsElection(let interface, _), .becamePointToPoint(let interface): self = .linkKind(interface)
            case .neighborFault(let interface, _, _, _, _): self = .fault(interface)
            case .duplicateRouterID: self = .duplicateRouterID
            case .duplicatePrefix: self = .duplicatePrefix
            case .neighborState, .interfaceState, .becameBroadcast, .limitReached: return nil
            }
        }
    }

    /// Notices of a kind that are told at once.
    static let burst = 5
    /// After that, one in this time.
    static let interval = Duration.seconds(60)

    /// Makes a limiter.
    public init() {}

    /// By kind, how far those told reach into the future at one in an interval.
    private var booked: [Kind: Instant] = [:]
    /// Notices passed over.
    public private(set) var passedOver: UInt64 = 0

    /// Decides about a notice.
    public mutating func verdict(on notice: Notice, at now: Instant) -> Verdict {
        guard let kind = Kind(notice) else { return .told }
        let start = max(booked[kind] ?? now, now)
        // Kinds are as many as ports there ever were; those at rest need not be remembered.
        if booked.count > 256 { booked = booked.filter { $0.value > now } }
        guard start + Self.interval <= now + Self.interval * Self.burst else {
            passedOver += 1
            return .passedOver
        }
        booked[kind] = start + Self.interval
        return start + Self.interval * 2 <= now + Self.interval * Self.burst ? .told : .toldLast
    }
}
