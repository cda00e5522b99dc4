internal import Linux
internal import Logging
internal import OSPF
internal import Timing

// What keeps packets of others away from this node: the stub router (RFC 6987), and more than that, the drain.

extension MeshAgent {
    /// Whether others are to route around this node, and of an address that it shares with others, it is the last that is
    /// taken. What is its own stays reachable.
    var isDrained: Bool { !drainReasons.isEmpty }

    /// Asks others to route around this node, or no longer.
    func setStubRouter(_ isStub: Bool) {
        isStubRouter = isStub
        tell(.notice, isStub ? "stub router: others route around this node" : "no stub router any more")
        tellStubRouter()
        settle()
    }

    /// Makes the node ready to be taken away, because somebody says so. Kept over restarts of the agent, though not of the
    /// machine.
    func setDrained(_ isDrained: Bool) {
        guard drainReasons.contains(.operator) != isDrained else { return }
        do {
            try passing.save(isDrained: isDrained)
        } catch {
            tell(.warning, "a restart of the agent will not remember this: \(error)")
        }
        setDrained(isDrained, .operator)
    }

    /// Drains for the rest of this run; whether there is anything to wait for.
    func drainForStop(within limit: Duration) -> Bool {
        guard !isDrained, !staysOnStop else { return false }
        tell(.notice, "stops in \(AgentSnapshot.seconds(limit)) s; another signal stops it now")
        setDrained(true, .stop)
        return true
    }

    /// Takes in that there is a reason to drain, or no longer.
    func setDrained(_ isWanted: Bool, _ reason: DrainReasons) {
        let before = isDrained
        if isWanted { drainReasons.insert(reason) } else { drainReasons.remove(reason) }
        guard isDrained != before else { return }
        tell(.notice, isDrained ? "drained: others route around this node" : "not drained any more")
        tellStubRouter()
        renewAnnouncedServices()
        advertise()
        settle()
    }

    /// Tells the router whether others are to route around it.
    func tellStubRouter() {
        guard let routing, routing.router.isStubRouter != (isStubRouter || isDrained) else { return }
        tellRouter(.stubRouter(isStubRouter || isDrained))
    }
}
