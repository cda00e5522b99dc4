internal import OSPF
internal import OSPFPacket
internal import Timing

// The end of a process that another one follows.

extension MeshNode {
    /// The longest wait for the acknowledgments of grace-LSAs before the process ends.
    private static let longestWaitForAcknowledgments = Duration.milliseconds(250)

    /// Asks the neighbors to hold their links (RFC 3623 §2.1), and leaves as soon as they have acknowledged that, or have had the
    /// time for it. Routes and addresses stay for the next process.
    mutating func stopForRestart(at now: Instant) {
        if case .announcingRestart = life { return leaveForRestart(at: now) }
        notifyRouter(.announceRestart(.softwareRestart), at: now)
        guard let router, !router.isRestartAcknowledged else { return leaveForRestart(at: now) }
        life = .announcingRestart(until: now + Self.longestWaitForAcknowledgments)
    }

    /// Leaves if the neighbors have acknowledged the grace-LSAs, or at the deadline.
    mutating func leaveForRestartIfDue(by deadline: Instant, at now: Instant) {
        if deadline <= now || router == nil || router!.isRestartAcknowledged { leaveForRestart(at: now) }
    }

    private mutating func leaveForRestart(at now: Instant) {
        // It may have been drained in the meantime.
        guard staysOnStop else { return leaveMesh(removingEverything: false, at: now) }
        life = .stopping
        nextDeadline = nil
        stopChecks()
        log(.notice, "stopped; routes and addresses stay for the next agent (node.onStop: stay)")
        effects.append(.stopped(stays: true))
    }

    /// A line for the log about a neighbor that has announced a restart.
    func describe(_ notice: RestartNotice, of place: String) -> (LogLevel, String) {
        switch notice {
        case .helping(let time, let reason):
            (
                .notice,
                "\(place) announces a restart (\(reason.text)): its link is held for up to \(time.inSeconds) s"
            )
        case .ended(let exit): (exit == .completed ? .notice : .warning, "restart of \(place): \(exit.text)")
        case .refused(let reason): (.info, "grace-LSA of \(place) is not followed: \(reason.text)")
        }
    }
}

extension HelperExit {
    fileprivate var text: String {
        switch self {
        case .completed: "complete"
        case .abandoned: "it has given up, and is not Full"
        case .expired: "the grace period is over"
        case .topologyChanged: "the topology has changed; its link is not held any longer"
        case .unresponsive: "it has failed, as echo requests or BFD say; its link is not held any longer"
        case .replaced: "it has another interface ID, or does not announce the link; its link is not held any longer"
        case .removed: "the neighbor was removed"
        }
    }
}

extension GraceRefusal {
    fileprivate var text: String {
        switch self {
        case .disabled: "ospf.gracefulRestart.helper is off"
        case .restarting: "this node restarts itself"
        case .unknownNeighbor: "no neighbor on the link"
        case .notFull: "the adjacency is not Full"
        case .broadcast: "the link has a designated router"
        case .malformed: "no valid period or reason"
        case .expired: "the grace period is over"
        case .pendingChanges: "it has not acknowledged changes"
        }
    }
}
