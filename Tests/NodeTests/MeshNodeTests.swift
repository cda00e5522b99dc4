import Addressing
import Links
import MeshConfiguration
import OSPF
import Routing
import Services
import Testing
import Timing

@testable import Node

/// Situations from operation, each of which an earlier version handled wrongly.
@Suite struct MeshNodeTests {
    private let vip = VIP(name: "api", address: IPv6Address("2001:db8:a::1")!)
    private var withVIP: Configuration {
        var configuration = Configuration()
        configuration.vips = [vip]
        return configuration
    }

    @Test func theIdentityOfANodeStaysWhenItsPortsChange() throws {
        var first = NodeBench()
        first.start()
        let identity = try #require(first.node.identity)
        #expect(identity.address == Configuration().addressing.plan.nodeAddress(for: NodeBench.eno1.macAddress!))
        // The port with the hardware address of the identity is removed, with or without another in its place, or all ports
        // are, and the agent starts again.
        let added = Link(index: 9, name: "usb0", macAddress: MACAddress("00:00:5e:00:00:01")!, isPhysical: true)
        for ports in [[NodeBench.enp1s0], [NodeBench.enp1s0, added], []] {
            var restarted = NodeBench(saved: first.saved, nonce: 99)
            restarted.start(ports)
            #expect(restarted.node.identity == identity, "address, router ID and fingerprint stay")
        }
    }

    /// The identity comes from the lowest hardware address of all physical ports, also those that are not used.
    @Test func theIdentityMayComeFromAnUnusedPort() throws {
        var configuration = Configuration()
        var ignored = InterfaceRule(pattern: .named(Glob("eno1")!))
        ignored.role = .ignored
        configuration.interfaces = [ignored] + configuration.interfaces
        var bench = NodeBench(configuration)
        bench.start()
        #expect(bench.node.identity?.saved?.mac == NodeBench.eno1.macAddress)
        #expect(bench.node.interfaces.unused[2]?.reason == .ignored)
    }

    /// A refused address is tried again within 30 s.
    @Test func anAddressThatTheKernelRefusesIsNotAnnouncedAndIsAProblem() {
        var bench = NodeBench(withVIP)
        bench.refusedAddresses = [vip.address]
        bench.start()
        bench.run(for: .seconds(5))
        #expect(!bench.announces(vip.address))
        #expect(bench.problems(.refusedAddress).map(\.subject) == ["\(vip.address)"])
        #expect(bench.log.count { $0.contains("cannot add \(vip.address)") } == 1)
        // The attempts in between do not end the problem.
        let since = bench.problems(.refusedAddress).first?.since
        bench.run(for: .seconds(90))
        #expect(since != nil && bench.problems(.refusedAddress).first?.since == since)
        bench.refusedAddresses = []
        bench.run(for: .seconds(40))
        #expect(bench.announces(vip.address) && bench.problems(.refusedAddress).isEmpty)
    }

    /// The check of the service proxy is no VIP: no address is placed on `lo` because of it.
    @Test func theCheckOfTheServiceProxyPlacesNoAddress() throws {
        var configuration = Configuration()
        configuration.kubernetes.proxyCheck = HealthCheck(probe: .tcp([Endpoint("[::1]:10256")!]), rise: 2, fall: 2)
        var bench = NodeBench(configuration, hasCluster: true)
        bench.start()
        let addresses = Set(bench.loopback.keys)
        let id = try #require(bench.checks.first)
        for outcome in [CheckOutcome.success, .failure("refused"), .success] {
            for _ in 0..<5 { bench.handle(.checked(id, outcome)) }
            #expect(Set(bench.loopback.keys) == addresses && bench.problems(.refusedAddress).isEmpty)
            #expect(bench.problems(.serviceProxy).isEmpty == (outcome == .success))
        }
        #expect(!bench.log.contains { $0.contains("VIP") })
    }

    @Test func anAddressThatTheNodeDidNotAddIsNotRemoved() {
        var bench = NodeBench(withVIP)
        bench.loopback[vip.address] = false
        bench.start()
        bench.run(for: .seconds(1))
        #expect(bench.announces(vip.address))
        bench.handle(.configuration(Configuration()))
        #expect(!bench.announces(vip.address))
        #expect(bench.loopback[vip.address] == false, "the node removes only addresses that it added")
    }

    /// An address of an earlier run is removed if the first outcome of its VIP's check is a failure, also if that comes before
    /// the kernel's routes are read. Origin 71 is our mark.
    @Test func aVIPWhoseCheckFailsBeforeTheKernelIsReadIsRemoved() throws {
        var configuration = Configuration()
        var checked = vip
        checked.check = HealthCheck(probe: .tcp([Endpoint("[::1]:80")!]), rise: 1, fall: 1)
        configuration.vips = [checked]
        var bench = NodeBench(configuration)
        bench.isKernelReadable = false
        bench.loopback[vip.address] = true
        bench.start(addresses: [InterfaceAddress(interface: 1, address: vip.address, prefixLength: 128, origin: 71)])
        let check = try #require(bench.checks.first)
        bench.handle(.checked(check, .failure("refused")))
        #expect(bench.node.router == nil)
        bench.isKernelReadable = true
        bench.run(for: .seconds(5))
        #expect(bench.node.router != nil && bench.loopback[vip.address] == nil)
    }

    /// The order of effects: packets, so that other nodes do not wait for this kernel; then routes; then all else, such as log
    /// lines.
    @Test func effectsArePacketsThenRoutesThenTheOthers() {
        var bench = NodeBench()
        bench.start()
        bench.run(for: .seconds(1))
        var effects: [NodeEffect] = []
        var withoutCarrier = NodeBench.enp1s0
        withoutCarrier.hasCarrier = false
        bench.node.note(.kernel([.link(withoutCarrier)]), at: bench.now)
        bench.node.note(.command(.drain(true)), at: bench.now)
        bench.node.note(.routes([.overflow]), at: bench.now)
        bench.node.notifyRouter(.timer, at: bench.now + .seconds(1))
        bench.node.settle(at: bench.now, effects: &effects)
        let kinds = effects.map { effect in
            switch effect {
            case .send: 0
            case .routes: 1
            default: 2
            }
        }
        #expect(kinds == kinds.sorted() && Set(kinds) == [0, 1, 2], "effects out of order: \(effects)")
    }

    /// The kernel notifies changes of forwarding, so the setting is checked at once; otherwise every 60 s.
    @Test func aChangedSettingIsSetBackAndAFailureToDoSoIsAProblem() {
        var bench = NodeBench()
        let name = "net.ipv6.conf.all.forwarding"
        bench.settings[name] = .unchanged
        bench.start()
        bench.run(for: .seconds(20))
        bench.settings[name] = .changed(from: "0")
        bench.handle(.kernel([.settingsChanged]))
        #expect(bench.log.contains { $0.contains("\(name) was changed to 0 by another program; set back") })
        bench.settings[name] = .failed("read-only file system")
        bench.run(for: .seconds(70))
        #expect(bench.problems(.setting).map(\.subject) == [name])
        // It could not be set before, so no other program has changed it.
        bench.log = []
        bench.settings[name] = .changed(from: "0")
        bench.run(for: .seconds(70))
        #expect(bench.log.contains("set \(name) = 1 (was 0)"))
        bench.settings[name] = .unchanged
        bench.run(for: .seconds(20))
        #expect(bench.problems(.setting).isEmpty)
    }

    /// eno1 (interface 2) has an address outside of the mesh's address plan, 192.168.1.5, or a default route, so the rule `*`
    /// does not use it. A rule that names it does. A router advertisement has the same effect for an hour.
    @Test func aPortOfAnotherNetworkIsNotUsedUnlessARuleNamesIt() {
        let lan = InterfaceAddress(
            interface: 2, address: IPv6Address(IPv4Address(0xc0a8_0105)), prefixLength: 120)
        let route = DefaultRoute(interface: 2, family: .ipv4)
        for (addresses, defaults) in [([lan], []), ([], [route])] {
            var bench = NodeBench()
            bench.start(addresses: addresses, defaults: defaults)
            #expect(Set(bench.node.interfaces.ports.keys) == [3])
            // The rule goes before `*`, because the first rule that matches decides.
            let hint = "interfaces: [ { match: eno1 }, { match: \"*\" } ]"
            #expect(bench.log.contains { $0.contains("not using eno1") && $0.contains(hint) })
        }
        var configuration = Configuration()
        configuration.interfaces.insert(InterfaceRule(pattern: .named(Glob("eno*")!)), at: 0)
        var named = NodeBench(configuration)
        named.start(addresses: [lan], defaults: [route])
        #expect(Set(named.node.interfaces.ports.keys) == [2, 3])
        // A router advertisement arrives later.
        var bench = NodeBench()
        bench.start()
        #expect(Set(bench.node.interfaces.ports.keys) == [2, 3])
        bench.handle(.kernel([.routerAdvertised(interface: 2)]))
        #expect(Set(bench.node.interfaces.ports.keys) == [3])
        // The hour, 3600 s, begins with the last advertisement.
        bench.run(for: .seconds(1800))
        bench.handle(.kernel([.routerAdvertised(interface: 2)]))
        bench.run(for: .seconds(1801))
        #expect(Set(bench.node.interfaces.ports.keys) == [3])
        bench.run(for: .seconds(1800))
        #expect(Set(bench.node.interfaces.ports.keys) == [2, 3])
        // After a loss of carrier, the cable may lead elsewhere.
        bench.handle(.kernel([.routerAdvertised(interface: 2)]))
        #expect(Set(bench.node.interfaces.ports.keys) == [3])
        var pulled = NodeBench.eno1
        pulled.hasCarrier = false
        bench.handle(.kernel([.link(pulled), .link(NodeBench.eno1)]))
        #expect(Set(bench.node.interfaces.ports.keys) == [2, 3])
    }

    /// The protocol number and table of a run are saved. If those of the next differ, it removes what is left under the old
    /// ones, and saves its own when that has succeeded.
    @Test func routesOfAnEarlierRunWithAnotherProtocolNumberAreRemoved() {
        let current = SavedKernel(routeProtocol: 252, table: 254)
        var configuration = Configuration()
        (configuration.kernel.routeProtocol, configuration.kernel.table) = (current.routeProtocol, current.table)
        var saved = SavedState()
        for _ in 0..<2 {
            var bench = NodeBench(configuration, saved: saved)
            bench.start()
            #expect(bench.removedRemains == [] && bench.saved.kernel == current)
            saved = bench.saved
        }
        saved.kernel = SavedKernel(routeProtocol: 90, table: 254)
        var refused = NodeBench(configuration, saved: saved)
        refused.remainsResult = .failure(NodeFailure("permission denied"))
        refused.start()
        #expect(refused.removedRemains == [saved.kernel!] && refused.saved.kernel == saved.kernel)
        #expect(refused.log.contains { $0.contains("protocol 90") && $0.contains("permission denied") })
        var bench = NodeBench(configuration, saved: saved)
        bench.start()
        #expect(bench.removedRemains == [saved.kernel!] && bench.saved.kernel == current)
    }

    /// eno1 has a default route from a router advertisement, so it is not used and keeps accepting them.
    @Test func routerAdvertisementsAreAcceptedOnPortsOutsideTheMesh() {
        var bench = NodeBench()
        bench.start(defaults: [DefaultRoute(interface: 2, family: .ipv6, isAdvertised: true)])
        let asked = bench.requestedSettings.last ?? []
        #expect(asked.contains(.keepRouterAdvertisements(port: "eno1")))
        // A port that only the rule `*` matches may still turn out to belong to another network.
        #expect(asked.contains(.keepRouterAdvertisements(port: "enp1s0")))
        var configuration = Configuration()
        configuration.interfaces.insert(InterfaceRule(pattern: .named(Glob("enp*")!)), at: 0)
        var named = NodeBench(configuration)
        named.start()
        #expect(named.requestedSettings.last?.contains(.refuseRouterAdvertisements(port: "enp1s0")) == true)
        // A port that was in use accepts router advertisements again when it is no longer used.
        bench.handle(.kernel([.defaultRoute(DefaultRoute(interface: 3, family: .ipv6, isAdvertised: false))]))
        bench.run(for: .seconds(20))
        #expect(bench.requestedSettings.last?.contains(.acceptRouterAdvertisements(port: "enp1s0")) == true)
        #expect(bench.problems(.unusablePort).map(\.subject) == ["enp1s0"])
        #expect(
            asked.firstIndex(of: .keepRouterAdvertisements(port: "eno1"))! < asked.firstIndex(of: .forwarding)!,
            "router advertisements are kept before forwarding is on, or the kernel drops the default route")
    }

    /// The machine is connected to 192.168.1.0/24, which contains the pool.
    @Test func aPoolInsideAConnectedSubnetIsRefused() throws {
        var configuration = Configuration()
        configuration.addressing.ipv4.nodes = PrefixPool(base: IPv4Prefix("192.168.1.0/30")!, length: 32)
        var bench = NodeBench(configuration)
        bench.start(addresses: [
            InterfaceAddress(interface: 2, address: IPv6Address(IPv4Address(0xc0a8_0105)), prefixLength: 120)
        ])
        bench.run(for: .seconds(20))
        #expect(bench.node.ipv4.address == nil)
        #expect(bench.problems(.ipv4Range).map(\.text).first?.contains("192.168.1.0/24") == true)
    }

    /// The machine is connected to one of the two /31 of the pool, so the node takes an address of the other.
    @Test func noAddressOfAConnectedSubnetIsAssignedFromThePool() throws {
        var configuration = Configuration()
        configuration.addressing.ipv4.nodes = PrefixPool(base: IPv4Prefix("192.168.0.0/30")!, length: 32)
        for last in [UInt32(0), 1, 2, 3] {
            var bench = NodeBench(configuration)
            bench.start(addresses: [
                InterfaceAddress(interface: 2, address: IPv6Address(IPv4Address(0xc0a8_0000 | last)), prefixLength: 127)
            ])
            bench.run(for: .seconds(20))
            let taken = try #require(bench.node.ipv4.address)
            #expect(taken.rawValue & ~1 != (0xc0a8_0000 | last) & ~1)
        }
    }

    /// The machine gets an address in the /31 of the address that the node has assigned to itself.
    @Test func aRangeIsGivenUpWhenTheMachineIsConnectedToItsSubnet() throws {
        var configuration = Configuration()
        configuration.addressing.ipv4.nodes = PrefixPool(base: IPv4Prefix("192.168.0.0/29")!, length: 32)
        var bench = NodeBench(configuration)
        bench.start()
        bench.run(for: .seconds(20))
        let first = try #require(bench.node.ipv4.address)
        let subnet = InterfaceAddress(interface: 2, address: IPv6Address(first), prefixLength: 127)
        bench.handle(.kernel([.address(subnet)]))
        bench.run(for: .seconds(5))
        let second = try #require(bench.node.ipv4.address)
        #expect(second.rawValue & ~1 != first.rawValue & ~1)
        #expect(bench.loopback[IPv6Address(first)] == nil && bench.announces(IPv6Address(second)))
        #expect(bench.log.contains { $0.hasPrefix("gave up \(first)/32: it overlaps") })
        // Also after a restart: the address was saved before the machine was connected to the subnet.
        var restarted = NodeBench(configuration, saved: bench.saved)
        restarted.start(addresses: [
            InterfaceAddress(interface: 2, address: IPv6Address(second), prefixLength: 127)
        ])
        restarted.run(for: .seconds(20))
        let third = try #require(restarted.node.ipv4.address)
        #expect(third.rawValue & ~1 != second.rawValue & ~1)
    }

    @Test func stateThatCannotBeSavedIsAProblemUntilItIsSaved() {
        var bench = NodeBench()
        bench.saveFailure = "read-only file system"
        bench.start()
        bench.handle(.command(.drain(true)))
        bench.run(for: .seconds(100))
        #expect(bench.problems(.unsaved).count == 1 && bench.saved.identity == nil)
        #expect(bench.log.count { $0.contains("the node's identity is not saved") } == 1)
        bench.saveFailure = nil
        bench.run(for: .seconds(40))
        #expect(bench.problems(.unsaved).isEmpty)
        #expect(bench.saved.identity == bench.node.identity?.saved && bench.saved.isDrained)
        #expect(bench.log.last { $0.contains("saved") } == "the node's state is saved again")
        bench.saveFailure = "read-only file system"
        bench.handle(.command(.drain(false)))
        #expect(bench.problems(.unsaved).count == 1)
        #expect(bench.log.last { $0.contains("saved") }?.hasPrefix("whether the node is drained is not saved") == true)
    }

    @Test func aLoopbackInterfaceThatGoesDownIsSetUpAgain() {
        var bench = NodeBench()
        bench.start()
        bench.run(for: .seconds(20))
        let before = bench.requestedSettings.count
        var lo = NodeBench.loopbackLink
        lo.isUp = false
        bench.handle(.kernel([.link(lo)]))
        #expect(bench.requestedSettings.count == before + 1)
        #expect(bench.requestedSettings.last?.contains(.loopbackUp) == true)
        #expect(bench.problems(.loopbackDown).count == 1)
    }

    /// The CNI file is checked every 15 s.
    @Test func theCNIFileIsCheckedRegularlyAndAFailureIsAProblem() {
        var configuration = Configuration()
        configuration.cni = Configuration.CNIOptions()
        var bench = NodeBench(configuration)
        bench.start()
        bench.run(for: .seconds(20))
        let before = bench.files.count
        #expect(before >= 1 && Set(bench.files).count == 1)
        bench.run(for: .seconds(20))
        #expect(bench.files.count > before, "the node checks the file from time to time")
        bench.fileResult = .failure(NodeFailure("no space"))
        bench.run(for: .seconds(20))
        #expect(bench.problems(.podNetwork).count == 1)
    }

    /// The CNI file is first written when the IPv4 range is known, or cannot be had.
    @Test func theCNIFileIsWrittenWhenTheSelfAssignedRangeIsKnown() throws {
        var configuration = Configuration()
        configuration.cni = Configuration.CNIOptions()
        configuration.addressing.ipv4.pods = PrefixPool(base: try #require(IPv4Prefix("10.42.0.0/16")), length: 24)
        var bench = NodeBench(configuration)
        bench.start()
        bench.run(for: .seconds(20))
        #expect(bench.files.first?.ranges.contains { $0.ipv4 != nil } == true && Set(bench.files).count == 1)
        // A pool without a free range does not keep pods from IPv6.
        bench = NodeBench(configuration)
        bench.foreignRoutes = .success([
            ForeignRoute(
                prefix: IPv6Prefix(IPv4Prefix("10.0.0.0/8")!), interfaces: [2], protocolNumber: 3, isConnected: false)
        ])
        bench.start()
        bench.run(for: .seconds(20))
        #expect(bench.files.first?.ranges.isEmpty == false)
    }

    /// The CNI file also depends on the reports of the cluster. It must follow them although nothing changes in the mesh.
    @Test func theCNIFileFollowsTheReportsOfTheCluster() throws {
        var configuration = Configuration()
        configuration.cni = Configuration.CNIOptions()
        var bench = NodeBench(configuration, hasCluster: true)
        bench.start()
        bench.run(for: .seconds(30))
        #expect(bench.files.isEmpty)
        let waiting = try #require(bench.problems(.podNetwork).first)
        #expect(waiting.text.hasSuffix("waiting for the Node n1 from the API server"))
        #expect(bench.log.contains { $0.contains(waiting.text) })
        var view = ClusterView(origin: "test", resources: [:], node: NodeConditions(name: "n1"))
        func report(_ view: ClusterView) -> NodeEvent {
            .cluster(ClusterReport(view: view, changes: [:], notices: []))
        }
        // The cluster has reported, but the Node is not known yet.
        bench.handle(report(view))
        #expect(bench.files.isEmpty)
        view.isNodeKnown = true
        bench.handle(report(view))
        let plan = try #require(bench.node.identity?.podPrefixes)
        #expect(bench.files.map(\.ranges) == [plan] && bench.problems(.podNetwork).isEmpty)
        view.podCIDRs = [IPv6Prefix("fd00:7::/120")!]
        bench.handle(report(view))
        #expect(bench.files.map(\.ranges) == [plan, view.podCIDRs])
        #expect(bench.offers.isEmpty, "ranges are offered only if that is configured")
    }

    /// Ranges that do not change are offered once.
    @Test func rangesAreOfferedIfThatIsConfigured() throws {
        var configuration = Configuration()
        configuration.cni = Configuration.CNIOptions()
        configuration.kubernetes.offersPodRanges = true
        var bench = NodeBench(configuration, hasCluster: true)
        bench.start()
        bench.run(for: .seconds(60))
        #expect(bench.offers == [try #require(bench.node.identity?.podPrefixes)])
    }

    @Test func portFlapsAreCountedAndMTUChangesLogged() {
        var bench = NodeBench()
        bench.start()
        bench.run(for: .seconds(1))
        var withoutCarrier = NodeBench.enp1s0
        withoutCarrier.hasCarrier = false
        for _ in 0..<12 { bench.handle(.kernel([.link(withoutCarrier), .link(NodeBench.enp1s0)])) }
        #expect(bench.node.counters.portFlaps == ["enp1s0": 12])
        var smallerMTU = NodeBench.enp1s0
        smallerMTU.mtu = 1400
        bench.handle(.kernel([.link(smallerMTU)]))
        #expect(bench.log.contains("interface enp1s0: MTU 1500 → 1400"))
    }

    @Test func aRemovedPortIsAProblemUntilAPortOfItsNameAppears() {
        var bench = NodeBench()
        bench.start()
        bench.run(for: .seconds(1))
        bench.handle(.kernel([.linkRemoved(NodeBench.enp1s0)]))
        #expect(bench.log.contains("interface enp1s0 is down: the port is gone (removed)"))
        #expect(bench.problems(.vanishedPort).map(\.subject) == ["enp1s0"])
        var again = NodeBench.enp1s0
        again.index = 12
        bench.handle(.kernel([.link(again)]))
        #expect(bench.problems(.vanishedPort).isEmpty)
    }

    /// A port without a neighbor counts as silent after two dead intervals, 8 s; reviews follow every 5 s.
    @Test func aPortWithoutANeighborIsAProblem() {
        var bench = NodeBench()
        bench.start([NodeBench.enp1s0])
        bench.run(for: .seconds(5))
        #expect(bench.problems(.silentPort).isEmpty, "a neighbor may still appear")
        bench.run(for: .seconds(10))
        #expect(bench.problems(.silentPort).map(\.subject) == ["enp1s0"])
        #expect(bench.node.isIsolated && bench.problems(.isolated).count == 1)
        #expect(bench.node.notReady(at: bench.now).isEmpty, "a node without neighbors is ready without routes")
    }

    /// The node has no neighbors, so the initial synchronization ends after at most two dead intervals (8 s).
    @Test func readinessIsLoggedWithItsReason() {
        var bench = NodeBench()
        bench.start()
        #expect(bench.node.notReady(at: bench.now) == ["initial database synchronization is not complete"])
        for _ in 0..<2000 where !bench.node.notReady(at: bench.now).isEmpty { bench.run(for: .milliseconds(10)) }
        #expect(bench.node.notReady(at: bench.now).isEmpty)
        // At once, not at the next review.
        #expect(bench.log.contains("ready; resolved: initial database synchronization is not complete"))
    }

    @Test func aMissingConfigurationFileIsAProblemUntilItIsBack() throws {
        var bench = NodeBench(withVIP)
        bench.start()
        bench.handle(.configurationRefused(["f.yaml:1:1: unknown key"]))
        #expect(bench.problems(.configuration).map(\.subject) == ["f.yaml:1:1: unknown key"])
        bench.handle(.configurationMissing(file: "f.yaml", read: "noon", remedy: "put it back"))
        let problem = try #require(bench.problems(.configuration).first)
        #expect(bench.problems(.configuration).count == 1, "a missing file replaces the problem of a refused one")
        #expect(
            problem.line
                == "the configuration file f.yaml is gone; the configuration read at noon stays in use; put it back")
        #expect(bench.log.count { $0 == problem.line } == 1)
        bench.handle(.configuration(withVIP))
        #expect(bench.problems(.configuration).isEmpty)
        bench.handle(.configurationRefused(["f.yaml:1:1: unknown key"]))
        bench.handle(.configurationMissing(file: "f.yaml", read: nil, remedy: "put it back"))
        #expect(bench.problems(.configuration).isEmpty, "a missing file that was never in use is no problem")
    }

    @Test func aDrainIsSavedAndMakesVIPsLastResort() {
        var bench = NodeBench(withVIP)
        bench.start()
        bench.handle(.command(.drain(true)))
        func metric(_ bench: NodeBench) -> UInt16? {
            bench.node.announced.first { $0.prefix.address == vip.address }?.metric
        }
        #expect(metric(bench) == AdvertisedPrefix.lastResort && bench.node.router?.isStubRouter == true)
        var restarted = NodeBench(withVIP, saved: bench.saved)
        restarted.start()
        #expect(metric(restarted) == AdvertisedPrefix.lastResort && restarted.node.router?.isStubRouter == true)
        restarted.handle(.command(.drain(false)))
        #expect(metric(restarted) == 0 && restarted.node.router?.isStubRouter == false)
    }

    @Test func aLateTimerIsReportedOnce() throws {
        var bench = NodeBench()
        bench.start()
        bench.run(for: .seconds(5))
        let deadline = try #require(bench.node.nextDeadline)
        func reports(_ bench: NodeBench) -> [String] { bench.log.filter { $0.contains("late") } }
        bench.now = deadline + .milliseconds(1999)
        var busy = bench
        busy.handle(.timer)
        #expect(reports(busy).isEmpty && busy.problems(.stopped).isEmpty)
        // Whichever event comes first, the delay is reported once.
        for first in [NodeEvent.timer, .kernel([]), .command(.drain(true))] {
            var stopped = bench
            stopped.now = deadline + .seconds(10)
            stopped.node.note(first, at: stopped.now)
            stopped.handle(.kernel([]))
            #expect(reports(stopped) == ["a timer was 10 s late: this process did not run, or was busy"])
            #expect(stopped.problems(.stopped).count == 1)
        }
    }

    /// A stop keeps the node's own address on `lo` and removes the VIPs, unless everything is to be removed.
    @Test func aStopKeepsTheNodesOwnAddressAndRemovesTheOthers() throws {
        var bench = NodeBench(withVIP)
        bench.start()
        let own = try #require(bench.node.identity?.address)
        #expect(Set(bench.loopback.keys) == [own, vip.address])
        bench.handle(.command(.stop(removingEverything: false)))
        #expect(Set(bench.loopback.keys) == [own] && bench.node.nextDeadline == nil)
        var all = NodeBench(withVIP)
        all.start()
        all.handle(.command(.stop(removingEverything: true)))
        #expect(all.loopback.isEmpty)
    }
}
