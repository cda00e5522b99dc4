internal import OSPF
internal import Timing

// What keeps packets of others away from this node: the stub router (RFC 6987), and more than that, the drain.

extension MeshNode {
    mutating func obey(_ command: NodeCommand, at now: Instant) {
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

    private mutating func setStubRouter(_ isStub: Bool, at now: Instant) {
        isStubRouter = isStub
        log(.notice, isStub ? "stub router: others route around this node" : "not a stub router any more")
        tellStubRouter(at: now)
    }

    /// Takes in that there is a reason to drain, or no longer.
    mutating func setDrained(_ isWanted: Bool, _ reason: DrainReasons, at now: Instant) {
        let before = isDrained
        if isWanted { drainReasons.insert(reason) } else { drainReasons.remove(reason) }
        guard isDrained != before else { return }
        log(.notice, isDrained ? "drained: others route around this node" : "not drained any more")
        tellStubRouter(at: now)
        renewVIPs()
        renewServices()
        isAnnouncementStale = true
    }

    /// Tells the router whether others are to route around it.
    mutating func tellStubRouter(at now: Instant) {
        guard let router, router.isStubRouter != (isStubRouter || isDrained) else { return }
        tellRouter(.stubRouter(isStubRouter || isDrained), at: now)
    }
}
