internal import Timing

/// The requests to one neighbor and its answers. It counts consecutive requests without an answer. What delays this process
/// must delay a failure and never cause one, so:
///
/// - a request counts from the moment when it was really sent, and not at all if it could not be sent;
/// - the caller reads all waiting answers before ``advance(to:)``;
/// - if the caller is late, answers get another ``patience`` to arrive: a machine that was stopped reads the clock before its
///   network card.
struct EchoSession: Sendable {
    var target: EchoTarget
    private(set) var state = EchoState.untested
    /// The state and the quality that were last reported.
    private var reportedState = EchoState.untested
    private var reportedQuality: EchoQuality?
    private(set) var figures = EchoFigures()
    /// The quality of the cable, up to the last part of ``losses`` that is over.
    private(set) var quality: EchoQuality?
    private var losses: LossWindow
    private var sizes: SizeProbe
    /// When the newest request was sent that has an answer.
    private var lastAnswered = Instant.zero

    /// When the next request is due. All neighbors with the same interval are asked at the same moments, so that one wake-up
    /// serves all.
    private(set) var nextRequest: Instant
    /// The latest requests, by sequence number modulo ``window``.
    private var requests = [Request](repeating: Request(), count: EchoSession.window)
    /// The number of requests made so far; the low bits are the next sequence number.
    private var count: UInt64 = 0
    /// The number of requests up to the newest one that was answered, inclusive; also when silence was last judged.
    private var settled: UInt64 = 0
    /// When the last request that had to be answered was sent: with it, ``EchoParameters/multiplier`` consecutive ones are
    /// unanswered. `nil` if fewer are.
    private var decisiveRequest: Instant?
    /// Answers may arrive until this moment at least, because the caller was late; `nil` if it was not.
    private var graceEnd: Instant?
    /// The number of requests that could not be sent since the last answer.
    private var unsent = 0
    /// When the first answer must have come; from then on the neighbor is ``EchoState/unanswered``.
    private let testEnd: Instant
    /// Until when a failed neighbor that answers again must go on answering; `nil` while it does not.
    private var holdEnd: Instant?
    /// How long a neighbor must answer after its latest failure.
    private(set) var hold = EchoSession.shortestHold
    private(set) var lastRecovery: Instant?

    /// A request.
    private struct Request {
        var moment = Instant.zero
        var isAnswered = false
        /// Whether it was sent.
        var isSent = false
    }

    /// The number of requests that are remembered; an answer to an older one is ignored.
    static let window = 64
    /// How long a neighbor has for its first answer.
    static let testDuration = Duration.seconds(3)
    /// The interval at which a neighbor is asked that has never answered.
    static let retryInterval = Duration.seconds(10)
    /// How long a failed neighbor must answer before it is alive again. The time doubles with each failure that follows a
    /// recovery within ``relapse``, up to ``longestHold``.
    static let shortestHold = Duration.seconds(1)
    static let longestHold = Duration.seconds(30)
    /// A failure within this time after a recovery is a relapse.
    static let relapse = Duration.seconds(60)

    /// Begins to ask a neighbor. `phase` is a random time, up to ``SizeProbe/spread``. `earlier` is what an earlier session with
    /// it knew of its failures.
    init(_ target: EchoTarget, phase: Duration = .zero, earlier: Failures? = nil, at now: Instant) {
        self.target = target
        losses = LossWindow(interval: target.parameters.interval, at: now)
        sizes = SizeProbe(mtu: target.mtu, phase: phase, at: now)
        if let earlier {
            hold = earlier.hold
            lastRecovery = earlier.lastRecovery
            if target.hadFailed { state = .failed(answersAgain: false) }
        }
        nextRequest = Self.slot(after: now, interval: target.parameters.interval)
        testEnd = now + Self.testDuration
    }

    /// What is remembered of the failures of a neighbor that is not asked any more.
    struct Failures: Sendable {
        var hold: Duration
        var lastRecovery: Instant?
    }

    var failures: Failures { Failures(hold: hold, lastRecovery: lastRecovery) }

    /// The earliest multiple of the interval after `now`.
    private static func slot(after now: Instant, interval: Duration) -> Instant {
        let step = interval.nanoseconds
        return Instant(nanoseconds: (now.nanoseconds / step + 1) * step)
    }

    /// How long an answer to the last request is awaited: the expected round trip (RFC 6298 §2), and 5 ms for a machine that
    /// is busy.
    private var patience: Duration { .milliseconds(5) + figures.expectedRoundTrip }

    /// When it is decided whether the neighbor has failed; `nil` while too few requests are unanswered.
    private var decision: Instant? {
        guard let decisiveRequest else { return nil }
        return max(decisiveRequest + patience, graceEnd ?? decisiveRequest)
    }

    /// When something is due.
    var nextDeadline: Instant {
        var earliest = nextRequest
        if let decision { earliest = min(earliest, decision) }
        if state == .untested { earliest = min(earliest, testEnd) }
        if let holdEnd { earliest = min(earliest, holdEnd) }
        return earliest
    }

    /// Handles what is due. Returns the sequence number of a request to send now, if one is due.
    mutating func advance(to now: Instant) -> UInt16? {
        judge(at: now)
        if state == .untested, now >= testEnd { state = .unanswered }
        // Requests may be on their way at any time: the round trip may be longer than several intervals.
        if let end = holdEnd, now >= end, decision.map({ $0 > now }) ?? true {
            holdEnd = nil
            lastRecovery = now
            state = .answering
            forgetLosses()
        }
        guard now >= nextRequest else { return nil }
        noteQuality(at: now)
        let interval = state == .unanswered ? Self.retryInterval : target.parameters.interval
        nextRequest = Self.slot(after: now, interval: interval)
        return makeRequest(at: now)
    }

    /// Decides whether the neighbor has failed, once the last request that it had to answer is old enough.
    private mutating func judge(at now: Instant) {
        guard let decision, now >= decision else { return }
        guard now - decision <= max(patience, target.parameters.interval) else { return graceEnd = now + patience }
        // The same silence is judged once.
        settled = count
        decisiveRequest = nil
        graceEnd = nil
        switch state {
        case .untested, .unanswered: break
        case .answering:
            let isRelapse = lastRecovery.map { now - $0 < Self.relapse } ?? false
            hold = isRelapse ? min(hold * 2, Self.longestHold) : Self.shortestHold
            state = .failed(answersAgain: false)
        case .failed:
            holdEnd = nil
            state = .failed(answersAgain: false)
        }
    }

    /// The neighbor is alive again: what was lost before says nothing about the cable as it is now.
    private mutating func forgetLosses() {
        figures.forgetOutcomes()
        let first = count - min(count, UInt64(Self.window))
        for number in first..<max(first, settled) {
            let slot = Int(number % UInt64(Self.window))
            if !requests[slot].isAnswered { requests[slot].isSent = false }
        }
    }

    private mutating func makeRequest(at now: Instant) -> UInt16 {
        let slot = Int(count % UInt64(Self.window))
        let old = requests[slot]
        if old.isSent, !old.isAnswered {
            figures.noteLoss()
            if state == .answering { losses.note(isLost: true) }
        }
        requests[slot] = Request(moment: now, isAnswered: false, isSent: true)
        figures.sent += 1
        count += 1
        findDecisiveRequest()
        return UInt16(truncatingIfNeeded: count - 1)
    }

    /// A request could not be sent. If none can be sent for ``testDuration``, silence means nothing any more.
    mutating func notSent(_ sequence: UInt16) {
        guard let number = number(of: sequence) else { return }
        let slot = Int(number % UInt64(Self.window))
        requests[slot].isSent = false
        figures.sent -= 1
        unsent += 1
        if target.parameters.interval * unsent >= Self.testDuration, unsent >= target.parameters.multiplier {
            state = .unanswered
            holdEnd = nil
        }
        findDecisiveRequest()
    }

    /// An answer has arrived. `roundTrip` is the time from the request to the answer; `nil` if it is not known.
    mutating func answered(_ sequence: UInt16, roundTrip: Duration?, at now: Instant) {
        guard let number = number(of: sequence) else { return figures.unexpected += 1 }
        let slot = Int(number % UInt64(Self.window))
        guard requests[slot].isSent, !requests[slot].isAnswered else { return figures.unexpected += 1 }
        requests[slot].isAnswered = true
        unsent = 0
        figures.noteAnswer(after: roundTrip)
        if state == .answering { losses.note(isLost: false) }
        lastAnswered = max(lastAnswered, requests[slot].moment)
        settled = max(settled, number + 1)
        graceEnd = nil
        findDecisiveRequest()
        switch state {
        case .answering: break
        case .untested: state = .answering
        case .unanswered:
            state = .answering
            nextRequest = min(nextRequest, Self.slot(after: now, interval: target.parameters.interval))
        case .failed:
            state = .failed(answersAgain: true)
            if holdEnd == nil { holdEnd = now + hold }
        }
    }

    /// Whether the state differs from the one last reported.
    var hasChanged: Bool { state != reportedState }

    /// The state and the quality, if they have changed since they were last reported.
    mutating func takeReport() -> EchoReport? {
        let hasNews = quality.map { new in reportedQuality.map { new.differs(from: $0) } ?? true } ?? false
        guard hasChanged || hasNews else { return nil }
        reportedState = state
        reportedQuality = quality
        return EchoReport(target.key, generation: target.generation, state, quality: quality)
    }

    /// Brings ``quality`` up to date, when there is something new. Of a neighbor that does not answer at all, nothing is learned.
    private mutating func noteQuality(at now: Instant) {
        guard state == .answering else { return sizes.stop() }
        if let (all, latest, window) = losses.endPart(at: now) {
            var new = quality ?? EchoQuality()
            (new.loss, new.latestLoss, new.window) = (all, latest, window)
            new.roundTrip = figures.roundTrip(quantile: 0.5)
            quality = new
        }
        if quality?.largestPacket != sizes.largest {
            var new = quality ?? EchoQuality()
            new.largestPacket = sizes.largest
            quality = new
        }
    }

    // MARK: Padded requests

    /// The padded request to send now, if one is due. To be called when an ordinary request is sent.
    mutating func paddedRequest(at now: Instant) -> (sequence: UInt16, size: Int)? {
        guard state == .answering else { return nil }
        return sizes.advance(to: now, lastAnswered: lastAnswered)
    }

    mutating func answeredPadded(_ sequence: UInt16, size: Int) { sizes.answered(sequence, size: size) }

    mutating func paddedNotSent() { sizes.notSent() }

    /// The number of a request that is remembered, by its sequence number.
    private func number(of sequence: UInt16) -> UInt64? {
        let age = UInt64(UInt16(truncatingIfNeeded: count) &- sequence)
        return age >= 1 && age <= min(count, UInt64(Self.window)) ? count - age : nil
    }

    /// Finds the request with which ``EchoParameters/multiplier`` consecutive ones are unanswered.
    private mutating func findDecisiveRequest() {
        decisiveRequest = nil
        guard count - settled >= UInt64(target.parameters.multiplier) else { return }
        var unanswered = 0
        // With more than ``window`` requests since, the decision is long overdue, and any of them will do.
        for number in max(settled, count - min(count, UInt64(Self.window)))..<count {
            let request = requests[Int(number % UInt64(Self.window))]
            guard request.isSent else { continue }
            unanswered += 1
            if unanswered == target.parameters.multiplier { return decisiveRequest = request.moment }
        }
    }

    /// Changes the parameters or our address. The neighbor is the same, and what is known of it stays.
    mutating func update(_ target: EchoTarget, at now: Instant) {
        self.target = target
        losses.setInterval(target.parameters.interval)
        sizes.setMTU(target.mtu, at: now)
        nextRequest = min(nextRequest, Self.slot(after: now, interval: target.parameters.interval))
        findDecisiveRequest()
    }
}
