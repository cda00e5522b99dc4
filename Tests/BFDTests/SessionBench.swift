import Addressing
import Timing

@testable import BFD

/// One session, a neighbor that is played by the test, and a clock.
struct SessionBench {
    var session: Session
    var now = Instant(nanoseconds: 1_000_000_000_000)
    /// What was sent, and when.
    var sent: [(moment: Instant, packet: ControlPacket)] = []
    var reportable = 0
    /// What the neighbor sends.
    var neighbor = ControlPacket(myDiscriminator: 77, desiredMinTransmit: 100_000, requiredMinReceive: 100_000)

    static let discriminator: UInt32 = 5

    init(_ interval: Int = 100, multiplier: UInt8 = 3, isPassive: Bool = false, seed: UInt64 = 1) {
        session = Session(
            SessionParameters(interval: .milliseconds(interval), multiplier: multiplier, isPassive: isPassive),
            discriminator: Self.discriminator, seed: seed, at: now)
    }

    @discardableResult mutating func handle(_ event: Session.Event) -> Session.Actions {
        let actions = session.handle(event, at: now)
        sent += actions.packets.map { (now, $0) }
        if actions.isReportable { reportable += 1 }
        return actions
    }

    /// The neighbor sends a packet in this state.
    @discardableResult mutating func receive(
        _ state: SessionState, _ change: (inout ControlPacket) -> Void = { _ in }
    ) -> Session.Actions {
        neighbor.state = state
        neighbor.yourDiscriminator = state == .down || state == .adminDown ? 0 : Self.discriminator
        var packet = neighbor
        change(&packet)
        return handle(.packet(packet, arrival: now))
    }

    /// Brings the session Up, and ends the poll sequence that follows.
    mutating func bringUp() {
        receive(.down)
        receive(.`init`)
        receive(.up) { $0.isFinal = true }
    }

    /// Lets time pass. With `interval`, the neighbor sends a packet Up that often, and answers polls.
    mutating func run(for time: Duration, hearingEvery interval: Duration? = nil) {
        let end = now + time
        var nextArrival = interval.map { now + $0 }
        while true {
            let moment = min(session.nextDeadline ?? end, nextArrival ?? end)
            guard moment < end else { break }
            now = max(now, moment)
            if let arrival = nextArrival, arrival <= now {
                let isAnswer = session.isPolling
                receive(.up) { $0.isFinal = isAnswer }
                nextArrival = now + interval!
            } else {
                handle(.timer)
            }
        }
        now = end
    }

    /// The times between packets that were sent since `start`.
    func gaps(since start: Instant) -> [Duration] {
        let moments = sent.map(\.moment).filter { $0 >= start }
        return zip(moments, moments.dropFirst()).map { $1 - $0 }
    }
}
