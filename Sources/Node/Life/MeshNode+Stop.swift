internal import Addressing
internal import MeshConfiguration
internal import OSPF
internal import Routing
internal import Services
internal import Timing

extension MeshNode {
    /// Whether routes and addresses stay when the agent stops, because the next agent starts soon: `node.onStop` is `stay`, the
    /// node is not drained, and it is not about to be removed from the cluster (``NodeConditions/isLeaving``).
    public var staysOnStop: Bool {
        configuration.node.onStop == .stay && !isDrained && cluster?.node.isLeaving != true
    }

    /// Drains before a stop that follows within `limit`, unless the node is drained already, stays (``staysOnStop``), or is not
    /// synchronized.
    mutating func drainForStop(within limit: Duration, at now: Instant) {
        guard !isDrained, !staysOnStop, life.isSynchronized else { return }
        log(.notice, "draining; stops in \(limit.inSeconds) s, or at once on another signal")
        life = .draining
        setDrained(true, .stop, at: now)
    }

    /// Stops the node. If it stays (``staysOnStop``), it announces the restart (``stopForRestart(at:)``); otherwise it shuts down
    /// gracefully: the router flushes its LSAs and informs its neighbors, and VIPs and service addresses are removed. Routes and
    /// the node's own addresses remain, so that packets are forwarded until other nodes route around this node. With
    /// `removingEverything` it does not stay, and routes and own addresses are removed too.
    mutating func stop(removingEverything: Bool, at now: Instant) {
        if case .stopping = life { return }
        if staysOnStop && !removingEverything { return stopForRestart(at: now) }
        leaveMesh(removingEverything: removingEverything, at: now)
    }

    /// Shuts the router down, and removes addresses.
    mutating func leaveMesh(removingEverything: Bool, at now: Instant) {
        // From here on, the router's route updates do not reach the kernel (`perform`).
        life = .stopping
        nextDeadline = nil
        stopChecks()
        notifyRouter(.shutdown, at: now)
        removeAddresses(keeping: removingEverything ? [] : [.node])
        if removingEverything {
            effects.append(.removeEverything)
            log(.notice, "stopped; removed its routes and addresses")
        } else {
            log(.notice, "stopped; the routes stay in the kernel")
        }
        effects.append(.stopped(stays: false))
    }

    mutating func stopChecks() {
        for entry in vips.entries { if entry.vip.check != nil { effects += stopCheck(of: entry) } }
    }

    private mutating func stopCheck(of entry: VIPTable.Entry) -> [NodeEffect] { [.stopCheck(entry.checkID)] }

    /// A stopping node ignores events, but a second command may still remove everything.
    mutating func noteWhileStopping(_ event: NodeEvent, at now: Instant) {
        guard case .command(.stop(removingEverything: true)) = event else { return }
        removeAddresses(keeping: [])
        effects.append(.removeEverything)
    }

    private mutating func removeAddresses(keeping owners: Set<AddressLedger.Owner>) {
        let removals = ledger.removeAll(keeping: owners)
        if !removals.isEmpty { effects.append(.addresses(removals.map { .remove($0) })) }
    }
}
