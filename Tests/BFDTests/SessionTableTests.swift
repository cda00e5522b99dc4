import Addressing
import Testing
import Timing

@testable import BFD

@Suite struct SessionTableTests {
    static let start = Instant(nanoseconds: 1_000_000_000_000)
    static let digest: Digest = { function, octets in
        // Not a good hash function, but one of the right size.
        var random = SplitMix64(
            seed: octets.reduce(14_695_981_039_346_656_037) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 })
        return (0..<function.size).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }

    static func key(_ number: UInt64, interface: UInt32 = 1) -> NeighborAddress {
        NeighborAddress(interface: interface, address: IPv6Address(high: 0xfe80 << 48, low: number))
    }

    static func target(_ number: UInt64, interface: UInt32 = 1, _ interval: Int = 100) -> SessionTarget {
        SessionTarget(
            key: key(number, interface: interface), source: IPv6Address(high: 0xfe80 << 48, low: 99),
            parameters: SessionParameters(interval: .milliseconds(interval)))
    }

    private func table(_ targets: [SessionTarget]) -> (SessionTable, SessionTable.Output) {
        var table = SessionTable(seed: 1, shortestInterval: .milliseconds(50), digest: Self.digest)
        var output = SessionTable.Output()
        table.watch(targets, at: Self.start, output: &output)
        table.advance(to: Self.start, output: &output)
        return (table, output)
    }

    private func datagram(
        _ packet: ControlPacket, from key: NeighborAddress, hopLimit: UInt8? = 255
    ) -> SessionTable.Datagram {
        SessionTable.Datagram(
            interface: key.interface, source: key.address, hopLimit: hopLimit, arrival: Self.start,
            octets: packet.encoded())
    }

    private let packet = ControlPacket(myDiscriminator: 7, desiredMinTransmit: 1_000_000, requiredMinReceive: 100_000)

    @Test func discriminatorsAreDifferent() {
        let (table, output) = table((1...256).map { Self.target($0) })
        #expect(Set(table.sessions.map(\.discriminator)).count == 256)
        #expect(!table.sessions.contains { $0.discriminator == 0 })
        #expect(output.packets.count == 256)
    }

    @Test func thereAreNotMoreSessionsThanTheMaximum() {
        var (table, output) = table((1...300).map { Self.target($0) })
        #expect(table.sessions.count == SessionTable.mostSessions)
        for round in 1...5 {
            for target in table.targets {
                table.receive(datagram(packet, from: target.key), at: Self.start, output: &output)
            }
            table.watch((1...256).map { Self.target($0 + UInt64(round) * 1000) }, at: Self.start, output: &output)
            #expect(
                table.targets.count <= SessionTable.mostSessions && table.sessions.count == SessionTable.mostSessions)
        }
    }

    @Test(arguments: [254, 0, 64, nil] as [UInt8?])
    func packetsFromOtherLinksAreRefused(hopLimit: UInt8?) {
        var (table, output) = table([Self.target(1)])
        table.receive(datagram(packet, from: Self.key(1), hopLimit: hopLimit), at: Self.start, output: &output)
        #expect(table.refused == [.hopLimit: 1] && table.sessions[0].state == .down)
        table.receive(datagram(packet, from: Self.key(1)), at: Self.start, output: &output)
        #expect(table.refused == [.hopLimit: 1] && table.sessions[0].state == .`init`)
    }

    /// By Your Discriminator, or by interface and source if that is 0.
    @Test func packetsBelongToSessions() {
        var (table, output) = table([Self.target(1), Self.target(2), Self.target(1, interface: 2)])
        func state(_ key: NeighborAddress) -> SessionState? {
            table.sessions.first { $0.target.key == key }?.state
        }
        table.receive(datagram(packet, from: Self.key(1, interface: 2)), at: Self.start, output: &output)
        #expect(state(Self.key(1, interface: 2)) == .`init` && state(Self.key(1)) == .down)
        table.receive(datagram(packet, from: Self.key(3)), at: Self.start, output: &output)
        #expect(table.refused == [.noSession: 1])
        var answer = packet
        answer.state = .`init`
        answer.yourDiscriminator = table.sessions.first { $0.target.key == Self.key(2) }!.discriminator
        table.receive(datagram(answer, from: Self.key(2)), at: Self.start, output: &output)
        #expect(state(Self.key(2)) == .up)
        // Nobody speaks for another neighbor by its discriminator.
        answer.state = .down
        for other in [Self.key(1), Self.key(2, interface: 2), Self.key(9)] {
            table.receive(datagram(answer, from: other), at: Self.start, output: &output)
        }
        answer.yourDiscriminator &+= 1
        table.receive(datagram(answer, from: Self.key(2)), at: Self.start, output: &output)
        #expect(table.refused == [.noSession: 5] && state(Self.key(2)) == .up)
        #expect(output.reports.map(\.state) == [.`init`, .up])
    }

    @Test func intervalsAreRaisedToTheShortestOne() {
        let (table, _) = table([Self.target(1, 10), Self.target(2, 60)])
        #expect(table.sessions.map(\.requiredReceive) == [.milliseconds(50), .milliseconds(60)])
    }

    /// A neighbor that comes back while its old session ends hears of the new one only.
    @Test func aNewSessionReplacesOneThatEnds() {
        var (table, output) = table([Self.target(1)])
        table.receive(datagram(packet, from: Self.key(1)), at: Self.start, output: &output)
        let old = table.sessions[0].discriminator
        output = SessionTable.Output()
        table.watch([], at: Self.start, output: &output)
        #expect(output.packets.map { try? ControlPacket($0.octets).state } == [.adminDown])
        #expect(table.sessions.isEmpty && table.targets.count == 1 && output.reports.isEmpty)
        table.watch([Self.target(1)], at: Self.start + .seconds(1), output: &output)
        output = SessionTable.Output()
        table.advance(to: Self.start + .seconds(2), output: &output)
        #expect(output.packets.map { try? ControlPacket($0.octets).state } == [.down])
        #expect(table.sessions[0].discriminator != old)
        table.watch([], at: Self.start + .seconds(2), output: &output)
        #expect(table.targets.isEmpty && table.nextDeadline == nil)
    }

    @Test func theEndOfTheProcessIsToldThreeTimes() {
        var (table, output) = table([Self.target(1), Self.target(2)])
        table.receive(datagram(packet, from: Self.key(1)), at: Self.start, output: &output)
        output = SessionTable.Output()
        table.endAll(at: Self.start, output: &output)
        #expect(output.packets.map(\.target.key) == [1, 1, 1, 2].map { Self.key($0) })
        #expect(output.packets.allSatisfy { (try? ControlPacket($0.octets).state) == .adminDown })
        #expect(table.targets.isEmpty)
    }
}
