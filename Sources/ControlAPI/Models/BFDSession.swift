/// A session of BFD with a neighbor: the variables of RFC 5880 §6.8.1. Durations are in seconds.
public struct BFDSession: Codable, Hashable, Sendable {
    /// `AdminDown`, `Down`, `Init` or `Up`.
    public var state: String
    /// Why the state last changed, and how long ago.
    public var diagnostic: String
    public var age: Double
    /// The state of the neighbor and why it last changed, by its last packet; `nil` before the first one.
    public var remoteState: String?
    public var remoteDiagnostic: String?
    public var discriminator: UInt32
    /// 0 if it is not known.
    public var remoteDiscriminator: UInt32
    /// What the packets of this node say: Desired Min TX and Required Min RX Interval, Detect Mult.
    public var desiredTransmit: Double
    public var requiredReceive: Double
    public var multiplier: Int
    /// What those of the neighbor say.
    public var remoteDesiredTransmit: Double?
    public var remoteRequiredReceive: Double?
    public var remoteMultiplier: Int?
    /// Whether the neighbor wants no periodic packets (demand mode), and whether a poll sequence is under way.
    public var remoteDemand: Bool
    public var polling: Bool
    /// The negotiated interval at which this node sends, without jitter.
    public var transmitInterval: Double
    /// After this time without a packet the neighbor has failed; `nil` while nothing is known of it.
    public var detectionTime: Double?
    /// The type of authentication; `nil` without it.
    public var authentication: String?
    /// Packets sent and accepted.
    public var sent: Int
    public var received: Int
    /// How often the session became Up, and how often it was Up no more.
    public var establishments: Int
    public var failures: Int

    public init(
        state: String, diagnostic: String, age: Double, remoteState: String?, remoteDiagnostic: String?,
        discriminator: UInt32, remoteDiscriminator: UInt32, desiredTransmit: Double, requiredReceive: Double,
        multiplier: Int, remoteDesiredTransmit: Double?, remoteRequiredReceive: Double?, remoteMultiplier: Int?,
        remoteDemand: Bool, polling: Bool, transmitInterval: Double, detectionTime: Double?, authentication: String?,
        sent: Int, received: Int, establishments: Int, failures: Int
    ) {
        self.state = state
        self.diagnostic = diagnostic
        self.age = age
        self.remoteState = remoteState
        self.remoteDiagnostic = remoteDiagnostic
        self.discriminator = discriminator
        self.remoteDiscriminator = remoteDiscriminator
        self.desiredTransmit = desiredTransmit
        self.requiredReceive = requiredReceive
        self.multiplier = multiplier
        self.remoteDesiredTransmit = remoteDesiredTransmit
        self.remoteRequiredReceive = remoteRequiredReceive
        self.remoteMultiplier = remoteMultiplier
        self.remoteDemand = remoteDemand
        self.polling = polling
        self.transmitInterval = transmitInterval
        self.detectionTime = detectionTime
        self.authentication = authentication
        self.sent = sent
        self.received = received
        self.establishments = establishments
        self.failures = failures
    }
}
