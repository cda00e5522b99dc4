import Addressing
import OSPF
import OSPFPacket
import Testing
import Timing

@Suite struct ReorderedFlushTests {
    /// Found by the simulator on links that reorder: a flush overtakes the instance that it flushes. The flush was acknowledged
    /// and not stored, the instance counted as new, and the withdrawn prefix stayed for an hour (MaxAge).
    @Test func anInstanceThatArrivesAfterItsFlushIsNotInstalled() {
        var bench = Bench()
        bench.addRouters(3)
        bench.connect([0, 1])
        bench.connect([1, 2])
        bench.run(for: .seconds(2))
        let key = LSAKey(type: .asExternal, linkStateID: 7, advertisingRouter: RouterID(99))
        let body = LSABody.asExternal(
            ASExternalLSA(isType2: true, metric: 1, prefix: LSAPrefix(prefix: .default)))
        let instance = LSA(key: key, age: 1, sequenceNumber: 5, body: body)
        var flush = instance
        flush.age = LSAHeader.maxAge
        for lsa in [flush, instance] {
            bench.receive(.linkStateUpdate(LinkStateUpdate(lsas: [lsa])), on: 1, from: 0, link: 0)
            bench.run(for: .milliseconds(100))
        }
        bench.run(for: .seconds(3))
        for router in bench.routers {
            #expect(!router.databaseSnapshot(at: bench.now).contains { $0.lsa.key == key })
            #expect(router.isQuiet)
        }
    }

    /// A late copy of an update arrives 300 ms after the flush, when all neighbors have acknowledged that. A flushed LSA stays
    /// in the database for 1 s (`Router.maxAgeHold`), so the copy is recognized as older.
    @Test func aLateCopyAfterAnAcknowledgedFlushIsNotInstalled() {
        var bench = Bench()
        bench.addRouters(3)
        bench.connect([0, 1])
        bench.connect([1, 2])
        bench.run(for: .seconds(2))
        bench.handle(.advertiseExternal([ExternalPrefix(prefix: .default)]), on: 0)
        bench.run(for: .milliseconds(100))
        // Type 4 is link state update.
        let copy = bench.sent.last { $0.from.router == 0 && $0.octets[1] == 4 }!
        bench.handle(.advertiseExternal([]), on: 0)
        bench.run(for: .milliseconds(300))
        bench.handle(
            .packet(
                interface: 1, source: Bench.address(copy.from), destination: .allSPFRouters, octets: copy.octets),
            on: 1)
        bench.run(for: .seconds(5))
        for router in bench.routers {
            #expect(!router.databaseSnapshot(at: bench.now).contains { $0.lsa.key.type == .asExternal })
        }
    }

    /// Found by the simulator: a router shuts down and is back at once, with the same LSAs and sequence numbers. The flush of
    /// its earlier run arrives during the exchange, when the neighbor has described the LSAs as they were. The router must
    /// originate newer instances.
    @Test func aFlushOfAnEarlierRunDuringTheExchangeIsAnsweredWithNewerInstances() {
        var bench = Bench()
        bench.addRouters(2)
        bench.connect([0, 1])
        bench.run(for: .seconds(2))
        let interface = bench.routers[1].interfaceSnapshots[0].configuration
        bench.filter = { port, _ in port.router == 0 }
        bench.handle(.shutdown, on: 1)
        let flush = bench.sent.last { $0.from.router == 1 && $0.octets[1] == 4 }!
        bench.filter = { _, _ in true }
        let configuration = RouterConfiguration(routerID: bench.routers[1].configuration.routerID, hostname: "n2")
        bench.routers[1] = Router(configuration: configuration, at: bench.now)
        bench.handle(.interfaceUp(interface), on: 1)
        while bench.routers[0].neighborSnapshots.map(\.state) != [.exchange] { bench.run(for: .microseconds(10)) }
        bench.handle(
            .packet(
                interface: 1, source: Bench.address(flush.from), destination: .allSPFRouters, octets: flush.octets),
            on: 0)
        bench.run(for: .seconds(10))
        #expect(bench.routers.allSatisfy { $0.neighborSnapshots.map(\.state) == [.full] && $0.isQuiet })
        #expect(bench.routers[0].databaseChecksum == bench.routers[1].databaseChecksum)
    }

    /// Found by the simulator: the instance with the last sequence number, flushed before the sequence starts again (RFC 2328
    /// §12.1.6), arrives as a late copy after that. If it was flushed once more, or replaced the restarted sequence at another
    /// router, this could go on forever.
    @Test func aLateCopyWithTheLastSequenceNumberIsNotFlushedAgain() throws {
        var bench = Bench()
        bench.addRouters(3)
        bench.connect([0, 1])
        bench.connect([1, 2])
        bench.handle(.advertise([AdvertisedPrefix(prefix: IPv6Prefix("2001:db8::/64"))]), on: 0)
        bench.run(for: .seconds(2))
        func announced(on router: Int) -> LSA? {
            bench.routers[router].databaseSnapshot(at: bench.now).map(\.lsa).first {
                $0.key.type == .intraAreaPrefix && $0.key.advertisingRouter == bench.routers[0].routerID
            }
        }
        let key = try #require(announced(on: 0)).key
        let body = try #require(announced(on: 0)).body()
        var last = LSA(key: key, age: 1, sequenceNumber: LSAHeader.maxSequenceNumber, body: body)
        bench.receive(.linkStateUpdate(LinkStateUpdate(lsas: [last])), on: 0, from: 1, link: 0)
        bench.run(for: .seconds(5))
        // A sequence that starts again begins one higher each time.
        let secondStart = LSAHeader.initialSequenceNumber + 1 << 16
        for router in 0..<3 { #expect(announced(on: router)?.header.sequenceNumber == secondStart) }

        // At another router the late copy changes nothing: it is acknowledged, and the neighbor sent the restarted sequence.
        last.age = LSAHeader.maxAge
        bench.sent = []
        bench.receive(.linkStateUpdate(LinkStateUpdate(lsas: [last])), on: 1, from: 2, link: 1)
        #expect(announced(on: 1)?.header.sequenceNumber == secondStart)
        #expect(!bench.routers[1].isQuiet)
        bench.run(for: .seconds(20))
        for router in 0..<3 { #expect(announced(on: router)?.header.sequenceNumber == secondStart) }
        #expect(bench.routers[1].isQuiet)
        let toSender = bench.sent.filter { $0.from.router == 1 && $0.from.interface == 2 }.compactMap {
            try? Packet.decode($0.octets, source: Bench.address($0.from), destination: $0.destination).body
        }
        #expect(
            toSender.contains {
                if case .linkStateAcknowledgment(let acknowledgment) = $0 {
                    acknowledgment.headers.contains(last.header)
                } else {
                    false
                }
            })
        #expect(
            toSender.contains {
                guard case .linkStateUpdate(let update) = $0 else { return false }
                return update.lsas.contains { $0.key == key && $0.header.sequenceNumber == secondStart }
            })

        // At the originator, the sender is answered with a new instance.
        bench.receive(.linkStateUpdate(LinkStateUpdate(lsas: [last])), on: 0, from: 1, link: 0)
        bench.run(for: .seconds(5))
        for router in 0..<3 { #expect(announced(on: router)?.header.sequenceNumber == secondStart + 1) }
        for router in bench.routers { #expect(router.isQuiet) }
        #expect(!bench.nextHops(of: "2001:db8::/64", on: 2).isEmpty)

        // A late copy with the number before the last arrives, too. The next number is the last, which was used before, and
        // late acknowledgments of that must not count: it is sent only as a flush, and the sequence starts again.
        let late = LSA(key: key, age: 1, sequenceNumber: LSAHeader.maxSequenceNumber - 1, body: body)
        bench.sent = []
        bench.receive(.linkStateUpdate(LinkStateUpdate(lsas: [late])), on: 0, from: 1, link: 0)
        bench.run(for: .seconds(5))
        let thirdStart = LSAHeader.initialSequenceNumber + 2 << 16
        for router in 0..<3 { #expect(announced(on: router)?.header.sequenceNumber == thirdStart) }
        let instances = bench.sent.flatMap { packet -> [LSA] in
            let decoded = try? Packet.decode(
                packet.octets, source: Bench.address(packet.from), destination: packet.destination)
            guard case .linkStateUpdate(let update)? = decoded?.body else { return [] }
            return update.lsas.filter { $0.key == key && $0.header.sequenceNumber == LSAHeader.maxSequenceNumber }
        }
        #expect(!instances.isEmpty && instances.allSatisfy { $0.age == LSAHeader.maxAge })
    }
}

extension Bench {
    /// Lets a router receive a packet from another one on a link, at once.
    fileprivate mutating func receive(_ body: Packet.Body, on router: Int, from sender: Int, link: Int) {
        let from = links[link].first { $0.router == sender }!
        let to = links[link].first { $0.router == router }!
        let header = PacketHeader(
            routerID: routers[sender].configuration.routerID, areaID: .backbone, instanceID: 0)
        let octets = Packet(header: header, body: body).encode(
            source: Self.address(from), destination: Self.address(to))
        handle(
            .packet(
                interface: to.interface, source: Self.address(from), destination: Self.address(to), octets: octets),
            on: router)
    }
}
