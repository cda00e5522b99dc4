import Addressing
import OSPF
import Routing
import Testing

/// Random events for a FIB and a model of the kernel. Whatever links, other programs, failures and restarts do, the kernel ends
/// with the wanted routes.
@Suite struct RandomFIBTests {
    struct Scenario {
        var random: SplitMix
        var fib: FIB
        var kernel = ModelKernel()
        var router = ModelRouter()
        let mode: FIB.Mode
        // Two neighbors on each of four links.
        let hops = (1...4).flatMap { link in
            (1...2).map { NextHop(interface: UInt32(link), gateway: IPv6Address(0xfe80, 0, 0, 0, 0, 0, 0, $0)) }
        }
        let prefixes = (0..<40).map { IPv6Prefix(host: IPv6Address(0x2001, 0xdb8, 0, 0, 0, 0, 0, $0)) }
        /// The wanted service routes; the router may have routes to the same prefixes.
        var serviceRoutes: Set<IPv6Prefix> = []
        /// Notifications that the FIB has not received yet: of links, and of deletions by other programs.
        var notifications: [(inout FIB) -> Void] = []

        init(seed: UInt64, mode: FIB.Mode) {
            random = SplitMix(state: seed)
            self.mode = mode
            fib = FIB(configuration: Self.configuration(mode))
        }

        static func configuration(_ mode: FIB.Mode) -> FIB.Configuration {
            FIB.Configuration(mode: mode, nextHopIDs: 100...10_000)
        }

        /// Does what ``FIBInstaller`` does: reads if required, plans, applies, reports failures, at most four times.
        mutating func install(limit: Int = .max) {
            for _ in 0..<4 {
                if fib.requiredRead != .nothing {
                    fib.reconcile(kernel.dump(routes: fib.requiredRead == .everything))
                }
                let changes = fib.changes(limit: limit)
                if changes.isEmpty { break }
                for (change, failure) in changes.map({ ($0, kernel.apply($0)) }) {
                    if let failure { fib.failed(change, failure) }
                }
            }
        }

        mutating func receiveNotifications() {
            for item in notifications { item(&fib) }
            notifications = []
        }

        mutating func step() {
            switch random.below(24) {
            case 0..<8: fib.update(router.step(&random, hops: hops, prefixes: prefixes))
            case 8, 9:
                let link = UInt32(1 + random.below(4))
                kernel.loseLink(link)
                let isPurged = mode == .multipath && random.below(2) == 0
                if isPurged { kernel.purgePlainRoutes(through: link) }
                notifications.append { $0.linkLost(link) }
            case 10, 11, 12:
                guard let link = random.pick(kernel.downLinks.sorted()) else { return }
                kernel.downLinks.remove(link)
                notifications.append { $0.linkUsable(link) }
            case 13:
                guard let prefix = random.pick(kernel.routes.keys.sorted()) else { return }
                kernel.routes[prefix] = nil
                notifications.append { $0.routeDeleted(prefix) }
            case 14:
                guard let id = random.pick(kernel.objects.keys.sorted()) else { return }
                kernel.delete(id)
                notifications.append { $0.requireRead(.nextHops) }
            case 15:
                // All objects and routes are removed, and the notifications of that are lost.
                guard random.below(4) == 0 else { return }
                kernel.objects = [:]
                kernel.routes = [:]
                kernel.serviceRoutes = []
                notifications.append { $0.requireRead(.everything) }
            case 16:
                guard random.below(4) == 0 else { return }
                restart()
            case 17:
                let id = NextHopID(rawValue: UInt32(100 + random.below(30)))
                if kernel.objects[id] == nil { kernel.foreignObjects.insert(id) }
            case 18: receiveNotifications()
            case 19, 20:
                // The router restarts interfaces, as after a change of their configuration. The kernel has lost nothing.
                let links = Set(hops.map(\.interface)).subtracting(kernel.downLinks)
                let again = links.filter { _ in random.below(2) == 0 }.sorted()
                for link in again { fib.linkLost(link) }
                if random.below(2) == 0 { fib.update(router.step(&random, hops: hops, prefixes: prefixes)) }
                if random.below(2) == 0 { install() }
                for link in again { fib.linkUsable(link) }
            case 21:
                serviceRoutes = Set(prefixes.prefix(4).filter { _ in random.below(2) == 0 })
                fib.setServiceRoutes(serviceRoutes)
            case 22:
                guard let prefix = random.pick(kernel.serviceRoutes.sorted()) else { return }
                kernel.serviceRoutes.remove(prefix)
                notifications.append { $0.serviceRouteDeleted(prefix) }
            default: install(limit: random.below(3) == 0 ? 1 + random.below(10) : .max)
            }
        }

        /// A new FIB adopts what is in the kernel, and a restarted router gives the same routes under new numbers, as after
        /// `kill -9`.
        mutating func restart() {
            notifications = []
            fib = FIB(configuration: Self.configuration(mode))
            fib.adopt(kernel.dump(routes: true))
            for link in kernel.downLinks.sorted() { fib.linkLost(link) }
            fib.setServiceRoutes(serviceRoutes)
            for update in router.restart(&random) {
                fib.update(update)
                if random.below(2) == 0 { install() }
            }
            install()
            fib.sweep()
        }

        /// Receives notifications, installs and retries until nothing is left to do.
        mutating func settle() {
            receiveNotifications()
            for _ in 0..<20 {
                install()
                if !fib.hasFailures, !fib.isDirty, fib.requiredRead == .nothing, !fib.needsVerification { break }
                fib.retry()
                if fib.needsVerification { fib.requireRead(.nextHops) }
            }
        }

        /// Compares the kernel and the FIB with the router's routes. If no link is down, in mode `objects`, there must be no
        /// superfluous routes or objects either.
        func check(_ comment: Comment) {
            for prefix in prefixes {
                let destination = router.routes[prefix].map { router.destinations[$0]! }
                func isUsable(_ hop: NextHop) -> Bool { !kernel.downLinks.contains(hop.interface) }
                var wanted = destination.map { Set($0.nextHops.filter(isUsable)) }
                var backup = mode == .objects ? destination?.backup.flatMap { isUsable($0) ? $0 : nil } : nil
                if let hop = backup, wanted == [] { (wanted, backup) = ([hop], nil) }
                // Without a usable next hop, any result is right.
                if let wanted, wanted.isEmpty { continue }
                #expect(kernel.nextHops(of: prefix) == wanted, comment)
                #expect(kernel.backup(of: prefix) == backup, comment)
                if let destination, destination.isAnycast, mode == .objects {
                    #expect(kernel.group(of: prefix)?.isResilient == true, comment)
                }
                #expect(fib.state(of: prefix) == (wanted == nil ? nil : .installed), comment)
            }
            if !kernel.downLinks.contains(1) {
                #expect(kernel.serviceRoutes == serviceRoutes, comment)
                #expect(fib.serviceRouteStates.allSatisfy { $0.state == .installed }, comment)
                #expect(fib.counts.serviceRoutes == serviceRoutes.count, comment)
            }
            #expect(kernel.demotions.isEmpty, comment)
            guard mode == .objects, kernel.downLinks.isEmpty else { return }
            #expect(fib.counts.routes == kernel.routes.count, comment)
            #expect(fib.counts.groups + fib.counts.nextHops == kernel.objects.count, comment)
            #expect(fib.counts.groups == Set(router.destinations.keys).count, comment)
            #expect(
                fib.counts.nextHops
                    == Set(router.destinations.values.flatMap { $0.nextHops + [$0.backup].compactMap(\.self) }).count,
                comment)
        }
    }

    /// After 120 random events the kernel has the wanted routes, also when all links are up again, and then nothing changes.
    @Test(arguments: [FIB.Mode.objects, .multipath])
    func theKernelEndsWithTheWantedRoutes(mode: FIB.Mode) {
        for seed in 0..<400 {
            var scenario = Scenario(seed: UInt64(seed), mode: mode)
            for _ in 0..<120 { scenario.step() }
            scenario.settle()
            scenario.check("seed \(seed), links \(scenario.kernel.downLinks) down")
            for link in scenario.kernel.downLinks {
                scenario.notifications.append { $0.linkUsable(link) }
            }
            scenario.kernel.downLinks = []
            scenario.settle()
            scenario.check("seed \(seed)")
            let changes = scenario.kernel.changes
            scenario.install()
            #expect(scenario.kernel.changes == changes, "seed \(seed): no change is made when nothing has changed")
        }
    }

    /// A restart adopts all routes and makes no change.
    @Test(arguments: [FIB.Mode.objects, .multipath])
    func aRestartChangesNothingInTheKernel(mode: FIB.Mode) {
        for seed in 0..<200 {
            var scenario = Scenario(seed: UInt64(seed), mode: mode)
            scenario.serviceRoutes = Set(scenario.prefixes.prefix(2))
            scenario.fib.setServiceRoutes(scenario.serviceRoutes)
            for _ in 0..<30 {
                scenario.fib.update(
                    scenario.router.step(&scenario.random, hops: scenario.hops, prefixes: scenario.prefixes))
            }
            scenario.settle()
            scenario.check("seed \(seed), before the restart")
            let changes = scenario.kernel.changes
            scenario.restart()
            scenario.settle()
            #expect(scenario.kernel.changes == changes, "seed \(seed): a restart makes no change")
            scenario.check("seed \(seed), after the restart")
        }
    }
}
