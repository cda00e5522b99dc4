public import Addressing

/// A neighbor that is asked by ICMPv6 echo requests (RFC 4443 §4.1) whether the cable to it is alive.
public struct EchoTarget: Hashable, Sendable {
    public typealias Key = NeighborAddress

    public var key: Key
    /// Our link-local address on the interface.
    public var source: IPv6Address
    public var parameters: EchoParameters

    public init(key: Key, source: IPv6Address, parameters: EchoParameters) {
        self.key = key
        self.source = source
        self.parameters = parameters
    }
}

/// How often a neighbor is asked, and when it has failed.
public struct EchoParameters: Hashable, Sendable {
    /// The time between requests, 10 ms to 10 s.
    public var interval: Duration
    /// The neighbor has failed when this number of consecutive requests is unanswered, 2–50.
    public var multiplier: Int

    /// The values that ``interval`` may have.
    public static let intervals: ClosedRange<Duration> = .milliseconds(10) ... .seconds(10)
    /// The values that ``multiplier`` may have.
    public static let multipliers = 2...50

    public init(interval: Duration = .milliseconds(50), multiplier: Int = 3) {
        precondition(Self.intervals.contains(interval) && Self.multipliers.contains(multiplier))
        self.interval = interval
        self.multiplier = multiplier
    }
}

/// What the answers of a neighbor say about it.
public enum EchoState: Hashable, Sendable {
    /// It has not answered yet.
    case untested
    /// It has never answered, or nothing could be sent to it for some time, so silence means nothing. It is asked again every ``EchoSession/retryInterval``.
    case unanswered
    /// It answers.
    case answering
    /// It has answered, and then it has not. With `answersAgain` it has answered at least once since; it is alive when it has
    /// answered for some time (``EchoSession/hold``).
    case failed(answersAgain: Bool)
}

/// What has changed about a neighbor.
public struct EchoReport: Hashable, Sendable {
    public var target: EchoTarget.Key
    public var state: EchoState
    /// The part of the latest requests (``EchoFigures/loss``) that was lost, in percent; 0 if that is normal.
    public var loss: Int

    public init(_ target: EchoTarget.Key, _ state: EchoState, loss: Int = 0) {
        self.target = target
        self.state = state
        self.loss = loss
    }
}

/// A request to be sent now.
public struct EchoRequest: Hashable, Sendable {
    public var target: EchoTarget.Key
    public var source: IPv6Address
    /// The sequence number in the request and in its answer.
    public var sequence: UInt16
}
