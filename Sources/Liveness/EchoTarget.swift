public import Addressing

/// A neighbor that is asked by ICMPv6 echo requests (RFC 4443 §4.1) whether the cable to it is alive.
public struct EchoTarget: Hashable, Sendable {
    public typealias Key = NeighborAddress

    public var key: Key
    /// Our link-local address on the interface.
    public var source: IPv6Address
    public var parameters: EchoParameters
    /// The MTU of the link, in octets: whether packets of this size arrive is tested; 0 if it is not.
    public var mtu: Int
    /// Distinguishes a neighbor from an earlier one with the same ``key``, so that a report about that is not taken for one
    /// about this.
    public var generation: UInt32 = 0
    /// Whether the neighbor was lost shortly before, while it did not answer: it must answer for some time before it is alive.
    public var hadFailed = false

    public init(key: Key, source: IPv6Address, parameters: EchoParameters, mtu: Int = 0) {
        self.key = key
        self.source = source
        self.parameters = parameters
        self.mtu = mtu
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
    /// The ``EchoTarget/generation`` of the target.
    public var generation: UInt32
    public var state: EchoState
    /// How good the cable is; `nil` if that is not known yet.
    public var quality: EchoQuality?

    public init(_ target: EchoTarget.Key, generation: UInt32 = 0, _ state: EchoState, quality: EchoQuality? = nil) {
        self.target = target
        self.generation = generation
        self.state = state
        self.quality = quality
    }
}

/// A request to be sent now.
public struct EchoRequest: Hashable, Sendable {
    public var target: EchoTarget.Key
    public var source: IPv6Address
    /// The sequence number in the request and in its answer.
    public var sequence: UInt16
    /// The size of a padded request, in octets with the IPv6 header; 0 for an ordinary one. It must not be fragmented.
    public var size = 0
}
