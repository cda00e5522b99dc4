import Addressing
import OSPF
import Routing
import Testing

/// Service routes beside the routes of the router.
@Suite struct ServiceRouteTests {
    private static let range = IPv6Prefix("10.96.0.0/12")!
    private static let server = IPv6Prefix("fd00:10:96::1/128")!
    private static let denied = FIBFailure(.refused, code: 1, message: "Operation not permitted")

    private static func fib(_ wanted: Set<IPv6Prefix> = [range]) -> FIB {
        var fib = FIB()
        fib.setServiceRoutes(wanted)
        _ = fib.changes()
        return fib
    }

    private static func states(_ fib: FIB) -> [IPv6Prefix: RouteState] {
        Dictionary(uniqueKeysWithValues: fib.serviceRouteStates.map { ($0.prefix, $0.state) })
    }

    @Test func wantedRoutesAreMadeAndOthersRemoved() {
        var fib = FIB()
        fib.setServiceRoutes([Self.range])
        #expect(Self.states(fib) == [Self.range: .pending] && fib.isDirty)
        #expect(fib.changes() == [.addServiceRoute(Self.range)])
        #expect(Self.states(fib) == [Self.range: .installed] && fib.counts.serviceRoutes == 1)
        fib.setServiceRoutes([Self.range])
        #expect(!fib.isDirty)
        fib.setServiceRoutes([Self.server])
        #expect(fib.changes() == [.addServiceRoute(Self.server), .removeServiceRoute(Self.range)])
        #expect(Self.states(fib) == [Self.server: .installed] && fib.counts.routes == 0)
    }

    /// Both routes are in the kernel; neither replaces or removes the other.
    @Test func theRouterMayHaveARouteToTheSamePrefix() {
        var fib = Self.fib()
        fib.update(RouteTableUpdate(destinations: [(FIBTests.id(0), ModelRouter.destination([FIBTests.hop(2)]))]))
        fib.update(RouteTableUpdate(routes: [(Self.range, FIBTests.id(0))]))
        #expect(fib.changes().last == .addRoute(Self.range, .group(FIBTests.object(0))))
        fib.setServiceRoutes([])
        #expect(fib.changes() == [.removeServiceRoute(Self.range)])
        #expect(fib.state(of: Self.range) == .installed && fib.counts.routes == 1)
        fib.setServiceRoutes([Self.range])
        #expect(fib.changes() == [.addServiceRoute(Self.range)])
        fib.update(RouteTableUpdate(routes: [(Self.range, nil)], released: [FIBTests.id(0)]))
        #expect(!fib.changes().contains(.removeServiceRoute(Self.range)))
        #expect(Self.states(fib) == [Self.range: .installed])
    }

    @Test func aRouteThatIsRemovedIsPutBack() {
        var fib = Self.fib()
        let wasThere = fib.serviceRouteDeleted(Self.range)
        #expect(wasThere)
        #expect(fib.changes() == [.addServiceRoute(Self.range)])
        let isOther = !fib.serviceRouteDeleted(Self.server)
        #expect(isOther, "no route of ours")
        // Without a notification, a read of the kernel shows it.
        fib.reconcile(KernelRoutes())
        #expect(fib.changes() == [.addServiceRoute(Self.range)])
        // A route that differs from ours is replaced, as are all after a change of the source.
        var kernel = KernelRoutes()
        kernel.serviceRoutes = [Self.range: false]
        fib.reconcile(kernel)
        #expect(fib.changes() == [.replaceServiceRoute(Self.range)])
        fib.rewriteRoutes()
        #expect(fib.changes() == [.replaceServiceRoute(Self.range)])
        #expect(fib.changes().isEmpty)
    }

    @Test func aRefusedRouteIsAFailureUntilARetry() {
        var fib = Self.fib()
        fib.failed(.addServiceRoute(Self.range), Self.denied)
        #expect(
            fib.hasFailures && fib.hasRefusedServiceRoutes && Self.states(fib) == [Self.range: .failed(Self.denied)])
        #expect(fib.changes().isEmpty && fib.counts.serviceRoutes == 0)
        fib.retry()
        #expect(fib.changes() == [.addServiceRoute(Self.range)] && !fib.hasFailures)
        // One that is not wanted any more is no failure.
        fib.failed(.addServiceRoute(Self.range), Self.denied)
        fib.setServiceRoutes([])
        #expect(fib.changes().isEmpty && !fib.hasFailures)
    }

    /// The model differs from the kernel: a read or another request corrects it.
    @Test func aRouteThatExistsOrIsMissingIsNoLastingFailure() {
        var fib = Self.fib()
        fib.failed(.addServiceRoute(Self.range), FIBFailure(.exists, message: "File exists"))
        #expect(fib.requiredRead == .everything)
        var kernel = KernelRoutes()
        kernel.serviceRoutes = [Self.range: false]
        fib.reconcile(kernel)
        #expect(fib.changes() == [.replaceServiceRoute(Self.range)] && !fib.hasFailures)
        fib.failed(.replaceServiceRoute(Self.range), FIBFailure(.missing, message: "No such file or directory"))
        #expect(fib.changes() == [.addServiceRoute(Self.range)] && !fib.hasFailures)
    }

    /// The kernel removes all of them with `lo`.
    @Test func theRoutesWaitWhileLoIsDown() {
        var fib = Self.fib()
        fib.linkLost(1)
        #expect(fib.changes().isEmpty && Self.states(fib) == [Self.range: .pending])
        fib.linkUsable(1)
        #expect(fib.changes() == [.addServiceRoute(Self.range)])
    }

    @Test func routesOfAnEarlierRunStayUntilTheSweep() {
        var kernel = KernelRoutes()
        kernel.serviceRoutes = [Self.range: true, Self.server: true]
        var fib = FIB()
        fib.adopt(kernel)
        fib.setServiceRoutes([Self.range])
        #expect(fib.changes().isEmpty && fib.counts.serviceRoutes == 2)
        fib.sweep()
        #expect(fib.changes() == [.removeServiceRoute(Self.server)])
        #expect(Self.states(fib) == [Self.range: .installed])
    }
}
