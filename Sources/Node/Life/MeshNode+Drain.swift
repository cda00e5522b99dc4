internal import OSPF
internal import Timing

// Stub router (RFC 6987) and drain. A drained node is a stub router whose VIPs and service addresses are last resort.

extension MeshNode {
    mutating func execute(_ command: NodeCommand, at now: Instant) {
        switch command {
        case .stubRouter(let isStub): setStubRouter(isStub, at: now)
        case .drain(let isDrained):
            guard drainReasons.contains(.operator) != isDrained else { return }
            save(.drained(isDrained))
            setDrained(isDrained, .operator, at: now)
        case .drainForStop(let limit): drainForStop(within: limit, at: now)
        case .stop(let removingEverything): stop(removingEverything: removingEverything, at: now)
        }
    }

    /// Not saved: the command of an operator counts until the next one, or until the agent stops.
    private mutating func setStubRouter(_ isStub: Bool, at now: Instant) {
        isStubRouter = isStub
        log(.notice, isStub ? "stub router: others route around this node" : "not a stub router any more")
        updateStubRouter(at: now)
    }

    /// Adds a reason to drain, or removes it.
    mutating func setDrained(_ isWanted: Bool, _ reason: DrainReasons, at now: Instant) {
        let before = isDrained
        if isWanted { drainReasons.insert(reason) } else { drainReasons.remove(reason) }
        guard isDrained != before else { return }
        log(.notice, isDrained ? "drained: others route around this node" : "not drained any more")
        updateStubRouter(at: now)
        refreshVIPs()
        refreshServiceAddresses()
        announcements.invalidate()
    }

    /// Makes the router a stub router, or ends that, if it does not agree with the node.
    mutating func updateStubRouter(at now: Instant) {
        guard let router, router.isStubRouter != (isStubRouter || isDrained) else { return }
        notifyRouter(.stubRouter(isStubRouter || isDrained), at: now)
    }
}
