import Addressing
import OSPFPacket
internal import Timing

/// Events of neighbors. The adjacency belongs to the neighbor; its consequences for the rest of the router are here.
extension Router {
    /// Handles an event of a neighbor. With an event that can move it to an earlier state, `fault` says what caused it.
    mutating func neighborEvent(
        _ neighbor: NeighborKey, _ event: NeighborEvent, because fault: NeighborFault? = nil, at now: Instant
    ) {
        var outbox = AdjacencyOutbox()
        let context = adjacencyContext(of: neighbor, at: now)
        let before = use(of: neighbor)
        interfaces[neighbor].handle(event, because: fault, in: context, database, into: &outbox)
        carryOut(outbox, with: neighbor, usedBefore: before, at: now)
    }

    /// Processes a description whose MTU is accepted. In state Init, it shows that the neighbor hears us, as a hello that lists
    /// us does, so the state first changes to ExStart or 2-Way (RFC 2328 §10.6).
    mutating func receive(_ description: DatabaseDescription, from neighbor: NeighborKey, at now: Instant) {
        var outbox = AdjacencyOutbox()
        var context = adjacencyContext(of: neighbor, at: now)
        let isAccepted = interfaces[neighbor].acceptsMTU(of: description, in: context, into: &outbox)
        carryOut(outbox, with: neighbor, usedBefore: use(of: neighbor), at: now)
        guard isAccepted else { return reject(.mtu) }
        noteDescribingNeighbor(neighbor, at: now)
        if interfaces[neighbor].state == .initial {
            guard interfaces[neighbor].unresponsiveSince == nil else { return }
            neighborEvent(neighbor, .twoWayReceived, at: now)
            electAgainIfNeeded(neighbor.interface, was: nil, router: neighbor.router, at: now)
        }
        outbox = AdjacencyOutbox()
        context = adjacencyContext(of: neighbor, at: now)
        let before = use(of: neighbor)
        let room = configuration.limits.lsas - requestCount
        interfaces[neighbor].receive(description, room: room, in: context, database, into: &outbox)
        carryOut(outbox, with: neighbor, usedBefore: before, at: now)
    }

    mutating func receive(_ request: LinkStateRequest, from neighbor: NeighborKey, at now: Instant) {
        var outbox = AdjacencyOutbox()
        let context = adjacencyContext(of: neighbor, at: now)
        let before = use(of: neighbor)
        interfaces[neighbor].receive(request, in: context, database, into: &outbox)
        carryOut(outbox, with: neighbor, usedBefore: before, at: now)
    }

    /// Requests the next LSAs from each neighbor if those last requested from it have all arrived, from it or another. Ends
    /// Loading where no LSA is missing.
    mutating func continueLoading(at now: Instant) {
        for index in interfaces.indices where interfaces[index].neighbors.contains(where: \.mayRequest) {
            for neighbor in interfaces[index].neighborKeys where interfaces[neighbor].mayRequest {
                var outbox = AdjacencyOutbox()
                let context = adjacencyContext(of: neighbor, at: now)
                let before = use(of: neighbor)
                interfaces[neighbor].requestMore(in: context, database, into: &outbox)
                carryOut(outbox, with: neighbor, usedBefore: before, at: now)
            }
        }
    }

    mutating func runNeighborTimers(_ neighbor: NeighborKey, at now: Instant) {
        guard interfaces[neighbor].nextDeadline <= now else { return }
        if let restart = interfaces[neighbor].restart, restart.until <= now {
            endHelping(neighbor, because: .expired, at: now)
        }
        if interfaces[neighbor].inactivityDeadline <= now, !keepSilentNeighbor(neighbor, at: now) {
            let silence = interfaces[neighbor.interface].configuration.deadInterval
            removeNeighbor(neighbor, reason: .inactivityTimer, because: .silence(silence), at: now)
            neighborGone(neighbor.interface, at: now)
            return updateAutomaticKind(neighbor.interface, at: now)
        }
        if let deadline = interfaces[neighbor].held?.until, deadline <= now { releaseLink(neighbor, at: now) }
        checkAnnouncement(of: neighbor, at: now)
        var outbox = AdjacencyOutbox()
        let context = adjacencyContext(of: neighbor, at: now)
        let before = use(of: neighbor)
        interfaces[neighbor].runTimers(in: context, database, into: &outbox)
        carryOut(outbox, with: neighbor, usedBefore: before, at: now)
    }

    mutating func removeNeighbor(
        _ neighbor: NeighborKey, reason: NeighborChangeReason, because fault: NeighborFault? = nil, at now: Instant
    ) {
        var outbox = AdjacencyOutbox()
        let before = use(of: neighbor)
        let state = interfaces[neighbor].state
        if interfaces[neighbor].restart != nil { noteEndOfHelp(neighbor, because: .removed) }
        interfaces[neighbor].endAdjacency(into: &outbox)
        outbox.append(.stateChanged(from: state, to: .down, reason))
        if let fault {
            outbox.append(.fellBack(NeighborFallback(moment: now, from: state, to: .down, fault: fault)))
        }
        interfaces[neighbor.interface].neighbors.removeAll { $0.routerID == neighbor.router }
        carryOut(outbox, with: neighbor, usedBefore: before, at: now)
    }

    // MARK: What an adjacency needs of the router

    func adjacencyContext(of neighbor: NeighborKey, at now: Instant) -> AdjacencyContext {
        let interface = interfaces[neighbor.interface].configuration
        let mtu =
            interfaces[neighbor].usesSmallPackets ? min(interface.mtu, AdjacencyContext.smallestMTU) : interface.mtu
        return AdjacencyContext(
            header: packetHeader, options: options, interface: interface, mtu: mtu,
            adjacencyIsWanted: adjacencyIsWanted(with: neighbor), now: now)
    }

    private func use(of neighbor: NeighborKey) -> Neighbor.Use {
        interfaces[neighbor.interface].use(of: neighbor.router)
    }

    /// The number of LSAs in the request lists of all neighbors.
    private var requestCount: Int {
        interfaces.reduce(0) { $1.neighbors.reduce($0) { $0 + ($1.adjacency?.requests.count ?? 0) } }
    }

    /// Carries out the effects of a step of an adjacency. `before` is how the neighbor was used before the step; the neighbor
    /// may have been removed since.
    private mutating func carryOut(
        _ outbox: AdjacencyOutbox, with neighbor: NeighborKey, usedBefore before: Neighbor.Use, at now: Instant
    ) {
        for item in outbox.items {
            switch item {
            case .send(let type, let octets):
                send(octets, type: type, on: neighbor.interface, to: interfaces[neighbor].address)
            case .stateChanged(let from, let to, let reason):
                statistics.neighborStateChanges += 1
                notify(
                    .neighborState(
                        interface: neighbor.interface, neighbor: neighbor.router, from: from, to: to, reason: reason))
                interfaces[neighbor.interface].expectAnnouncement(by: neighbor.router, isFull: to == .full, at: now)
                if from == .full, to != .down, reason != .unresponsive { holdLink(neighbor, at: now) }
            case .fellBack(let fallback):
                notify(
                    .neighborFault(
                        interface: neighbor.interface, neighbor: neighbor.router, from: fallback.from, to: fallback.to,
                        fault: fallback.fault))
            case .unacknowledged(let keys, let difference):
                for key in keys { database.adjustUnacknowledged(key, by: difference) }
            case .retransmitted(let count): statistics.lsaRetransmissions += UInt64(count)
            case .rejected(let reason): reject(reason)
            case .databaseIsFull: refuse(because: .database, at: now)
            case .notice(.mtuMismatch(let theirs, let ours)):
                notify(
                    .mtuMismatch(
                        interface: neighbor.interface, neighbor: neighbor.router, theirs: theirs, ours: ours))
            case .notice(.exchangeStalled(let state)):
                notify(.exchangeStalled(interface: neighbor.interface, neighbor: neighbor.router, state: state))
            }
        }
        let after = interfaces.contains(neighbor) ? use(of: neighbor) : Neighbor.Use()
        guard before != after else { return }
        origination.interfacesChanged()
        topologyChanged(at: now)
    }
}
