public import Addressing

/// A neighbor with which there is to be a session.
public struct SessionTarget: Hashable, Sendable {
    public var key: NeighborAddress
    /// Our link-local address on the interface.
    public var source: IPv6Address
    public var parameters: SessionParameters
    /// The key of authentication; `nil` without it.
    public var authentication: SessionKeyRule?

    public init(
        key: NeighborAddress, source: IPv6Address, parameters: SessionParameters,
        authentication: SessionKeyRule? = nil
    ) {
        self.key = key
        self.source = source
        self.parameters = parameters
        self.authentication = authentication
    }
}

/// Which key authenticates a session, and where it is.
public struct SessionKeyRule: Hashable, Sendable {
    public var type: AuthenticationType
    public var id: UInt8
    /// The path of the file whose first line is the key.
    public var keyFile: String

    public init(type: AuthenticationType, id: UInt8, keyFile: String) {
        self.type = type
        self.id = id
        self.keyFile = keyFile
    }
}

/// How often packets are sent and expected, and when the neighbor has failed.
public struct SessionParameters: Hashable, Sendable {
    /// The interval at which this node wants to send and is ready to receive, 10 ms to 10 s.
    public var interval: Duration
    /// The neighbor declares a failure after this number of intervals without a packet, 1–255.
    public var multiplier: UInt8
    /// Whether the first packet is left to the neighbor (RFC 5880 §6.1).
    public var isPassive: Bool

    /// The values that ``interval`` may have.
    public static let intervals: ClosedRange<Duration> = .milliseconds(10) ... .seconds(10)
    /// Shorter intervals are used only by a thread with real-time priority.
    public static let shortestOrdinaryInterval = Duration.milliseconds(50)

    public init(interval: Duration = .milliseconds(100), multiplier: UInt8 = 3, isPassive: Bool = false) {
        precondition(Self.intervals.contains(interval) && multiplier > 0)
        self.interval = interval
        self.multiplier = multiplier
        self.isPassive = isPassive
    }
}

/// What has changed about a session.
public struct SessionReport: Hashable, Sendable {
    public var target: NeighborAddress
    public var state: SessionState
    /// The reason for the last change of ``state``.
    public var diagnostic: Diagnostic
    /// The state in the last packet of the neighbor; `down` before the first one.
    public var remoteState: SessionState
    public var remoteDiagnostic: Diagnostic
    /// Whether the neighbor's forwarding and BFD go on while its routing restarts (the C bit, RFC 5882 §4.3.2).
    public var isIndependent: Bool

    public init(
        _ target: NeighborAddress, _ state: SessionState, _ diagnostic: Diagnostic = .none,
        remoteState: SessionState = .down, remoteDiagnostic: Diagnostic = .none, isIndependent: Bool = false
    ) {
        self.isIndependent = isIndependent
        self.target = target
        self.state = state
        self.diagnostic = diagnostic
        self.remoteState = remoteState
        self.remoteDiagnostic = remoteDiagnostic
    }
}
