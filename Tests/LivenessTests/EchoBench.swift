import Addressing
import Timing

@testable import Liveness

/// A prober, and a neighbor that answers as a test demands, in virtual time.
struct EchoBench {
    static let key = EchoTarget.Key(interface: 2, address: IPv6Address("fe80::2")!)
    static let source = IPv6Address("fe80::1")!

    var now = Instant.zero + .milliseconds(1_000_007)
    var prober = EchoProber()
    /// The round trip of a request that is sent at a moment; `nil` if it gets no answer.
    var answer: (Instant) -> Duration? = { _ in .microseconds(100) }
    /// Whether requests can be sent.
    var canSend = true
    var wakeUps = 0
    /// The quality in every report.
    var qualities: [EchoQuality] = []
    /// Every report of a changed state, with its time.
    var reports: [(moment: Instant, state: EchoState)] = []
    var lastReport: EchoReport?
    var requests: [(moment: Instant, request: EchoRequest)] = []
    /// Answers on their way or in the socket, by arrival.
    private var waiting: [(arrival: Instant, request: EchoRequest, roundTrip: Duration)] = []
    /// Larger packets do not arrive.
    var largestPacket = Int.max

    init(_ parameters: EchoParameters = EchoParameters(), mtu: Int = 0) {
        prober.watch([EchoTarget(key: Self.key, source: Self.source, parameters: parameters, mtu: mtu)], at: now)
    }

    var state: EchoState { prober.figures[0].state }
    var figures: EchoFigures { prober.figures[0].figures }

    /// Wakes the prober at its deadlines.
    mutating func run(for duration: Duration) {
        let end = now + duration
        while let deadline = prober.nextDeadline, deadline <= end {
            now = max(now, deadline)
            wake()
        }
        now = end
    }

    /// Reads the answers that have arrived, then does what is due.
    mutating func wake() {
        wakeUps += 1
        for echo in waiting where echo.arrival <= now {
            prober.answered(
                Self.key, echo.request.sequence, size: echo.request.size, roundTrip: echo.roundTrip, at: now)
        }
        waiting.removeAll { $0.arrival <= now }
        var due: [EchoRequest] = []
        var changes: [EchoReport] = []
        prober.advance(to: now, requests: &due, reports: &changes)
        for request in due {
            guard canSend else {
                prober.notSent(request)
                continue
            }
            requests.append((now, request))
            if request.size <= largestPacket, let roundTrip = answer(now) {
                waiting.append((now + roundTrip, request, roundTrip))
            }
        }
        lastReport = changes.last ?? lastReport
        qualities += changes.compactMap(\.quality)
        reports += changes.filter { $0.state != reports.last?.state }.map { (now, $0.state) }
    }
}
