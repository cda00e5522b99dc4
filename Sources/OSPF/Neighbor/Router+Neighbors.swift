import Addressing
import OSPFPacket
internal import Timing

/// What neighbours do and what is done about it (RFC 2328 §10.3).
extension Router {
    /// LSAs sent again to one neighbour in one go, and the time until the next go.
    static let retransmissionBatch = 256
    static let retransmissionPause = Duration.milliseconds(5)
    /// An exchange that has not ended after so many dead intervals is begun anew and told.
    static let exchangePatience = 3

    /// Takes in what happened to a neighbour. What can make the conversation fall back says why.
    mutating func neighborEvent(
        _ position: Int, _ index: Int, _ event: NeighborEvent, because fault: NeighborFault? = nil, at now: Instant
    ) {
        let old = interfaces[position].neighbors[index].state
        let new = old.next(
            on: event,
            adjacencyIsWanted: adjacencyIsWanted(position, with: interfaces[position].neighbors[index].routerID),
            nothingToRequest: interfaces[position].neighbors[index].requests.isEmpty)
        guard old != new || event.restartsNegotiation else { return }
        let before = use(of: interfaces[position].neighbors[index], position)
        if old == .full { holdLink(position, index, at: now) }
        if new <= .exStart, old >= .exStart { clearLists(position, index) }
        let fallback = fault.flatMap { new < old ? NeighborFallback(moment: now, from: old, to: new, fault: $0) : nil }
        if old != new {
            statistics.neighborStateChanges += 1
            interfaces[position].neighbors[index].since = now
            interfaces[position].neighbors[index].stateChanges += 1
            tellState(position, interfaces[position].neighbors[index], from: old, to: new, reason: event.reason)
        }
        if let fallback {
            interfaces[position].neighbors[index].lastFallback = fallback
            tellFallback(position, interfaces[position].neighbors[index], fallback)
        }
        enter(new, position, index, at: now)
        follow(from: before, to: use(of: interfaces[position].neighbors[index], position), at: now)
    }

    private mutating func enter(_ state: NeighborState, _ position: Int, _ index: Int, at now: Instant) {
        switch state {
        case .down: break
        case .initial: interfaces[position].neighbors[index].phase = .initial
        case .twoWay: interfaces[position].neighbors[index].phase = .twoWay
        case .exStart:
            interfaces[position].neighbors[index].phase = .exStart
            startNegotiation(position, index, at: now)
        case .exchange:
            interfaces[position].neighbors[index].phase = .exchange(summarize(for: position, index, at: now))
        case .loading:
            interfaces[position].neighbors[index].phase = .loading
            sendRequests(position, index, at: now)
        case .full:
            interfaces[position].neighbors[index].phase = .full
            interfaces[position].neighbors[index].exchangeDeadline = nil
            interfaces[position].neighbors[index].mismatchedMTU = nil
            interfaces[position].neighbors[index].heldUntil = nil
        }
    }

    /// What own LSAs and routes make of a neighbour, as far as its state goes.
    private struct Use: Hashable {
        var isLinked = false
        var isUsable = false
    }

    private func use(of neighbor: Neighbor, _ position: Int) -> Use {
        Use(isLinked: neighbor.isLinked, isUsable: interfaces[position].isUsable(neighbor))
    }

    private mutating func follow(from old: Use, to new: Use, at now: Instant) {
        guard old != new else { return }
        origination.interfacesChanged()
        topologyChanged(at: now)
    }

    mutating func tellState(
        _ position: Int, _ neighbor: Neighbor, from: NeighborState, to: NeighborState, reason: NeighborChangeReason
    ) {
        tell(
            .neighborState(
                interface: interfaces[position].index, neighbor: neighbor.routerID, from: from, to: to, reason: reason))
    }

    private mutating func tellFallback(_ position: Int, _ neighbor: Neighbor, _ fallback: NeighborFallback) {
        tell(
            .neighborFault(
                interface: interfaces[position].index, neighbor: neighbor.routerID, from: fallback.from,
                to: fallback.to, fault: fallback.fault))
    }

    private mutating func clearLists(_ position: Int, _ index: Int) {
        for key in interfaces[position].neighbors[index].retransmissions.keys {
            database.adjustUnacknowledged(key, by: -1)
        }
        interfaces[position].neighbors[index].retransmissions = RetransmissionList()
        interfaces[position].neighbors[index].requests = RequestList()
        interfaces[position].neighbors[index].sent = nil
        interfaces[position].neighbors[index].received = nil
        interfaces[position].neighbors[index].exchangeDeadline = nil
    }

    mutating func removeNeighbor(
        _ position: Int, _ index: Int, reason: NeighborChangeReason, because fault: NeighborFault? = nil,
        at now: Instant
    ) {
        clearLists(position, index)
        let before = use(of: interfaces[position].neighbors[index], position)
        let neighbor = interfaces[position].neighbors.remove(at: index)
        statistics.neighborStateChanges += 1
        tellState(position, neighbor, from: neighbor.state, to: .down, reason: reason)
        if let fault {
            let fallback = NeighborFallback(moment: now, from: neighbor.state, to: .down, fault: fault)
            tellFallback(position, neighbor, fallback)
        }
        follow(from: before, to: Use(), at: now)
    }

    mutating func runNeighborTimers(_ position: Int, _ index: Int, at now: Instant) {
        guard interfaces[position].neighbors[index].nextDeadline <= now else { return }
        let neighbor = interfaces[position].neighbors[index]
        if neighbor.inactivityDeadline <= now {
            let silence = interfaces[position].configuration.deadInterval
            removeNeighbor(position, index, reason: .inactivityTimer, because: .silence(silence), at: now)
            neighborGone(position, at: now)
            reconsiderAuto(position, at: now)
            return
        }
        if let deadline = neighbor.heldUntil, deadline <= now { releaseLink(position, index, at: now) }
        if let deadline = neighbor.exchangeDeadline, deadline <= now {
            tell(
                .exchangeStalled(
                    interface: interfaces[position].index, neighbor: neighbor.routerID, state: neighbor.state))
            let time = interfaces[position].configuration.deadInterval * Self.exchangePatience
            let fault = NeighborFault.noProgress(for: time, requests: neighbor.requests.count)
            return neighborEvent(position, index, .stalled, because: fault, at: now)
        }
        if let deadline = neighbor.sent?.deadline, deadline <= now { repeatDescription(position, index, at: now) }
        if let deadline = neighbor.requests.deadline, deadline <= now { repeatRequests(position, index, at: now) }
        if let deadline = neighbor.retransmissions.nextDeadline, deadline <= now {
            retransmit(position, index, at: now)
        }
    }

    /// The wait before something unanswered is sent again: short at first, then the interval configured. Cables lose
    /// little, so what is lost is mostly lost while the other end starts.
    func repetitionDelay(_ position: Int, attempts: Int) -> Duration {
        let interval = interfaces[position].configuration.retransmitInterval
        return attempts < 4 ? min(interval, .milliseconds(100) * (1 << attempts)) : interval
    }
}
