internal import Addressing
internal import Node
internal import OSPF

/// Whether processes stop as they should.
extension Network {
    /// Invariant: a process stops only when asked to. It shuts its router down and removes its VIPs and service addresses, or
    /// does neither if these stay for the next process (``Machine/staysOnStop``).
    mutating func checkStop(of node: Int) {
        guard nodes[node].isStopCommanded else {
            return report(.stop, "\(name(node)) stopped without being asked to")
        }
        let machine = nodes[node]
        guard let process = machine.process, let router = process.router else { return }
        if router.isShutDown == machine.staysOnStop {
            let detail =
                router.isShutDown
                ? "shut its router down, although the next process follows" : "did not shut its router down"
            report(.stop, "\(name(node)) stopped and \(detail)")
        }
        // What a slow kernel has not carried out yet is lost with the process, also requests from before it became fast again.
        guard machine.kernelDelay == .zero, !process.ledger.isBusy else { return }
        // Addresses that the agent has added (`true`).
        let remaining = machine.kernel.addresses.filter { $0.value && isVIPOrServiceAddress($0.key) }.keys.sorted()
        if machine.staysOnStop {
            for address in process.ledger.entries.keys.sorted() where process.ledger.isPlaced(address) {
                guard machine.kernel.addresses[address] == nil, !machine.hasUnreadRemoval(of: address) else { continue }
                report(.stop, "\(name(node)) stopped and removed \(address), although the next process follows")
            }
        } else if let address = remaining.first {
            report(.stop, "\(name(node)) stopped and left \(address) on lo")
        }
    }

    private func isVIPOrServiceAddress(_ address: IPv6Address) -> Bool {
        address.high == ScenarioGenerator.vipAddress(0).high || address.high == ScenarioGenerator.serviceAddress(0).high
    }
}
