internal import Addressing
internal import Logging
internal import Netlink
internal import OSPF

extension MeshAgent {
    /// Logs what the router has to say, unless it has been saying much of the kind.
    func tell(_ notice: Notice, at now: Instant) {
        let (level, text) = description(of: notice)
        switch limiter.verdict(on: notice, at: now) {
        case .told: tell(level, text)
        case .toldLast: tell(level, text + " (more of this is told once a minute)")
        case .passedOver: log.trace("\(text)")
        }
    }

    private func description(of notice: Notice) -> (Logger.Level, String) {
        switch notice {
        case .neighborState(let interface, let neighbor, let from, let to, let reason):
            let level: Logger.Level = to == .full ? .notice : from == .full ? .warning : .debug
            return (
                level,
                "neighbour \(name(of: neighbor)) on \(name(ofInterface: interface)): \(from) → \(to), \(reason.rawValue)"
            )
        case .neighborFault(let interface, let neighbor, let from, _, let fault):
            return (
                from == .full ? .warning : .info,
                "neighbour \(name(of: neighbor)) on \(name(ofInterface: interface)): \(fault)"
            )
        case .interfaceState(let interface, let from, let to):
            return (.info, "port \(name(ofInterface: interface)): \(from.rawValue) → \(to.rawValue)")
        case .standby(let interface, let active):
            return (
                .warning,
                "port \(name(ofInterface: interface)) is on the same link as port \(name(ofInterface: active)): it stands by"
                    + " and takes over when \(name(ofInterface: active)) fails"
            )
        case .becameBroadcast(let interface):
            return (.notice, "port \(name(ofInterface: interface)) has more than one neighbour: broadcast from now on")
        case .followsElection(let interface, let neighbor):
            return (
                .notice,
                "port \(name(ofInterface: interface)): neighbour \(name(of: neighbor)) elects a designated router: "
                    + "broadcast from now on"
            )
        case .becamePointToPoint(let interface):
            return (
                .notice,
                "port \(name(ofInterface: interface)): the only neighbour elects no designated router: point-to-point"
            )
        case .mtuMismatch(let interface, let neighbor, let theirs, let ours):
            return (
                .warning,
                "neighbour \(name(of: neighbor)) on \(name(ofInterface: interface)): \(Mismatch.mtu(theirs: theirs, ours: ours))"
            )
        case .helloMismatch(let interface, let neighbor, let field, let theirs, let ours):
            return (
                .warning,
                "neighbour \(name(of: neighbor)) on \(name(ofInterface: interface)): \(Mismatch.hello(field, theirs: theirs, ours: ours))"
            )
        case .duplicateRouterID(let routerID, let interface, let weYield):
            let place = interface.map { " on \(name(ofInterface: $0))" } ?? ""
            return (
                .warning,
                "another router has our router ID \(routerID)\(place); "
                    + (weYield ? "we take another" : "if it does not take another, change node.routerID on one")
            )
        case .duplicatePrefix(let prefix, let routers):
            let names = routers.map { name(of: $0) }.joined(separator: " and ")
            return (.warning, "\(prefix) is claimed by \(names), but should belong to one node")
        case .exchangeStalled(let interface, let neighbor, let state):
            return (
                .warning,
                "neighbour \(name(of: neighbor)) on \(name(ofInterface: interface)): stuck in \(state); begun anew"
            )
        case .limitReached(let limit):
            return (.error, "a bound was reached (\(limit.rawValue)); what exceeds it is refused")
        }
    }

    private func name(of router: RouterID) -> String {
        routing?.router.hostname(of: router).map { "\($0) (\(router))" } ?? router.description
    }

    private func name(ofInterface index: UInt32) -> String { interfaces.ports[index]?.link.name ?? "if\(index)" }
}
