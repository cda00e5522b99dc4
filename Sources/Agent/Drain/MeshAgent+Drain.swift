internal import Linux
internal import Logging
internal import OSPF

// What keeps packets of others away from this node: the stub router (RFC 6987), and more than that, the drain.

extension MeshAgent {
    /// Asks others to route around this node, or no longer.
    func setStubRouter(_ isStub: Bool) {
        isStubRouter = isStub
        tell(.notice, isStub ? "stub router: others route around this node" : "no stub router any more")
        tellStubRouter()
        settle()
    }

    /// Makes the node ready to be taken away: others route around it, and of an address that it shares with others, it is
    /// the last that is taken. What is its own stays reachable. Kept over restarts of the agent, though not of the machine.
    func setDrained(_ isDrained: Bool) {
        guard self.isDrained != isDrained else { return }
        do {
            try state.save(isDrained: isDrained)
        } catch {
            tell(.warning, "a restart of the agent will not remember this: \(error)")
        }
        applyDrain(isDrained)
    }

    /// Drains for the rest of this run.
    func drainForStop(within limit: Duration) {
        guard !isDrained else { return }
        tell(.notice, "stops in \(AgentSnapshot.seconds(limit)) s; another signal stops it now")
        applyDrain(true)
    }

    private func applyDrain(_ isDrained: Bool) {
        self.isDrained = isDrained
        tell(.notice, isDrained ? "drained: others route around this node" : "not drained any more")
        tellStubRouter()
        advertise()
        settle()
    }

    /// Tells the router whether others are to route around it.
    func tellStubRouter() {
        guard let routing, routing.router.isStubRouter != (isStubRouter || isDrained) else { return }
        tellRouter(.stubRouter(isStubRouter || isDrained))
    }
}
