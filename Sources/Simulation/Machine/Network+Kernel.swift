internal import OSPF
internal import Routing

/// Routes on their way from the router into the kernel of its machine, as the agent brings them there.
extension Network {
    /// A new process takes over what its kernel holds; some time later it lets go of what nobody wanted.
    mutating func adoptKernel(_ node: Int) {
        var fib = FIB()
        fib.adopt(nodes[node].kernel.read(.everything))
        for port in nodes[node].ports where !ports[port].hasCarrier {
            fib.linkLost(ports[port].configuration.index)
        }
        nodes[node].fib = fib
        enqueue(.sweep(node: node, process: nodes[node].process), after: machine.sweepDelay)
    }

    mutating func sweep(_ node: Int) {
        nodes[node].fib?.sweep()
        install(node)
    }

    /// Brings the kernel to what is wanted. Where it turns out to be other than believed, it is read and all is planned
    /// anew; what is not right then is tried again after a while.
    mutating func install(_ node: Int) {
        guard nodes[node].state == .running, nodes[node].fib != nil else { return }
        for _ in 0..<4 {
            let extent = nodes[node].fib!.rereading
            if extent != .nothing { nodes[node].fib!.reconcile(nodes[node].kernel.read(extent)) }
            let changes = nodes[node].fib!.changes()
            statistics.kernelChanges += changes.count
            var hasFailed = false
            for change in changes {
                guard let failure = nodes[node].kernel.apply(change) else { continue }
                nodes[node].fib!.failed(change, failure)
                hasFailed = true
            }
            if !hasFailed, !nodes[node].fib!.isDirty { break }
        }
        scheduleRetry(node)
    }

    private mutating func scheduleRetry(_ node: Int) {
        guard let fib = nodes[node].fib, !nodes[node].willRetry else { return }
        let mustRetry = fib.hasFailures || fib.rereading != .nothing || fib.isDirty
        guard mustRetry || fib.isDoubtful else { return }
        nodes[node].willRetry = true
        enqueue(
            .retry(node: node, process: nodes[node].process), after: mustRetry ? .milliseconds(100) : .seconds(1))
    }

    mutating func retry(_ node: Int) {
        nodes[node].willRetry = false
        nodes[node].fib?.retry()
        if nodes[node].fib?.isDoubtful == true { nodes[node].fib?.reread(.nextHops) }
        install(node)
    }
}
