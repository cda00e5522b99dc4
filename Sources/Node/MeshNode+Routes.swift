internal import Addressing
internal import Routing
internal import Timing

extension MeshNode {
    /// Requests the installer's next read or changes of the kernel's routes, a bounded number (``FIBInstaller/limit``), unless
    /// the ports are closed, routes of an earlier run are kept, or this turn had its slice.
    mutating func installRoutes(at now: Instant) {
        guard life.isRouting, !isKeepingRoutes else { return }
        reviewServiceRoutes(at: now)
        guard pacing.mayInstallRoutes else { return }
        if let request = installer.next(at: now) { kernelEffects.append(.routes(request)) }
    }

    /// Requests the routes that an earlier run left in the kernel; after a failure, when the retry is due.
    mutating func adoptRoutes(at now: Instant) {
        if let deadline = installer.nextDeadline, now < deadline { return }
        if let request = installer.adoptFromKernel() { kernelEffects.append(.routes(request)) }
    }

    mutating func receive(_ outcome: FIBInstaller.Outcome, at now: Instant) {
        let previousError = installer.lastError
        if case .adopting = life, case .unreachable(let reason) = outcome {
            // The router must not start before it is known which routes are ours.
            counters.kernelErrors += 1
            if previousError == nil { log(.error, "cannot read the kernel's routes, trying again: \(reason)") }
            _ = installer.receive(outcome, at: now)
            return
        }
        let request = installer.receive(outcome, at: now)
        if let error = installer.lastError {
            counters.kernelErrors += 1
            if previousError == nil { log(.error, "cannot read or change the kernel's routes: \(error)") }
        } else if previousError != nil {
            log(.notice, "the kernel's routes can be read and changed again")
        }
        if case .adopting = life { return startRouter(at: now) }
        guard let request else {
            // The next slice of a large update waits for the next turn, so that hellos are not delayed.
            pacing.mayInstallRoutes = false
            return
        }
        kernelEffects.append(.routes(request))
    }

    mutating func receive(_ events: [RouteEvent], at now: Instant) {
        var removed: [IPv6Prefix] = []
        var changedNextHops = false
        for event in events {
            guard installer.receive(event) else { continue }
            switch event {
            case .routeDeleted(let prefix), .serviceRouteDeleted(let prefix): removed.append(prefix)
            case .nextHopsChanged: changedNextHops = true
            case .routeLost, .serviceRouteLost, .foreignRouteRemoved, .overflow: break
            }
        }
        if let first = removed.first {
            let others = removed.count > 1 ? " and \(removed.count - 1) more" : ""
            logForeignChange(
                .routes, "another program removed or replaced our route to \(first)\(others); it is put back", at: now)
        }
        if changedNextHops {
            logForeignChange(
                .nextHops, "another program changed next-hop objects of ours; they are read again", at: now)
        }
    }
}
