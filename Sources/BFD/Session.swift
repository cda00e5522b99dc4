internal import Addressing
internal import Timing

/// A session with one neighbor in asynchronous mode (RFC 5880 §6.8). The names of the RFC's variables are in the comments.
struct Session: Sendable {
    /// What can happen to a session.
    enum Event {
        /// A packet that passed all checks, and when the kernel received it.
        case packet(ControlPacket, arrival: Instant)
        /// ``Session/nextDeadline`` is due, and all packets that wait have been read.
        case timer
        /// Other parameters, with the interval that can be kept.
        case parameters(SessionParameters)
        /// The session ends: the neighbor is told so for some time (§6.8.16).
        case close
    }

    /// What follows from an event.
    struct Actions {
        /// To be sent now, in order.
        var packets: [ControlPacket] = []
        /// The state, the diagnostic or that of the neighbor has changed.
        var isReportable = false
    }

    private(set) var parameters: SessionParameters
    /// bfd.LocalDiscr; not zero, and no other session of this node has it.
    let discriminator: UInt32
    /// bfd.RemoteDiscr; 0 if it is not known.
    private(set) var remoteDiscriminator: UInt32 = 0
    /// bfd.SessionState and bfd.LocalDiag.
    private(set) var state = SessionState.down
    private(set) var diagnostic = Diagnostic.none
    /// The last packet of the neighbor, with bfd.RemoteSessionState and bfd.RemoteDemandMode; `nil` while there is none.
    private(set) var remote: ControlPacket?

    /// Whether a Poll Sequence is under way (§6.5).
    private(set) var isPolling = false
    /// The polls of the sequence that are unanswered, at most ``mostUnanswered``; and how many answers are to polls that were sent
    /// before the intervals last changed, so that they do not end the sequence.
    private var unansweredPolls = 0
    private var staleFinals = 0
    /// What packets say: bfd.DesiredMinTxInterval and bfd.RequiredMinRxInterval.
    private(set) var desiredTransmit: Duration
    private(set) var requiredReceive: Duration
    /// What is used meanwhile: during a Poll Sequence, the shorter interval for sending and the longer one for detection (§6.8.3).
    private var usedTransmit: Duration
    private var usedReceive: Duration

    /// When the next periodic packet is due; `nil` if none is sent.
    private var nextTransmission: Instant?
    private var lastTransmission: Instant?
    /// The interval for which ``nextTransmission`` was chosen.
    private var scheduledInterval: Duration?
    private(set) var lastReception: Instant?
    /// The caller was late: packets may arrive until this moment before a failure is found; `nil` if it was not.
    private var graceEnd: Instant?
    /// When a session that ends is over.
    private(set) var end: Instant?
    /// The packets that were sent outside of the schedule since the start of the current period.
    private var unscheduled = (start: Instant.zero, count: 0)
    /// How often the session could begin anew since the start of the current period.
    private var beginnings = (start: Instant.zero, count: 0)
    private var random: SplitMix64

    /// When the state last changed.
    private(set) var since: Instant
    private(set) var counters = SessionCounters()

    /// The smallest bfd.DesiredMinTxInterval while the session is not Up (§6.8.3).
    static let slowInterval = Duration.seconds(1)
    /// A caller that is later than this was not running: what it has not read may still arrive.
    static let lateness = Duration.milliseconds(5)
    private static let mostUnanswered = 8
    /// How long the neighbor is told that the session has ended.
    static let closingTime = Duration.seconds(3)
    /// The maximum number of packets outside of the schedule in ``unscheduledPeriod``, so that nobody can make this node send at the
    /// rate at which he sends.
    static let mostUnscheduled = 32
    static let unscheduledPeriod = Duration.milliseconds(100)
    /// The maximum number of times in ``beginningPeriod`` that a session which is Down leaves that state, or that the end of AdminDown
    /// counts: whoever can send such packets must not make this node report, log and compute routes at the rate at which he sends.
    static let mostBeginnings = 8
    static let beginningPeriod = Duration.seconds(1)

    init(_ parameters: SessionParameters, discriminator: UInt32, seed: UInt64, at now: Instant) {
        self.parameters = parameters
        self.discriminator = discriminator
        random = SplitMix64(seed: seed)
        desiredTransmit = max(Self.slowInterval, parameters.interval)
        requiredReceive = parameters.interval
        usedTransmit = desiredTransmit
        usedReceive = requiredReceive
        since = now
        // The first packet is sent at once.
        schedule(at: now)
    }

    /// bfd.RemoteMinRxInterval; 1 µs before the first packet.
    private var remoteMinReceive: UInt32 { remote?.requiredMinReceive ?? 1 }

    /// The interval between periodic packets, without jitter (§6.8.2).
    var transmitInterval: Duration { max(usedTransmit, .microseconds(Int64(remoteMinReceive))) }

    /// The Detection Time (§6.8.4); `nil` while nothing is known of the neighbor.
    var detectionTime: Duration? {
        guard let remote, remoteDiscriminator != 0 else { return nil }
        return remoteInterval(remote) * Int(remote.detectionMultiplier)
    }

    /// The interval at which the neighbor sends.
    private func remoteInterval(_ remote: ControlPacket) -> Duration {
        max(usedReceive, .microseconds(Int64(remote.desiredMinTransmit)))
    }

    /// Whether periodic packets are sent (§6.8.7).
    private var sendsPeriodically: Bool {
        if parameters.isPassive, remoteDiscriminator == 0 { return false }
        guard remoteMinReceive != 0 else { return false }
        let isDemandActive = state == .up && remote?.state == .up && remote?.isDemand == true
        return !isDemandActive || isPolling
    }

    private var detectionEnd: Instant? {
        guard state != .adminDown, let detectionTime, let lastReception else { return nil }
        return max(lastReception + detectionTime, graceEnd ?? .zero)
    }

    /// When something is due; `nil` if nothing is.
    var nextDeadline: Instant? { [nextTransmission, detectionEnd, end].compactMap(\.self).min() }

    /// Handles an event.
    mutating func handle(_ event: Event, at now: Instant) -> Actions {
        var actions = Actions()
        switch event {
        case .packet(let packet, let arrival): receive(packet, arrival: arrival, at: now, &actions)
        case .timer:
            judgeSilence(at: now, &actions)
            transmitPeriodically(at: now, &actions)
        case .parameters(let new):
            parameters = new
            negotiate(at: now)
        case .close:
            guard state != .adminDown else { break }
            let isKnown = remoteDiscriminator != 0
            change(to: .adminDown, .administrativelyDown, at: now, &actions)
            end = isKnown ? now + Self.closingTime : now
        }
        schedule(at: now)
        return actions
    }

    // MARK: Reception

    /// Takes in a packet (§6.8.6).
    private mutating func receive(
        _ packet: ControlPacket, arrival: Instant, at now: Instant, _ actions: inout Actions
    ) {
        counters.received += 1
        let wasAdminDown = remote?.state == .adminDown
        let isBeginning =
            state == .down && (packet.state == .down || packet.state == .`init` || wasAdminDown && packet.state == .up)
        guard !isBeginning || mayBegin(at: now) else { return }
        remote = packet
        remoteDiscriminator = packet.myDiscriminator
        lastReception = max(arrival, lastReception ?? arrival)
        graceEnd = nil
        if packet.isFinal { endPoll() }
        if state == .adminDown { return }
        if wasAdminDown != (packet.state == .adminDown) { actions.isReportable = true }
        switch (state, packet.state) {
        case (.down, .adminDown): break
        case (_, .adminDown): change(to: .down, .neighborSignaledDown, at: now, &actions)
        case (.down, .down): change(to: .`init`, diagnostic, at: now, &actions)
        case (.down, .`init`), (.`init`, .`init`), (.`init`, .up): change(to: .up, .none, at: now, &actions)
        case (.up, .down): change(to: .down, .neighborSignaledDown, at: now, &actions)
        default: break
        }
        guard packet.isPoll else { return }
        // The answer also tells of a change of state.
        let isAllowed = !actions.packets.isEmpty || mayTransmitUnscheduled(at: now)
        actions.packets = isAllowed ? [makePacket(isFinal: true)] : []
    }

    private mutating func mayBegin(at now: Instant) -> Bool {
        if now - beginnings.start >= Self.beginningPeriod { beginnings = (now, 0) }
        beginnings.count += 1
        return beginnings.count <= Self.mostBeginnings
    }

    /// A Poll Sequence has ended: the neighbor knows the new intervals.
    private mutating func endPoll() {
        guard isPolling else { return }
        unansweredPolls = max(0, unansweredPolls - 1)
        if staleFinals > 0 { return staleFinals -= 1 }
        isPolling = false
        usedTransmit = desiredTransmit
        usedReceive = requiredReceive
    }

    /// Finds that the neighbor was silent for the Detection Time (§6.8.4).
    private mutating func judgeSilence(at now: Instant, _ actions: inout Actions) {
        guard let end = detectionEnd, now >= end, let remote else { return }
        // A machine that was stopped reads its clock before its network card. One that is just slow gets this time once.
        if now - end > (graceEnd == nil ? Self.lateness : detectionTime ?? .zero) {
            return graceEnd = now + max(Self.lateness, remoteInterval(remote))
        }
        graceEnd = nil
        remoteDiscriminator = 0
        // What the neighbor wanted is forgotten, except its state.
        self.remote?.requiredMinReceive = 1
        self.remote?.isDemand = false
        if state == .up || state == .`init` { change(to: .down, .detectionTimeExpired, at: now, &actions) }
    }

    /// Changes the state, and tells the neighbor at once (§6.8.7).
    private mutating func change(
        to new: SessionState, _ reason: Diagnostic, at now: Instant, _ actions: inout Actions
    ) {
        if state == .up { counters.failures += 1 }
        if new == .up { counters.establishments += 1 }
        state = new
        diagnostic = reason
        since = now
        actions.isReportable = true
        negotiate(at: now)
        let isPeerKnown = !parameters.isPassive || remoteDiscriminator != 0
        if isPeerKnown, remoteMinReceive != 0, mayTransmitUnscheduled(at: now) {
            actions.packets.append(makePacket())
        }
    }

    // MARK: Transmission

    /// Sets the intervals that follow from state and parameters. While the session is Up, the neighbor must know them before those
    /// are used that could make either end find a failure (§6.8.3).
    private mutating func negotiate(at now: Instant) {
        let isUp = state == .up
        let wanted = isUp ? parameters.interval : max(Self.slowInterval, parameters.interval)
        let hasChanged = wanted != desiredTransmit || parameters.interval != requiredReceive
        desiredTransmit = wanted
        requiredReceive = parameters.interval
        if isUp, hasChanged {
            usedTransmit = min(usedTransmit, desiredTransmit)
            usedReceive = max(usedReceive, requiredReceive)
            if !isPolling { unansweredPolls = 0 }
            staleFinals = unansweredPolls
            isPolling = true
        } else if !isUp {
            usedTransmit = desiredTransmit
            usedReceive = requiredReceive
            isPolling = false
        }
    }

    private mutating func mayTransmitUnscheduled(at now: Instant) -> Bool {
        if now - unscheduled.start >= Self.unscheduledPeriod { unscheduled = (now, 0) }
        unscheduled.count += 1
        return unscheduled.count <= Self.mostUnscheduled
    }

    private mutating func transmitPeriodically(at now: Instant, _ actions: inout Actions) {
        guard sendsPeriodically, let due = nextTransmission, due <= now else { return }
        if actions.packets.isEmpty { actions.packets.append(makePacket()) }
        lastTransmission = now
        scheduledInterval = transmitInterval
        nextTransmission = now + jittered(transmitInterval)
    }

    /// Keeps the schedule unless the interval has changed. A shorter one applies at once (§6.8.3).
    private mutating func schedule(at now: Instant) {
        guard sendsPeriodically else {
            nextTransmission = nil
            scheduledInterval = nil
            return
        }
        let interval = transmitInterval
        guard interval != scheduledInterval else { return }
        scheduledInterval = interval
        let soonest = max(now, lastTransmission.map { $0 + jittered(interval) } ?? now)
        nextTransmission = min(nextTransmission ?? soonest, soonest)
    }

    /// An interval reduced by 0–25 %, or by 10–25 % if one lost packet is a failure (§6.8.7).
    private mutating func jittered(_ interval: Duration) -> Duration {
        let largest = parameters.multiplier == 1 ? interval * 9 / 10 : interval
        let smallest = interval * 3 / 4
        return smallest + random.duration(below: largest - smallest + .nanoseconds(1))
    }

    private mutating func makePacket(isFinal: Bool = false) -> ControlPacket {
        counters.sent += 1
        var packet = ControlPacket(
            myDiscriminator: discriminator, desiredMinTransmit: Self.microseconds(desiredTransmit),
            requiredMinReceive: Self.microseconds(requiredReceive))
        packet.state = state
        packet.diagnostic = diagnostic
        packet.isFinal = isFinal
        packet.isPoll = isPolling && !isFinal
        if packet.isPoll { unansweredPolls = min(unansweredPolls + 1, Self.mostUnanswered) }
        packet.detectionMultiplier = parameters.multiplier
        packet.yourDiscriminator = remoteDiscriminator
        return packet
    }

    /// The packet that tells the neighbor, once more, that the session has ended.
    mutating func makeFarewell() -> ControlPacket? { remoteDiscriminator == 0 ? nil : makePacket() }

    private static func microseconds(_ duration: Duration) -> UInt32 { UInt32(clamping: duration.nanoseconds / 1000) }
}

/// What happened in a session.
public struct SessionCounters: Hashable, Sendable {
    /// Packets.
    public internal(set) var sent: UInt64 = 0
    public internal(set) var received: UInt64 = 0
    /// How often it became Up, and how often it was Up no more.
    public internal(set) var establishments: UInt64 = 0
    public internal(set) var failures: UInt64 = 0
}
