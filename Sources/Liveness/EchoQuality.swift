internal import Timing

/// How good the cable to a neighbor is, as its answers to echo requests tell.
public struct EchoQuality: Hashable, Sendable {
    /// Requests with a known outcome, and those of them without an answer.
    public struct Loss: Hashable, Sendable {
        public var requests: Int
        public var lost: Int

        public init(requests: Int = 0, lost: Int = 0) {
            self.requests = requests
            self.lost = lost
        }

        /// Whether at least this part of the requests, in tenths of a percent, was lost.
        public func isAtLeast(perMille: Int) -> Bool { lost * 1000 >= requests * perMille && requests > 0 }

        static func + (left: Loss, right: Loss) -> Loss {
            Loss(requests: left.requests + right.requests, lost: left.lost + right.lost)
        }
    }

    /// The loss within ``window``.
    public var loss = Loss()
    /// The loss within the last sixth of ``window``.
    public var latestLoss = Loss()
    /// The time that ``loss`` is about.
    public var window = Duration.zero
    /// The median round trip of the latest requests; `nil` without a measured answer.
    public var roundTrip: Duration?
    /// The largest packet that arrives, in octets with the IPv6 header, if one of the link's MTU does not; `nil` if it does, or
    /// if that is not known.
    public var largestPacket: Int?

    public init() {}

    /// Whether the difference from what was told before is worth telling.
    func differs(from told: EchoQuality) -> Bool {
        if largestPacket != told.largestPacket || loss.lost != told.loss.lost
            || latestLoss.lost != told.latestLoss.lost
        {
            return true
        }
        guard let roundTrip, let old = told.roundTrip else { return roundTrip != told.roundTrip }
        // A change that no judgment depends on.
        let difference = roundTrip < old ? old - roundTrip : roundTrip - old
        return difference > .microseconds(100) && difference.nanoseconds * 4 > old.nanoseconds
    }
}

/// The outcomes of requests in the latest parts of time, of which each is at least ``shortestPart`` and 50 requests long.
struct LossWindow: Sendable {
    /// The parts that are over, the newest last, and then the one that is not.
    private var parts = [EchoQuality.Loss()]
    /// When the current part ends.
    private var end: Instant
    private var partDuration: Duration

    static let parts = 6
    static let shortestPart = Duration.seconds(10)

    init(interval: Duration, at now: Instant) {
        partDuration = Self.partDuration(interval)
        end = now + partDuration
    }

    private static func partDuration(_ interval: Duration) -> Duration { max(shortestPart, interval * 50) }

    /// The interval of the requests has changed.
    mutating func setInterval(_ interval: Duration) { partDuration = Self.partDuration(interval) }

    mutating func note(isLost: Bool) {
        parts[parts.count - 1].requests += 1
        if isLost { parts[parts.count - 1].lost += 1 }
    }

    /// Begins a new part if the current one is over. Returns the losses up to its end then, and the time they are about.
    mutating func endPart(at now: Instant) -> (all: EchoQuality.Loss, latest: EchoQuality.Loss, window: Duration)? {
        guard now >= end else { return nil }
        end = now + partDuration
        let result = (parts.reduce(EchoQuality.Loss(), +), parts[parts.count - 1], partDuration * parts.count)
        parts.append(EchoQuality.Loss())
        if parts.count > Self.parts { parts.removeFirst() }
        return result
    }
}
