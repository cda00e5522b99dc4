import Addressing
import OSPFPacket
internal import Timing

/// The designated router of a link (RFC 2328 §9.3, §9.4).
extension Router {
    /// Runs the election if a packet of `router` may change the outcome, or shows that Waiting can end (RFC 2328 §10.5). `old`
    /// is the neighbor as it was before a hello; `nil` if it is new, or a database description has shown that it hears us.
    mutating func electAgainIfNeeded(_ index: UInt32, was old: Neighbor?, router: RouterID, at now: Instant) {
        let key = NeighborKey(interface: index, router: router)
        guard interfaces[index].isBroadcast, interfaces.contains(key) else { return }
        let neighbor = interfaces[key]
        guard neighbor.state >= .twoWay || old.map({ $0.state >= .twoWay }) == true else { return }
        if case .waiting = interfaces[index].mode {
            // BackupSeen (RFC 2328 §9.2): the neighbor claims to be the backup, or to be designated without a backup.
            let claimsBackup = neighbor.backupDesignatedRouter == router
            let isDesignatedWithoutBackup =
                neighbor.designatedRouter == router && neighbor.backupDesignatedRouter == .none
            if claimsBackup || isDesignatedWithoutBackup { electDesignatedRouter(index, at: now) }
            return
        }
        let changed =
            old == nil || old!.priority != neighbor.priority
            || (old!.state >= .twoWay) != (neighbor.state >= .twoWay)
            || (old!.designatedRouter == router) != (neighbor.designatedRouter == router)
            || (old!.backupDesignatedRouter == router) != (neighbor.backupDesignatedRouter == router)
        if changed { electDesignatedRouter(index, at: now) }
    }

    /// Elects again without a neighbor that was lost (RFC 2328 §9.3, NeighborChange). An interface in Waiting remains there.
    mutating func neighborGone(_ index: UInt32, at now: Instant) {
        guard case .elected = interfaces[index].mode else { return }
        electDesignatedRouter(index, at: now)
    }

    /// Runs the election now. This ends Waiting.
    mutating func electDesignatedRouter(_ index: UInt32, at now: Instant) {
        guard interfaces[index].isBroadcast else { return }
        setMode(index, .elected(electionOutcome(index)), at: now)
    }

    /// The outcome of the election among this router and the neighbors with bidirectional communication.
    func electionOutcome(_ index: UInt32) -> DesignatedRouterElection.Outcome {
        let interface = interfaces[index]
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

    /// Changes the mode of an interface, with all that follows from it.
    mutating func setMode(_ index: UInt32, _ mode: Interface.Mode, at now: Instant) {
        let old = interfaces[index]
        guard old.mode != mode else { return }
        interfaces[index].mode = mode
        origination.interfacesChanged()
        let (from, to) = (old.state(of: routerID), interfaces[index].state(of: routerID))
        if from != to {
            notify(.interfaceState(interface: old.index, from: from, to: to))
            let wasElected = from == .designated || from == .backup
            let isElected = to == .designated || to == .backup
            if wasElected != isElected {
                effects.append(.membership(interface: old.index, group: .allDRouters, joined: isElected))
            }
        }
        if old.designatedRouter != interfaces[index].designatedRouter
            || old.backupDesignatedRouter != interfaces[index].backupDesignatedRouter
        {
            let fault = NeighborFault.designatedRouter(
                interfaces[index].designatedRouter, backup: interfaces[index].backupDesignatedRouter)
            for neighbor in interfaces[index].neighborKeys {
                neighborEvent(neighbor, .adjacencyReconsidered, because: fault, at: now)
            }
            // Informs the other routers of the outcome without waiting for the next regular hello.
            promptHello(index, at: now)
        }
    }

    /// Whether an adjacency with a neighbor is wanted (RFC 2328 §10.4).
    func adjacencyIsWanted(with neighbor: NeighborKey) -> Bool {
        switch interfaces[neighbor.interface].mode {
        case .passive, .standby: false
        case .pointToPoint: true
        case .waiting: false
        case .elected(let outcome):
            [outcome.designated, outcome.backup].contains { $0 != .none && ($0 == routerID || $0 == neighbor.router) }
        }
    }
}
