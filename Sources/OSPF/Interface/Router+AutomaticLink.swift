import Addressing
import OSPFPacket
internal import Timing

/// Links whose kind depends on the routers on them. Hellos do not contain the kind, but they show whether their sender
/// elects: whether it names a designated router. So an `auto` interface becomes broadcast when there is a second neighbor or
/// one that elects, and point-to-point again when its only neighbor does not elect or it has no neighbor.
extension Router {
    /// How long an interface that was broadcast waits for a database description that shows its neighbor to be
    /// point-to-point. A broadcast neighbor that has only restarted sends none in that time: it is in Waiting for longer.
    static let pointToPointTrial = Duration.milliseconds(500)

    /// Why an `auto` interface becomes broadcast.
    enum BroadcastCause: Hashable, Sendable {
        case secondNeighbor
        case election(by: RouterID)
    }

    /// An `auto` link has more than two routers, or a neighbor that elects: all adjacencies on the link restart with a
    /// designated router. After the election our hellos name one, so the other `auto` ends become broadcast as well.
    mutating func becomeBroadcast(_ index: UInt32, because cause: BroadcastCause, at now: Instant) {
        removeNeighbors(index, reason: .adjacencyReconsidered, at: now)
        setMode(index, broadcastMode(interfaces[index].configuration, at: now), at: now)
        switch cause {
        case .secondNeighbor: notify(.becameBroadcast(interface: index))
        case .election(let neighbor): notify(.followsElection(interface: index, neighbor: neighbor))
        }
        promptHello(index, at: now)
    }

    /// If an `auto` link that is broadcast has no neighbor left, the kind of the link is unknown again, and it becomes
    /// point-to-point.
    mutating func updateAutomaticKind(_ index: UInt32, at now: Instant) {
        guard interfaces[index].configuration.kind == .auto, interfaces[index].neighbors.isEmpty,
            interfaces[index].isBroadcast
        else { return }
        setMode(index, .pointToPoint(), at: now)
        notify(.becamePointToPoint(interface: index))
    }

    /// If the only neighbor of a broadcast `auto` link has restarted, or was reconfigured, and does not elect, the link may be
    /// point-to-point now. The adjacency restarts in any case, so this is tried.
    mutating func tryPointToPoint(_ index: UInt32, after hello: Hello, from router: RouterID, at now: Instant) {
        guard interfaces[index].configuration.kind == .auto, interfaces[index].isBroadcast else { return }
        let interface = interfaces[index]
        guard case .elected = interface.mode,
            interface.neighbors.count == 1, let known = interface.neighbors.first, known.routerID == router,
            !hello.elects
        else { return }
        let restarted = known.state >= .twoWay && !hello.neighbors.contains(routerID)
        guard restarted || known.elects else { return }
        removeNeighbors(index, reason: .adjacencyReconsidered, at: now)
        let trial = Interface.Trial(until: now + Self.pointToPointTrial, elected: electionOutcome(index))
        setMode(index, .pointToPoint(trial: trial), at: now)
    }

    /// The trial is over, and no database description of a neighbor that does not elect was received: the neighbor waits for a
    /// designated router, or is lost.
    mutating func endTrial(_ trial: Interface.Trial, _ index: UInt32, at now: Instant) {
        setMode(index, .elected(trial.elected), at: now)
        updateAutomaticKind(index, at: now)
    }

    /// A neighbor describes its database. If it does not elect, and is the only one, it is point-to-point: a broadcast
    /// neighbor describes its database only after an election.
    mutating func noteDescribingNeighbor(_ neighbor: NeighborKey, at now: Instant) {
        let index = neighbor.interface
        guard interfaces[index].configuration.kind == .auto, !interfaces[neighbor].elects else { return }
        switch interfaces[index].mode {
        case .pointToPoint(trial: .some):
            interfaces[index].mode = .pointToPoint()
            notify(.becamePointToPoint(interface: index))
        case .waiting where interfaces[index].neighbors.count == 1: becomePointToPoint(index, at: now)
        case .passive, .standby, .pointToPoint, .waiting, .elected: break
        }
    }

    /// The waiting time is over, in which every router on the link should have sent a hello. An `auto` interface becomes
    /// point-to-point if it has no neighbor, or only one that does not elect; else the designated router is elected.
    mutating func endWaiting(_ index: UInt32, at now: Instant) {
        let interface = interfaces[index]
        let isAlone = interface.neighbors.isEmpty
        if interface.configuration.kind == .auto, interface.neighbors.count <= 1,
            isAlone || !interface.neighbors[0].elects
        {
            becomePointToPoint(index, at: now)
        } else {
            electDesignatedRouter(index, at: now)
        }
    }

    private mutating func becomePointToPoint(_ index: UInt32, at now: Instant) {
        setMode(index, .pointToPoint(), at: now)
        notify(.becamePointToPoint(interface: index))
        for neighbor in interfaces[index].neighborKeys { neighborEvent(neighbor, .adjacencyReconsidered, at: now) }
        promptHello(index, at: now)
    }
}

extension Hello {
    /// Whether the hello names a designated router or a backup, so that its sender takes part in elections.
    fileprivate var elects: Bool { designatedRouter != .none || backupDesignatedRouter != .none }
}

extension Neighbor {
    /// Whether its last hello named a designated router or a backup.
    fileprivate var elects: Bool { designatedRouter != .none || backupDesignatedRouter != .none }
}
