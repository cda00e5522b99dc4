internal import Addressing
internal import Cluster
internal import ControlAPI
internal import Links
internal import Linux
internal import Logging
internal import Netlink
internal import OSPF
internal import Services
internal import Timing

// VIPs and other addresses of this node.

extension MeshAgent {
    /// A health check reports.
    func checked(_ id: VIPTable.CheckID, _ outcome: CheckOutcome) {
        guard phase != .stopping else { return }
        perform(vips.handle(.checked(id, outcome), at: EventLoop.now))
        handleServiceProxy(.checked(id, outcome))
        scheduleHousekeeping()
        openPortsIfDue()
    }

    /// Does what the table of VIPs wants.
    func perform(_ actions: [VIPTable.Action]) {
        for action in actions { perform(action) }
        guard !actions.isEmpty else { return }
        advertise()
        settle()
    }

    private func perform(_ action: VIPTable.Action) {
        switch action {
        case .announce(let vip):
            // First the address, so that what others send is taken.
            if hold(vip.address) { tell(.notice, "VIP \(vip.name), \(vip.address): announced") }
        case .withdraw(let vip, let reason):
            // First the announcement, so that what others send goes elsewhere.
            advertise()
            settle()
            release(vip.address)
            tell(.notice, "VIP \(vip.name), \(vip.address): not announced: \(reason)")
        case .startChecking(let id, let check): checker.start(id, check)
        case .stopChecking(let id): checker.stop(id)
        }
    }

    /// Puts an address on this node; whether that worked.
    @discardableResult
    func hold(_ address: IPv6Address) -> Bool {
        do {
            try addresses.add(address)
            return true
        } catch {
            tell(.error, "\(error)")
            return false
        }
    }

    /// Takes an address from this node.
    func release(_ address: IPv6Address) {
        do { try addresses.remove(address) } catch { tell(.error, "\(error)") }
    }

    /// Puts an address of this node back that somebody else removed.
    func putBack(_ address: InterfaceAddress) {
        guard address.interface == KernelAddresses.loopback, let routing, phase != .stopping else { return }
        let isOwn = ownAddresses.contains(address.address)
        guard !holding.contains(address.address) else { return }
        guard isOwn || vips.announced.contains(address.address) || serviceVIPs.entries[address.address] != nil else {
            return
        }
        guard hold(address.address) else { return }
        tell(.warning, "somebody removed \(address.address) from lo; it is back")
        // The kernel has taken it off all routes, or, if it is IPv4's, has taken all routes with it.
        if isOwn { routing.installer.setPreferredSource(address.address) }
    }
}
