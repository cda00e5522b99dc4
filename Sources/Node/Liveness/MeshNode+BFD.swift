internal import Addressing
internal import BFD
internal import MeshConfiguration
internal import OSPF
internal import Timing

/// Sessions of BFD (RFC 5882) with neighbors that speak it.
extension MeshNode {
    /// Notes the verdict of a detector on a neighbor, and tells the router if it changes anything.
    mutating func judge(_ key: NeighborAddress, isAlive: Bool, by detector: Detectors, at now: Instant) {
        guard let failed = verdicts.note(key, isAlive: isAlive, by: detector) else { return }
        // A neighbor learns by its own session that it is down, and has none before it is listed: FRR, BIRD, and an agent that has
        // just started.
        notifyRouter(
            .neighborLiveness(
                interface: key.interface, address: key.address, isAlive: failed.isEmpty, isListed: failed == .bfd),
            at: now)
    }

    /// Whether a neighbor on an interface has failed for BFD.
    public func hasFailedSession(on interface: UInt32) -> Bool {
        bfd.targets.contains { $0.key.interface == interface && verdicts.hasFailed($0.key, by: .bfd) }
    }

    /// Has sessions with the neighbors there are, where the rule of the port demands it.
    mutating func updateBFD(at now: Instant) {
        guard life.isRouting, router != nil else { return }
        // Most nodes have no such rule, and then no work.
        guard !bfd.targets.isEmpty || interfaces.ports.values.contains(where: { $0.rule.bfd != nil }) else { return }
        var targets: [SessionTarget] = []
        for neighbor in router!.askableNeighbors.prefix(SessionTable.mostSessions) {
            guard let rule = interfaces.ports[neighbor.interface]?.rule.bfd else { continue }
            targets.append(
                SessionTarget(
                    key: NeighborAddress(interface: neighbor.interface, address: neighbor.address),
                    source: neighbor.source, parameters: rule.parameters, authentication: rule.authentication))
        }
        let previous = bfd.targets
        guard bfd.update(targets) else { return }
        effects.append(.watchSessions(bfd.targets))
        problems.noteChange(at: now)
        // A neighbor without a session is judged by its hellos and echoes alone.
        for target in previous where !bfd.has(target.key) { judge(target.key, isAlive: true, by: .bfd, at: now) }
    }

    mutating func receive(_ reports: [BFDReport], at now: Instant) {
        for report in reports {
            switch report {
            case .session(let report): receive(report, at: now)
            case .obstacles(let obstacles):
                problems.noteChange(at: now)
                for (key, reason) in bfd.note(obstacles).sorted(by: { $0.key < $1.key }) {
                    log(.session, of: key, .warning, at: now) { "no BFD session with \($0): \(reason)" }
                }
            case .intervalsRaised:
                if bfd.saidIntervals { break }
                bfd.saidIntervals = true
                log(
                    .warning,
                    "BFD intervals shorter than \(SessionParameters.shortestOrdinaryInterval.configurationText) are raised to "
                        + "that: without real-time priority (CAP_SYS_NICE) this node would be late and seem dead")
            }
        }
    }

    /// A session that was Up and is not any more is a failure (RFC 5882 §4.2), unless the neighbor has ended it on purpose
    /// (§3.2). One that was never Up says nothing: the neighbor may not speak BFD.
    private mutating func receive(_ report: SessionReport, at now: Instant) {
        guard let before = bfd.note(report) else { return }
        let key = report.target
        problems.noteChange(at: now)
        if before.state != report.state { logChange(from: before.state, report, at: now) }
        switch report.state {
        case .up: judge(key, isAlive: true, by: .bfd, at: now)
        case _ where report.remoteState == .adminDown: judge(key, isAlive: true, by: .bfd, at: now)
        // Its BFD has restarted with its routing, and its kernel forwards (RFC 5882 §4.3.2).
        case .down where !report.isIndependent && router?.isHelping(key.address, on: key.interface) == true: break
        case .down where before.state == .up: judge(key, isAlive: false, by: .bfd, at: now)
        default: break
        }
    }

    private mutating func logChange(from before: SessionState, _ report: SessionReport, at now: Instant) {
        var reason = ""
        if report.state == .down {
            reason = ": \(report.diagnostic)"
            if report.remoteState == .adminDown {
                reason = ": the neighbor has ended it (AdminDown), which is no failure"
            } else if report.diagnostic == .neighborSignaledDown, report.remoteDiagnostic != .none {
                reason += " (\(report.remoteDiagnostic))"
            }
        }
        let isFailure = before == .up && report.remoteState != .adminDown
        log(.session, of: report.target, isFailure ? .warning : .notice, at: now) {
            "BFD session with \($0): \(before) to \(report.state)\(reason)"
        }
    }

    /// A neighbor whose session is down has listed us in its hellos for a long time, so packets pass both ways: only its BFD is
    /// missing, as after the end of a daemon that was not configured away.
    mutating func noteHearingWithoutSession(_ key: NeighborAddress, isCertain: Bool, at now: Instant) {
        guard isCertain, verdicts.hasFailed(key, by: .bfd) else { return }
        log(.session, of: key, .warning, at: now) {
            "\($0) hears us, and its BFD session stays down: it is used again, and BFD counts again when the session is Up"
        }
        judge(key, isAlive: true, by: .bfd, at: now)
    }

    /// The problem with the session of a neighbor, if there is one.
    func sessionProblem(
        of neighbor: NeighborSnapshot, who: String, port: String, patience: Duration, at now: Instant
    ) -> Problem? {
        let key = NeighborAddress(interface: neighbor.interface, address: neighbor.address)
        if let obstacle = bfd.obstacle(of: key) {
            return Problem(
                .bfd, "\(who) on \(port)", "there is no BFD session with \(who) on \(port): \(obstacle)",
                remedy: "see the key file and whether another program uses UDP port 3784; it is tried again every 10 s",
                isLoggedAtItsSource: true)
        }
        guard let report = bfd.report(of: key), report.state != .up else { return nil }
        if report.remoteState == .adminDown {
            return Problem(
                .bfd, "\(who) on \(port)", "\(who) on \(port) has ended its BFD session (AdminDown)",
                remedy: "configure BFD at both ends or at none", isLoggedAtItsSource: bfd.wasUp(key))
        }
        if bfd.wasUp(key) {
            return Problem(
                .bfd, "\(who) on \(port)",
                "the BFD session with \(who) on \(port) is \(report.state): \(report.diagnostic)",
                remedy:
                    "check the cable in both directions, and BFD and its key at \(who); packets that are refused are "
                    + "counted in kubermesh_bfd_packets_refused_total",
                isLoggedAtItsSource: true)
        }
        guard neighbor.state == .full, now - neighbor.since >= patience else { return nil }
        return Problem(
            .bfd, "\(who) on \(port)",
            "\(who) on \(port) does not answer BFD packets, so only hellos and echoes find its failure",
            remedy: "configure BFD for OSPF at \(who), with the same authentication; let UDP port 3784 pass")
    }
}
