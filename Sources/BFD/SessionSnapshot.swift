internal import Addressing
public import Timing

/// The variables of a session (RFC 5880 §6.8.1).
public struct SessionSnapshot: Hashable, Sendable {
    public var target: SessionTarget
    public var state: SessionState
    /// The reason for the last change of ``state``.
    public var diagnostic: Diagnostic
    /// When the state last changed.
    public var since: Instant
    public var discriminator: UInt32
    /// The state of the neighbor in its last packet; `nil` before the first one.
    public var remoteState: SessionState?
    public var remoteDiagnostic: Diagnostic?
    /// 0 if it is not known.
    public var remoteDiscriminator: UInt32
    public var remoteMultiplier: UInt8?
    /// What the packets of this node say.
    public var desiredTransmit: Duration
    public var requiredReceive: Duration
    /// What those of the neighbor say.
    public var remoteDesiredTransmit: Duration?
    public var remoteRequiredReceive: Duration?
    public var isRemoteDemanding: Bool
    public var isPolling: Bool
    /// The negotiated interval at which this node sends, without jitter.
    public var transmitInterval: Duration
    /// After this time without a packet the neighbor has failed; `nil` while nothing is known of it.
    public var detectionTime: Duration?
    public var counters: SessionCounters

    init(_ session: Session, _ target: SessionTarget) {
        self.target = target
        state = session.state
        diagnostic = session.diagnostic
        since = session.since
        discriminator = session.discriminator
        remoteState = session.remote?.state
        remoteDiagnostic = session.remote?.diagnostic
        remoteDiscriminator = session.remoteDiscriminator
        remoteMultiplier = session.remote?.detectionMultiplier
        desiredTransmit = session.desiredTransmit
        requiredReceive = session.requiredReceive
        remoteDesiredTransmit = (session.remote?.desiredMinTransmit).map { .microseconds(Int64($0)) }
        remoteRequiredReceive = (session.remote?.requiredMinReceive).map { .microseconds(Int64($0)) }
        isRemoteDemanding = session.remote?.isDemand ?? false
        isPolling = session.isPolling
        transmitInterval = session.transmitInterval
        detectionTime = session.detectionTime
        counters = session.counters
    }
}
