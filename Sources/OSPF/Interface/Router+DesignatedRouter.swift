import Addressing
import OSPFPacket
internal import Timing

/// Which router speaks for a link with many (RFC 2328 §9.3, §9.4).
extension Router {
    /// Follows what a hello says about the designated router (RFC 2328 §10.5).
    mutating func reconsiderElection(_ position: Int, was old: Neighbor?, router: RouterID, at now: Instant) {
        guard interfaces[position].isBroadcast, let index = interfaces[position].neighborIndex(of: router) else {
            return
        }
        let neighbor = interfaces[position].neighbors[index]
        guard neighbor.state >= .twoWay || old.map({ $0.state >= .twoWay }) == true else { return }
        if case .waiting = interfaces[position].mode {
            let namesBackup = neighbor.backupDesignatedRouter == router
            let hasNoBackup = neighbor.designatedRouter == router && neighbor.backupDesignatedRouter == .none
            if namesBackup || hasNoBackup { electDesignatedRouter(position, at: now) }
            return
        }
        let changed =
            old == nil || old!.priority != neighbor.priority
            || (old!.state >= .twoWay) != (neighbor.state >= .twoWay)
            || (old!.designatedRouter == router) != (neighbor.designatedRouter == router)
            || (old!.backupDesignatedRouter == router) != (neighbor.backupDesignatedRouter == router)
        if changed { electDesignatedRouter(position, at: now) }
    }

    /// Elects anew without a neighbour that has gone (RFC 2328 §9.3, NeighborChange). Whoever is still Waiting goes on
    /// doing so.
    mutating func neighborGone(_ position: Int, at now: Instant) {
        guard case .elected = interfaces[position].mode else { return }
        electDesignatedRouter(position, at: now)
    }

    mutating func electDesignatedRouter(_ position: Int, at now: Instant) {
        guard interfaces[position].isBroadcast else { return }
        setMode(position, .elected(electionOutcome(position)), at: now)
    }

    /// Whom this router elects among itself and the neighbours that hear it.
    func electionOutcome(_ position: Int) -> DesignatedRouterElection.Outcome {
        let interface = interfaces[position]
        let own = DesignatedRouterElection.Candidate(
            routerID: routerID, priority: interface.configuration.priority, designated: interface.designatedRouter,
            backup: interface.backupDesignatedRouter)
        let others = interface.neighbors.filter { $0.state >= .twoWay }.map {
            DesignatedRouterElection.Candidate(
                routerID: $0.routerID, priority: $0.priority, designated: $0.designatedRouter,
                backup: $0.backupDesignatedRouter)
        }
        return DesignatedRouterElection.elect(own: own, others: others)
    }

    mutating func setMode(_ position: Int, _ mode: Interface.Mode, at now: Instant) {
        let old = interfaces[position]
        guard old.mode != mode else { return }
        interfaces[position].mode = mode
        origination.interfacesChanged()
        let (from, to) = (old.state(of: routerID), interfaces[position].state(of: routerID))
        if from != to {
            tell(.interfaceState(interface: old.index, from: from, to: to))
            let wasSpeaker = from == .designated || from == .backup
            let isSpeaker = to == .designated || to == .backup
            if wasSpeaker != isSpeaker {
                effects.append(.membership(interface: old.index, group: .allDRouters, joined: isSpeaker))
            }
        }
        if old.designatedRouter != interfaces[position].designatedRouter
            || old.backupDesignatedRouter != interfaces[position].backupDesignatedRouter
        {
            for index in interfaces[position].neighbors.indices {
                let interface = interfaces[position]
                let fault = NeighborFault.designatedRouter(
                    interface.designatedRouter, backup: interface.backupDesignatedRouter)
                neighborEvent(position, index, .adjacencyReconsidered, because: fault, at: now)
            }
            // Those we elect need not wait an interval to learn it.
            promptHello(position, at: now)
        }
    }

    /// Whether an adjacency with a neighbour is wanted (RFC 2328 §10.4).
    func adjacencyIsWanted(_ position: Int, with router: RouterID) -> Bool {
        switch interfaces[position].mode {
        case .passive, .standby: false
        case .pointToPoint: true
        case .waiting: false
        case .elected(let outcome):
            [outcome.designated, outcome.backup].contains { $0 != .none && ($0 == routerID || $0 == router) }
        }
    }
}
