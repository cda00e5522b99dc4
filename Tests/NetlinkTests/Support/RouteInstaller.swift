import Addressing
import Links
import Linux
import OSPF
import Routing
import Timing

@testable import Netlink

/// A ``FIBInstaller`` whose requests a real kernel carries out, with the notifications of changes by others, as in the agent.
final class RouteInstaller {
    private var installer: FIBInstaller
    private let kernel: KernelFIB
    private let monitor: RouteMonitor

    var fib: FIB { installer.fib }
    var nextDeadline: Instant? { installer.nextDeadline }
    var lastError: String? { installer.lastError }
    var counters: FIBInstaller.Counters { installer.counters }
    var kernelCounters: KernelFIB.Counters { kernel.counters }
    var descriptor: CInt { monitor.descriptor }

    /// Opens sockets in the calling thread's network namespace and adopts what an earlier run left.
    init(
        configuration: KernelFIBConfiguration = KernelFIBConfiguration(), fib: FIB.Configuration = FIB.Configuration(),
        receiveBuffer: CInt = 4 << 20
    ) throws {
        kernel = try KernelFIB(configuration: configuration)
        monitor = try RouteMonitor(
            configuration: configuration, nextHopIDs: fib.nextHopIDs, ownPort: kernel.port, receiveBuffer: receiveBuffer
        )
        var fib = fib
        if !kernel.supportsNextHopObjects { fib.mode = .multipath }
        (fib.hasResilientGroups, fib.hasBackups) = try kernel.groupSupport(in: fib.nextHopIDs)
        installer = FIBInstaller(fib)
        _ = installer.adoptFromKernel()
        _ = installer.receive(.read(try kernel.read()), at: .zero)
    }

    func update(_ update: RouteTableUpdate) { installer.update(update) }

    func setServiceRoutes(_ prefixes: Set<IPv6Prefix>) { installer.setServiceRoutes(prefixes) }

    func handle(_ event: KernelEvent) {
        switch event {
        case .link(let link): installer.link(link.index, isUsable: link.isUsable, at: .zero)
        case .linkRemoved(let link): installer.link(link.index, isUsable: false, isGone: true, at: .zero)
        case .resynchronized: installer.requireRead(.nextHops)
        default: break
        }
    }

    func readNotifications() {
        do {
            for event in try monitor.read() { installer.receive(event) }
        } catch {
            installer.requireRead(.everything)
        }
    }

    /// Makes the kernel's routes those wanted, with at most `limit` changes of routes in each request. Returns whether there is
    /// more to do at once.
    func install(at now: Instant, limit: Int = 4096) -> Bool {
        installer.limit = limit
        var request = installer.next(at: now)
        while let current = request { request = installer.receive(carryOut(current), at: now) }
        return installer.hasMore
    }

    private func carryOut(_ request: FIBInstaller.Request) -> FIBInstaller.Outcome {
        do {
            switch request {
            case .read(let extent): return .read(try kernel.read(extent))
            case .apply(let changes): return .applied(failures: try kernel.apply(changes))
            }
        } catch {
            return .unreachable("\(error)")
        }
    }

    /// Removes what an earlier run left and the router does not want.
    func sweep() throws {
        installer.sweep()
        try kernel.removeStaleRoutes()
    }

    func requireRead() { installer.requireRead(.everything) }

    func setPreferredSource(_ source: IPv6Address) {
        kernel.configuration.preferredSource = source
        installer.rewriteRoutes()
    }

    func setPreferredSourceIPv4(_ source: IPv4Address?) {
        kernel.configuration.preferredSourceIPv4 = source
        installer.rewriteRoutes()
    }

    func state(of prefix: IPv6Prefix) -> RouteState? { installer.fib.state(of: prefix) }

    /// Removes all our routes and next hops from the kernel. Returns how many.
    @discardableResult
    func cleanUp() throws -> (routes: Int, nextHops: Int) {
        let result = try kernel.cleanUp()
        installer.requireRead(.everything)
        return result
    }
}
