internal import Addressing
internal import Liveness
internal import Timing

/// How good the cable of one port is: what was found, each finding with hysteresis, and whether the cable should be avoided.
struct CableQuality: Sendable {
    /// What is known of the way to one neighbor.
    struct Way: Sendable {
        var quality = EchoQuality()
        /// Whether the neighbor answers; otherwise ``quality`` is of the past.
        var isAnswering = true
        /// Since when the neighbor is not asked any more; `nil` while it is.
        var goneSince: Instant?
        var loss = Alarm()
        var roundTrip = Alarm(delay: .seconds(20))
        var size = Alarm()
        /// The figures when an alarm was last bad, so that its text keeps them while it lasts.
        var lossFigures = EchoQuality()
        var badRoundTrip = (own: Duration.zero, others: Duration.zero)
        var badSize = 0

        /// Whether the way should be avoided.
        var isBad: Bool { loss.isRaised || roundTrip.isRaised || size.isRaised }

        var alarmDeadline: Instant? { [loss.deadline, roundTrip.deadline, size.deadline].compactMap(\.self).min() }
    }

    var ways: [IPv6Address: Way] = [:]
    var errors = ReceiveErrors()
    var lastErrors = ReceiveErrors.Count()
    /// Some packets are damaged, and so many that the cable should be avoided.
    var damage = Alarm()
    var severeDamage = Alarm()
    /// The speed of the link and the highest since the agent runs, in Mbit/s.
    var speed: Int?
    var highestSpeed: Int?
    var slowness = Alarm(delay: .seconds(5))
    var flaps = FlapDamping()

    /// The maximum number of neighbors of a port of which something is known.
    static let mostWays = 64
    /// What is known of a neighbor that is gone is forgotten after this time.
    static let memory = Duration.seconds(600)
    /// A loss of this number of requests, in tenths of a percent within a minute and within 10 s, is bad.
    private static let badLoss = (within: 10, lately: 50)
    /// Fewer lost requests prove nothing.
    private static let leastLost = 5
    private static let goodLoss = 5
    private static let leastDamaged: UInt64 = 10

    // MARK: News

    /// A neighbor on the port was reported.
    mutating func note(_ report: EchoReport, at now: Instant) {
        let address = report.target.address
        guard ways[address] != nil || ways.count < Self.mostWays else { return }
        var way = ways[address] ?? Way()
        way.goneSince = nil
        way.isAnswering = report.state == .answering
        if let quality = report.quality { way.quality = quality }
        if way.isAnswering {
            let verdict = Self.verdict(on: way.quality)
            if verdict == .bad { way.lossFigures = way.quality }
            way.loss.note(verdict, at: now)
            if let largest = way.quality.largestPacket { way.badSize = largest }
            way.size.note(way.quality.largestPacket == nil ? .good : .bad, at: now)
        } else {
            way.loss.note(.between, at: now)
            way.roundTrip.note(.between, at: now)
            way.size.note(.between, at: now)
        }
        ways[address] = way
    }

    private static func verdict(on quality: EchoQuality) -> Alarm.Verdict {
        let (all, latest) = (quality.loss, quality.latestLoss)
        if all.lost >= leastLost && all.isAtLeast(perMille: badLoss.within)
            || latest.lost >= leastLost && latest.isAtLeast(perMille: badLoss.lately)
        {
            return .bad
        }
        return all.isAtLeast(perMille: goodLoss) && all.lost > 1 ? .between : .good
    }

    /// The neighbors on the port that are asked are these. What is known of the others says nothing more, and is forgotten after
    /// some time.
    mutating func setNeighbors(_ addresses: Set<IPv6Address>, at now: Instant) {
        for (address, way) in ways where !addresses.contains(address) && way.goneSince == nil {
            var way = way
            way.goneSince = now
            way.isAnswering = false
            way.loss.note(.between, at: now)
            way.roundTrip.note(.between, at: now)
            way.size.note(.between, at: now)
            ways[address] = way
        }
    }

    mutating func note(_ reading: PortReading, at now: Instant) {
        errors.note(reading, at: now)
        if let new = reading.speed {
            speed = new
            highestSpeed = max(highestSpeed ?? 0, new)
            slowness.note(new < highestSpeed! ? .bad : .good, at: now)
        }
        judgeErrors(at: now)
    }

    /// The speed that the link has now is meant.
    mutating func acceptSpeed() {
        highestSpeed = speed
        slowness = Alarm(delay: slowness.delay)
    }

    /// The median round trip of the ways that answer.
    var roundTrip: Duration? { ways.values.filter(\.isAnswering).compactMap(\.quality.roundTrip).max() }

    /// Compares round trips with `others`, the median of the other cables of this kind; `nil` if there are too few.
    mutating func compareRoundTrips(with others: Duration?, at now: Instant) {
        for (address, way) in ways where way.isAnswering {
            var way = way
            guard let own = way.quality.roundTrip, let others else {
                way.roundTrip.note(.good, at: now)
                ways[address] = way
                continue
            }
            if own > others * 4, own > .milliseconds(1) {
                way.badRoundTrip = (own, others)
                way.roundTrip.note(.bad, at: now)
            } else {
                way.roundTrip.note(own < others * 3 || own < .microseconds(750) ? .good : .between, at: now)
            }
            ways[address] = way
        }
    }

    private mutating func judgeErrors(at now: Instant) {
        let recent = errors.recent(at: now)
        if recent.damaged >= Self.leastDamaged { lastErrors = recent }
        func verdict(_ isBad: Bool) -> Alarm.Verdict {
            isBad ? .bad : recent.damaged > 0 ? .between : .good
        }
        damage.note(verdict(recent.damaged >= Self.leastDamaged), at: now)
        // One in 10,000: a part that TCP feels.
        let isSevere = recent.damaged >= Self.leastDamaged && recent.damaged &* 10_000 >= recent.received
        severeDamage.note(verdict(isSevere), at: now)
    }

    // MARK: Time

    /// When ``advance(to:)`` changes something.
    var deadline: Instant? {
        var deadlines = ways.values.compactMap(\.alarmDeadline)
        deadlines += ways.values.compactMap { $0.goneSince.map { $0 + Self.memory } }
        deadlines += [
            errors.deadline, damage.deadline, severeDamage.deadline, slowness.deadline, flaps.heldUntil,
            flaps.nextForgotten,
        ].compactMap(\.self)
        return deadlines.min()
    }

    mutating func advance(to now: Instant) {
        ways = ways.filter { $0.value.goneSince.map { now - $0 < Self.memory } ?? true }
        for address in ways.keys {
            ways[address]!.loss.advance(to: now)
            ways[address]!.roundTrip.advance(to: now)
            ways[address]!.size.advance(to: now)
        }
        judgeErrors(at: now)
        damage.advance(to: now)
        severeDamage.advance(to: now)
        slowness.advance(to: now)
        flaps.advance(to: now)
    }

    // MARK: Conclusions

    /// Whether ``shouldBeAvoided`` may change without anything new happening.
    var mayChange: Bool {
        flaps.heldUntil != nil || slowness.deadline != nil || severeDamage.deadline != nil
            || ways.values.contains {
                $0.isBad && $0.goneSince != nil || $0.alarmDeadline != nil
                    // These end when their causes do.
                    || $0.loss.isRaised || $0.size.isRaised
            }
    }

    /// Whether the cable should be used only where there is no better way. On a segment a bad way to one neighbor says nothing
    /// about those to others, so all ways must be bad.
    var shouldBeAvoided: Bool {
        if severeDamage.isRaised || slowness.isRaised || flaps.heldUntil != nil { return true }
        let present = ways.values.filter { $0.goneSince == nil }
        let known = present.isEmpty ? Array(ways.values) : present
        return !known.isEmpty && known.allSatisfy(\.isBad)
    }
}
