import OSPF
import Routing
import Testing
import Timing

/// Routes that follow from the loss of a link wait when the kernel has repaired all that it carried (RFC 8333).
@Suite final class LocalDelayTests {
    private var kernel = ModelKernel()

    private func at(_ milliseconds: Int64) -> Instant { .zero + .milliseconds(milliseconds) }

    private static func destination(_ links: [UInt32], backup: UInt32? = nil) -> Destination {
        var destination = ModelRouter.destination(links.map { FIBTests.hop($0) })
        destination.backup = backup.map { FIBTests.hop($0) }
        return destination
    }

    /// An installer with a destination over link 1 whose backup is on link 2, another with both links, and a kernel.
    private func settled(backup: UInt32? = 2) -> FIBInstaller {
        var installer = FIBInstaller()
        for link in 1...3 { installer.link(UInt32(link), isUsable: true, at: at(0)) }
        installer.update(
            RouteTableUpdate(
                destinations: [
                    (FIBTests.id(0), Self.destination([1], backup: backup)),
                    (FIBTests.id(1), Self.destination([1, 2])),
                ],
                routes: [(FIBTests.prefix(0), FIBTests.id(0)), (FIBTests.prefix(1), FIBTests.id(1))]))
        run(&installer, at: 0)
        return installer
    }

    /// Lets the kernel make all that is requested. Returns the changes.
    @discardableResult private func run(_ installer: inout FIBInstaller, at milliseconds: Int64) -> [FIBChange] {
        var made: [FIBChange] = []
        var request = installer.next(at: at(milliseconds))
        while let next = request {
            switch next {
            case .apply(let changes):
                for change in changes { #expect(kernel.apply(change) == nil) }
                made += changes
                request = installer.receive(.applied(failures: []), at: at(milliseconds))
            case .read(let extent):
                let found = kernel.dump(routes: extent == .everything)
                request = installer.receive(.read(found), at: at(milliseconds))
            }
        }
        return made
    }

    private func lose(_ link: UInt32, _ installer: inout FIBInstaller, at milliseconds: Int64) {
        kernel.loseLink(link)
        installer.link(link, isUsable: false, at: at(milliseconds))
    }

    private func routes(_ links: [UInt32], backup: UInt32? = nil) -> RouteTableUpdate {
        RouteTableUpdate(destinations: [(FIBTests.id(0), Self.destination(links, backup: backup))])
    }

    @Test func routesAfterARepairedLossWaitASecond() {
        var installer = settled()
        lose(1, &installer, at: 1000)
        #expect(installer.fib.repairs == 1)
        #expect(run(&installer, at: 1000).isEmpty, "the kernel has done all")
        installer.update(routes([3]))
        #expect(run(&installer, at: 1001).isEmpty && !installer.hasMore)
        #expect(installer.nextDeadline == at(2000))
        #expect(run(&installer, at: 1999).isEmpty)
        #expect(!run(&installer, at: 2000).isEmpty)
        #expect(installer.fib.state(of: FIBTests.prefix(0)) == .installed)
    }

    /// What is no consequence of the loss does not wait, and neither does what the loss leaves without a way.
    @Test(arguments: [
        "second change", "second link", "link is back", "unreachable", "new prefix", "not repaired", "foreign change",
        "service",
    ])
    func anythingElseEndsTheDelay(event: String) {
        var installer = settled(backup: event == "not repaired" ? nil : 2)
        lose(1, &installer, at: 1000)
        var update = routes([3])
        if event == "unreachable" { update.routes = [(FIBTests.prefix(1), nil)] }
        if event == "new prefix" { update.routes = [(FIBTests.prefix(2), FIBTests.id(0))] }
        installer.update(update)
        switch event {
        case "second change": installer.update(routes([3], backup: 2))
        case "second link": lose(2, &installer, at: 1001)
        case "link is back":
            kernel.downLinks.remove(1)
            installer.link(1, isUsable: true, at: at(1001))
        case "foreign change":
            kernel.routes[FIBTests.prefix(1)] = nil
            installer.receive(.routeDeleted(FIBTests.prefix(1)))
        case "service": installer.setServiceRoutes([FIBTests.prefix(7)])
        default: break
        }
        #expect(!run(&installer, at: 1002).isEmpty)
        #expect(installer.fib.state(of: FIBTests.prefix(0)) == .installed)
        #expect(!installer.hasMore)
    }

    /// An update that changes nothing, and news of links that changes nothing, do not end the delay.
    @Test func whatChangesNothingDoesNotEndTheDelay() {
        var installer = settled()
        lose(1, &installer, at: 1000)
        installer.update(RouteTableUpdate())
        installer.update(routes([3]))
        installer.update(routes([3]))
        installer.link(1, isUsable: false, at: at(1010))
        installer.link(2, isUsable: true, at: at(1010))
        #expect(run(&installer, at: 1020).isEmpty)
        #expect(!run(&installer, at: 2000).isEmpty)
    }

    /// Routes that were not calculated within the second do not wait.
    @Test func theDelayEndsASecondAfterTheLoss() {
        var installer = settled()
        lose(1, &installer, at: 1000)
        #expect(run(&installer, at: 2000).isEmpty)
        installer.update(routes([3]))
        #expect(!run(&installer, at: 2001).isEmpty)
    }
}
