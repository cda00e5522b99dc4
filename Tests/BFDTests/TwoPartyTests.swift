import Addressing
import Testing
import Timing

@testable import BFD

/// Two tables and a bad cable between them.
private struct Cable {
    struct Flight {
        var moment: Instant
        var end: Int
        var octets: [UInt8]
    }

    /// One end, and what is known of it independently of its session.
    struct End {
        var table: SessionTable
        var parameters: SessionParameters
        var lastArrival: Instant?
        var lastHeard: ControlPacket?
        var state = SessionState.down
        var failures = 0
        /// Until then the process does not run.
        var stoppedUntil = Instant.zero
    }

    var ends: [End] = []
    var flights: [Flight] = []
    var now = SessionTableTests.start
    var random: SplitMix64
    var key: SessionKey?
    /// In percent.
    var loss: UInt64 = 0
    var duplication: UInt64 = 0
    var longestDelay = Duration.microseconds(100)
    var problems: [String] = []

    static let shortest = Duration.milliseconds(10)

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
        switch random.next() % 4 {
        case 0: key = SessionKey(type: .meticulousKeyedSHA1, id: 1, secret: [1, 2, 3])
        case 1: key = SessionKey(type: .keyedMD5, id: 1, secret: [1, 2, 3])
        default: key = nil
        }
        for _ in 0..<2 { ends.append(End(table: newTable(), parameters: randomParameters())) }
        for end in 0..<2 { watch(end) }
    }

    mutating func newTable() -> SessionTable {
        SessionTable(seed: random.next(), shortestInterval: Self.shortest, digest: SessionTableTests.digest)
    }

    mutating func randomParameters() -> SessionParameters {
        let interval = [10, 50, 100, 300, 1500][Int(random.next() % 5)]
        return SessionParameters(interval: .milliseconds(interval), multiplier: UInt8(2 + random.next() % 4))
    }

    static func neighbor(of end: Int) -> NeighborAddress { SessionTableTests.key(UInt64(10 + end)) }

    mutating func watch(_ end: Int, isWanted: Bool = true) {
        let key = Self.neighbor(of: end)
        let target = SessionTarget(key: key, source: .loopback, parameters: ends[end].parameters)
        var output = SessionTable.Output()
        ends[end].table.watch(
            isWanted ? [target] : [], keys: self.key.map { [key: $0] } ?? [:], at: now, output: &output)
        if !isWanted { ends[end].state = .down }
        send(output, from: end)
    }

    mutating func restart(_ end: Int, isWanted: Bool) {
        ends[end].table = newTable()
        ends[end].state = .down
        ends[end].lastArrival = nil
        watch(end, isWanted: isWanted)
    }

    private mutating func send(_ output: SessionTable.Output, from end: Int) {
        for packet in output.packets {
            for _ in 0...(random.next() % 100 < duplication ? 1 : 0) where random.next() % 100 >= loss {
                flights.append(
                    Flight(moment: now + random.duration(below: longestDelay), end: 1 - end, octets: packet.octets))
            }
        }
        for report in output.reports { check(report, at: end) }
    }

    /// A session that was Up goes down after a detection time of silence, or because the neighbor has said so.
    private mutating func check(_ report: SessionReport, at end: Int) {
        defer { ends[end].state = report.state }
        guard ends[end].state == .up, report.state == .down, let heard = ends[end].lastHeard,
            let arrival = ends[end].lastArrival
        else { return }
        ends[end].failures += 1
        switch report.diagnostic {
        case .detectionTimeExpired:
            let theirs = Duration.microseconds(Int64(heard.desiredMinTransmit))
            let least = max(ends[end].parameters.interval, theirs) * Int(heard.detectionMultiplier)
            if now - arrival < least { problems.append("\(end) is down after \(now - arrival), and not \(least)") }
        case .neighborSignaledDown:
            if heard.state != .down, heard.state != .adminDown { problems.append("\(end) is down after \(heard)") }
        default: problems.append("\(end) is down: \(report.diagnostic)")
        }
    }

    mutating func run(for time: Duration) {
        let deadline = now + time
        while true {
            let timers = (0..<2).map { end in
                ends[end].table.nextDeadline.map { max($0, ends[end].stoppedUntil) } ?? deadline
            }
            guard let next = (timers + flights.map(\.moment)).min(), next < deadline else { break }
            now = max(now, next)
            let arrived = flights.filter { $0.moment <= now && ends[$0.end].stoppedUntil <= now }
            flights.removeAll { $0.moment <= now && ends[$0.end].stoppedUntil <= now }
            for index in flights.indices where flights[index].moment <= now {
                // It waits in the kernel until the process runs.
                flights[index].moment = ends[flights[index].end].stoppedUntil
            }
            for flight in arrived { deliver(flight) }
            for end in 0..<2 where ends[end].stoppedUntil <= now {
                var output = SessionTable.Output()
                ends[end].table.advance(to: now, output: &output)
                send(output, from: end)
            }
        }
        now = deadline
    }

    private mutating func deliver(_ flight: Flight) {
        let key = Self.neighbor(of: flight.end)
        let datagram = SessionTable.Datagram(
            interface: key.interface, source: key.address, hopLimit: 255, arrival: flight.moment, octets: flight.octets)
        var output = SessionTable.Output()
        let before = ends[flight.end].table.sessions.first?.counters.received
        ends[flight.end].table.receive(datagram, at: now, output: &output)
        if ends[flight.end].table.sessions.first?.counters.received != before {
            ends[flight.end].lastHeard = try? ControlPacket(flight.octets)
            ends[flight.end].lastArrival = flight.moment
        }
        send(output, from: flight.end)
    }
}

@Suite struct TwoPartyTests {
    /// Losses, copies, delays, restarts, ends, stopped processes and changes of parameters for 20 s; then a good cable. Both ends are
    /// Up after that, stay it, and have settled.
    @Test func twoSessionsComeUpWhateverHappenedBefore() {
        for seed in 1...100 as ClosedRange<UInt64> {
            var cable = Cable(seed: seed)
            var wanted = [true, true]
            for _ in 0..<20 {
                cable.loss = [0, 0, 10, 40, 80, 100][Int(cable.random.next() % 6)]
                cable.duplication = cable.random.next() % 30
                cable.longestDelay = .microseconds([100, 2_000, 30_000, 400_000][Int(cable.random.next() % 4)])
                let end = Int(cable.random.next() % 2)
                switch cable.random.next() % 8 {
                case 0: cable.restart(end, isWanted: wanted[end])
                case 1:
                    cable.ends[end].parameters = cable.randomParameters()
                    if wanted[end] { cable.watch(end) }
                case 2:
                    wanted[end].toggle()
                    cable.watch(end, isWanted: wanted[end])
                case 3: cable.ends[end].stoppedUntil = cable.now + .milliseconds(700)
                default: break
                }
                cable.run(for: .seconds(1))
            }
            (cable.loss, cable.duplication, cable.longestDelay) = (0, 0, .microseconds(100))
            for end in 0..<2 where !wanted[end] { cable.watch(end) }
            // Twice the longest detection time, until authentication accepts new sequence numbers, and the time to come Up.
            cable.run(for: .seconds(30))
            let failures = cable.ends.map(\.failures)
            cable.run(for: .seconds(20))
            #expect(cable.problems.isEmpty, "seed \(seed): \(cable.problems)")
            #expect(cable.ends.map(\.failures) == failures, "seed \(seed)")
            for end in 0..<2 {
                let session = cable.ends[end].table.sessions[0]
                let other = cable.ends[1 - end].table.sessions[0]
                #expect(session.state == .up && !session.isPolling, "seed \(seed): \(session)")
                #expect(session.remoteDiscriminator == other.discriminator)
                let slower = max(cable.ends[0].parameters.interval, cable.ends[1].parameters.interval)
                #expect(session.transmitInterval == slower)
                #expect(session.detectionTime == slower * Int(cable.ends[1 - end].parameters.multiplier))
            }
        }
    }

    /// The cable dies: both ends notice within their detection times, and not before.
    @Test func aDeadCableIsNoticedInTime() {
        for seed in 1...100 as ClosedRange<UInt64> {
            var cable = Cable(seed: seed)
            // A cable keeps the order.
            cable.longestDelay = .zero
            cable.run(for: .seconds(20) + .milliseconds(Int64(seed)))
            for end in cable.ends {
                #expect(end.state == .up && end.failures == 0, "seed \(seed): \(end.table.sessions)")
            }
            cable.loss = 100
            let times = cable.ends.map { $0.table.sessions[0].detectionTime! }
            cable.run(for: times.max()! + .milliseconds(1))
            #expect(cable.ends.allSatisfy { $0.failures == 1 }, "seed \(seed)")
            #expect(cable.problems.isEmpty, "seed \(seed): \(cable.problems)")
        }
    }
}
