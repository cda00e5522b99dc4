internal import Linux
internal import Logging
internal import Services
internal import Timing

// Whether whoever delivers services on this node says that it does.

extension MeshAgent {
    /// What the check of whoever delivers services leads to.
    func handleServiceProxy(_ event: VIPTable.Event) {
        let wasOpen = gate.isOpen
        performChecks(gate.handle(event, at: EventLoop.now))
        guard gate.isOpen != wasOpen else { return }
        tell(.notice, gate.isOpen ? "services are delivered" : "services are not delivered: \(gate.problem ?? "")")
        announceServices()
    }

    /// Begins, or ends, to check whoever delivers services.
    func checkServiceProxy(_ check: HealthCheck?) {
        performChecks(gate.configure(check, at: EventLoop.now))
    }

    private func performChecks(_ actions: [VIPTable.Action]) {
        for action in actions {
            switch action {
            case .startChecking(let id, let check): checker.start(id, check)
            case .stopChecking(let id): checker.stop(id)
            case .announce, .withdraw: break
            }
        }
    }
}
