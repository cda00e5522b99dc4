internal import Addressing
internal import Liveness
internal import MeshConfiguration
internal import OSPF
internal import Timing

// Notices of the router, for the log.

extension MeshNode {
    /// Logs a notice, unless there were many of its kind.
    mutating func logNotice(_ notice: Notice, at now: Instant) {
        record(notice, at: now)
        // Repeated with each hello, and logged once when it matters.
        if case .unresponsiveNeighborHearsUs = notice { return }
        let (level, text) = description(of: notice)
        switch logLimits.notices.verdict(on: notice, at: now) {
        case .logged: log(level, text)
        case .loggedAsLastOfBurst: log(level, text + " (more like this are logged once a minute)")
        case .suppressed: break
        }
    }

    private mutating func record(_ notice: Notice, at now: Instant) {
        switch notice {
        case .neighborState(let interface, let neighbor, let from, let to, let reason):
            problems.noteChange(at: now)
            // Read only once the port has no neighbor left, so a fall to a lower state may be noted as a loss.
            if to < from {
                lastHeard.lost(
                    neighbor, on: interface, bySilence: to == .down && reason == .inactivityTimer, at: now)
            }
            if to == .full { counters.becameFull(neighbor, on: name(ofInterface: interface)) }
            if from == .full, to < .full { counters.leftFull(neighbor, on: name(ofInterface: interface)) }
        case .duplicateRouterID, .limitReached: problems.invalidate()
        case .unresponsiveNeighborHearsUs(let interface, let address, let isCertain):
            let key = EchoTarget.Key(interface: interface, address: address)
            noteHearing(key, isCertain: isCertain, at: now)
            noteHearingWithoutSession(key, isCertain: isCertain, at: now)
        default: break
        }
    }

    private func description(of notice: Notice) -> (LogLevel, String) {
        switch notice {
        case .neighborState(let interface, let neighbor, let from, let to, let reason):
            let place = "\(label(of: neighbor)) on \(name(ofInterface: interface))"
            if to == .full { return (.notice, "adjacency with \(place) is Full") }
            // Routes use a neighbor that is Full; 2-Way is the final state of two routers of a segment of which neither is
            // designated. Falls from states in between are for debugging.
            if reason == .restarts {
                return (.info, "\(place) is silent while it restarts; its link is held (\(from) → \(to))")
            }
            if from == .full || from == .twoWay && to < .twoWay {
                let level: LogLevel = reason == .shutdown ? .info : .warning
                return (level, "lost \(place): \(text(of: reason, interface)) (\(from) → \(to))")
            }
            return (.debug, "neighbor \(place): \(from) → \(to), \(text(of: reason, interface))")
        case .interfaceState(let interface, let from, let to):
            return (.info, "interface \(name(ofInterface: interface)): \(from.rawValue) → \(to.rawValue)")
        case .neighborFault(let interface, let neighbor, let from, _, let fault):
            // The change of the neighbor's state is logged anyway, with the reason and the time.
            switch fault {
            case .silence, .unresponsive: return (.debug, "\(label(of: neighbor)): \(fault)")
            default: break
            }
            return (
                from == .full ? .warning : .info,
                "\(label(of: neighbor)) on \(name(ofInterface: interface)): \(fault)"
            )
        case .standby(let interface, let active):
            let name = name(ofInterface: active)
            return (
                .warning,
                "interface \(self.name(ofInterface: interface)) is on the same link as \(name): it stands by, and takes over "
                    + "when \(name) fails"
            )
        case .followsElection(let interface, let neighbor):
            return (
                .notice,
                "interface \(name(ofInterface: interface)): neighbor \(label(of: neighbor)) elects a designated router: "
                    + "broadcast from now on"
            )
        case .becamePointToPoint(let interface):
            return (
                .notice,
                "interface \(name(ofInterface: interface)): no neighbor elects a designated router: point-to-point"
            )
        case .becameBroadcast(let interface):
            return (
                .notice, "interface \(name(ofInterface: interface)) has more than one neighbor: broadcast from now on"
            )
        case .mtuMismatch(let interface, let neighbor, let theirs, let ours):
            return (
                .warning,
                "\(label(of: neighbor)) on \(name(ofInterface: interface)): \(Mismatch.mtu(theirs: theirs, ours: ours))"
            )
        case .helloMismatch(let interface, let neighbor, let field, let theirs, let ours):
            return (
                .warning,
                "\(label(of: neighbor)) on \(name(ofInterface: interface)): "
                    + Mismatch.hello(field, theirs: theirs, ours: ours)
            )
        case .duplicateRouterID(let routerID, let interface, let weYield):
            let place = interface.map { " on \(name(ofInterface: $0))" } ?? ""
            return (
                .warning,
                "another router has our router ID \(routerID)\(place); "
                    + (weYield ? "we take another" : "if it does not take another, change node.routerID on one")
            )
        case .duplicatePrefix(let prefix, let routers):
            let names = routers.map { label(of: $0) }.joined(separator: " and ")
            return (.warning, "\(prefix) is announced by \(names) and should belong to one node")
        case .exchangeStalled(let interface, let neighbor, let state):
            return (
                .warning,
                "the database exchange with \(label(of: neighbor)) on \(name(ofInterface: interface)) made no progress "
                    + "in \(state); it starts again"
            )
        case .unresponsiveNeighborHearsUs(let interface, let address, _):
            return (.debug, "\(address) on \(name(ofInterface: interface)) hears us and does not answer")
        case .restart(let interface, let neighbor, let notice):
            return describe(notice, of: "\(label(of: neighbor)) on \(name(ofInterface: interface))")
        case .limitReached(let limit): return (.error, limit.text(router?.configuration.limits ?? RouterLimits()))
        }
    }

    /// Why the state of a neighbor changed, as text.
    private func text(of reason: NeighborChangeReason, _ interface: UInt32) -> String {
        switch reason {
        case .helloReceived: "hello received"
        case .twoWayReceived: "its hello lists us"
        case .oneWayReceived: "its hello does not list us any more"
        case .restarts: "it restarts"
        case .negotiationDone: "negotiation done"
        case .exchangeDone: "exchange done"
        case .loadingDone: "loading done"
        case .adjacencyReconsidered: "whether an adjacency is wanted has changed"
        case .sequenceNumberMismatch: "a database description that does not fit the exchange"
        case .badLinkStateRequest: "a bad link-state request or update"
        case .inactivityTimer:
            "no hello for \((interfaces.ports[interface]?.rule.dead ?? .zero).inSeconds) s"
        case .linkDown: "the interface is down"
        case .replaced: "it has another router ID or address now, or we have"
        case .standby: "our interface stands by for another one on the same link"
        case .stalled: "the exchange made no progress"
        case .unresponsive: verdicts.failure(on: interface)
        case .shutdown: "this router shuts down"
        }
    }
}

extension Notice.Limit {
    /// The limit as text.
    func text(_ limits: RouterLimits) -> String {
        switch self {
        case .database:
            "the LSA database is full (\(limits.lsas) LSAs, \(limits.lsaOctets >> 20) MiB); further LSAs are dropped"
        case .neighbors:
            "an interface has \(limits.neighborsPerInterface) neighbors; further ones are ignored"
        case .prefixes:
            "there are \(limits.prefixes) prefixes or \(limits.announcersPerPrefix) announcers of one; "
                + "further ones are ignored"
        }
    }
}
