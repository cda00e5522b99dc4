import Addressing
import Glibc
import Links
import Linux
import Netlink
import OSPF
import Routing
import TestSupport
import Testing

/// Random changes with a real kernel: new routes, cables, commands of other programs and restarts, often before the
/// notifications of the change before are read. In the end the kernel has the routes that the router wants.
@Suite(.serialized, .needsRoot) struct RandomKernelTests {
    /// Three cables, four destinations, and 40 prefixes that are spread over them.
    private struct RandomRun {
        var random: UInt64
        let fixture: MachineFixture
        let mode: FIB.Mode
        var node: Node
        var destinations: [UInt32: [NextHop]] = [:]
        let hops = (0..<3).map { MachineFixture.hop($0) }
        static let prefixes = 40

        init(seed: UInt64, mode: FIB.Mode) throws {
            random = seed
            self.mode = mode
            fixture = try MachineFixture(cables: 3)
            node = try Node(fixture, mode: mode)
            for id in 0..<4 { destinations[UInt32(id)] = [hops[id % 3]] }
            updateAll()
        }

        mutating func below(_ bound: Int) -> Int {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(random >> 33) % bound
        }

        /// The destination of a prefix.
        func owner(_ prefix: Int) -> UInt32 { UInt32(prefix % destinations.count) }

        /// As after SIGKILL: a new process adopts the kernel's routes, gets all routes of the router, and sweeps.
        mutating func restart() throws {
            node = try Node(fixture, mode: mode)
            for link in node.monitor.links.values { node.installer.handle(.link(link)) }
            updateAll()
            try node.installer.sweep()
        }

        /// Gives the installer all routes.
        func updateAll() {
            node.update(
                destinations.sorted { $0.key < $1.key }.map { ($0.key, $0.value) },
                (0..<Self.prefixes).map { ($0, owner($0)) })
        }

        /// A random change; then, in a third of the cases each, notifications are handled, routes are installed without them,
        /// or neither.
        mutating func step() throws {
            let cable = below(3)
            switch below(12) {
            case 0, 1, 2:
                let id = UInt32(below(destinations.count))
                let chosen = hops.filter { _ in below(2) == 0 }
                destinations[id] = chosen.isEmpty ? [hops[cable]] : chosen
                node.update([(id, destinations[id]!)])
            case 3, 4: try fixture.unplug(cable)
            case 5, 6: try fixture.plug(cable)
            case 7: try fixture.ip("link set c\(cable) down")
            case 8: try fixture.ip("link set c\(cable) up")
            case 9: _ = try? fixture.ip("-6 route del \(MachineFixture.prefix(below(Self.prefixes))) proto 71")
            case 10:
                let ids = try fixture.output("ip nexthop show").split(separator: "\n")
                if !ids.isEmpty {
                    _ = try? fixture.ip("nexthop del id \(ids[below(ids.count)].split(separator: " ")[1])")
                }
            default: if below(3) == 0 { try restart() }
            }
            switch below(3) {
            case 0: _ = try node.run { true }
            case 1: node.install()
            default: break
            }
        }

        var expected: [IPv6Prefix: [NextHop]] {
            Dictionary(
                uniqueKeysWithValues: (0..<Self.prefixes).map { (MachineFixture.prefix($0), destinations[owner($0)]!) })
        }
    }

    @Test(arguments: [FIB.Mode.objects, .multipath], [UInt64(1), 2, 3])
    func theKernelEndsWithTheWantedRoutes(mode: FIB.Mode, seed: UInt64) throws {
        var randomRun = try RandomRun(seed: seed, mode: mode)
        for step in 0..<40 {
            if step == 20 {
                _ = try randomRun.fixture.machine.run { KernelSettings.setNextHopCompatibility(false) }
            }
            try randomRun.step()
        }
        for cable in 0..<3 {
            try randomRun.fixture.ip("link set c\(cable) up")
            try randomRun.fixture.plug(cable)
        }
        let (node, expected) = (randomRun.node, randomRun.expected)
        #expect(try node.run { try node.kernelRoutes() == expected && !node.installer.fib.needsVerification })
        #expect(try node.kernelRoutes() == expected)
        #expect(expected.keys.allSatisfy { node.installer.state(of: $0) == .installed })
        guard mode == .objects else { return }
        let counts = node.installer.fib.counts
        #expect(
            try randomRun.fixture.output("ip nexthop show").split(separator: "\n").count == counts.nextHops
                + counts.groups)
        #expect(counts.nextHops == Set(randomRun.destinations.values.joined()).count)
    }
}
