public import Links
internal import MeshConfiguration
internal import OSPF
internal import Timing

/// The kernel settings that the node depends on. They are set at the start and for new ports, and checked regularly, because
/// other programs may change them.
public struct SettingsAudit: Sendable {
    /// The settings that are wrong, by variable: the wanted value, and why it could not be set.
    public private(set) var failures: [String: String] = [:]
    /// When the next check is due; `nil` before the first.
    private(set) var nextAudit: Instant?
    /// The variables that had an outcome before. If one must be set again, another program has changed it.
    private var variablesSeen: Set<String> = []

    /// The time between checks. The kernel notifies changes of forwarding and of the reverse-path filter, which are then
    /// checked at once; the interval is for the other settings.
    private static let interval = Duration.seconds(60)
    /// The time between checks while a setting is wrong.
    private static let retryInterval = Duration.seconds(15)

    /// Makes a check due now.
    mutating func invalidate() { nextAudit = .zero }

    /// Whether a check is due. The caller does it.
    mutating func takeDue(at now: Instant) -> Bool {
        guard nextAudit.map({ $0 <= now }) ?? true else { return false }
        nextAudit = now + Self.interval
        return true
    }

    /// Forgets a port that was removed or that the router cannot use any more. If it comes back, its settings count as new.
    mutating func forget(port: String) {
        // A name with dots is in a variable with slashes: `net/ipv6/conf/eth0.5/accept_ra`.
        variablesSeen = variablesSeen.filter { !$0.contains(".conf.\(port).") && !$0.contains("/conf/\(port)/") }
    }

    /// Records outcomes. Returns the log lines about them.
    mutating func record(_ outcomes: [SettingOutcome], at now: Instant) -> [LogLine] {
        defer { if !failures.isEmpty, let audit = nextAudit { nextAudit = min(audit, now + Self.retryInterval) } }
        return outcomes.compactMap { outcome in
            let isFirst = variablesSeen.insert(outcome.name).inserted
            let before = failures.removeValue(forKey: outcome.name)
            switch outcome.result {
            case .unchanged: return nil
            case .absent:
                // The variable counts as new when it is there again, as with a port whose IPv6 was off.
                variablesSeen.remove(outcome.name)
                return nil
            case .changed(let previous):
                // A warning only if it had the wanted value at the last check.
                return isFirst || before != nil
                    ? LogLine(level: .notice, message: "set \(outcome.name) = \(outcome.wanted) (was \(previous))")
                    : LogLine(
                        level: .warning,
                        message: "\(outcome.name) was changed to \(previous) by another program; "
                            + "set back to \(outcome.wanted)")
            case .failed(let reason):
                failures[outcome.name] = "should be \(outcome.wanted): \(reason)"
                guard before == nil else { return nil }
                return LogLine(
                    level: .error, message: "\(outcome.name) should be \(outcome.wanted) and cannot be set: \(reason)")
            }
        }
    }
}

extension MeshNode {
    /// Checks the kernel settings if that is due.
    mutating func auditSettings(at now: Instant) {
        guard settings.takeDue(at: now) else { return }
        effects.append(.settings(wantedSettings(at: now)))
    }

    /// The settings that the node would want on a machine with these links, addresses and default routes. For a node that is
    /// never started: `meshd` sets them and exits.
    public mutating func settings(of links: [Link], addresses: [InterfaceAddress], defaultRoutes: [DefaultRoute])
        -> [KernelSetting]
    {
        for link in links { self.links[link.index] = link }
        for address in addresses { self.addresses.set(address) }
        for route in defaultRoutes { foreignSigns.add(route) }
        refreshPorts(at: .zero)
        return wantedSettings(at: .zero)
    }

    /// How long a neighbor must have been Full before router advertisements are refused on a port of the rule `*`. Until
    /// then, advertisements show that the port belongs to another network. A router answers the solicitations of a new port
    /// within seconds (RFC 4861 §6.3.7: three, 4 s apart).
    private static let trialOfPorts = Duration.seconds(30)

    private func refusesRouterAdvertisements(_ port: InterfaceTable.Port, at now: Instant) -> Bool {
        if port.rule.pattern != .everyCabledPort { return true }
        guard let router else { return false }
        return router.neighborSnapshots.contains { neighbor in
            neighbor.interface == port.link.index && neighbor.state == .full
                && now - neighbor.since >= Self.trialOfPorts
        }
    }

    /// The wanted settings, in the order in which they must be set.
    private func wantedSettings(at now: Instant) -> [KernelSetting] {
        var wanted: [KernelSetting] = links[Self.loopback]?.isUp == false ? [.loopbackUp] : []
        for (_, port) in interfaces.unused.sorted(by: { $0.key < $1.key }) where port.link.isUsable {
            // While a port was in use, its router advertisements may have been refused.
            if port.wasUsed, case .foreignNetwork = port.reason {
                wanted.append(.acceptRouterAdvertisements(port: port.link.name))
            }
            // Ports of containers are left alone.
            guard port.link.kind != "veth" else { continue }
            // This comes before forwarding: when forwarding is enabled, the kernel removes the default routes that routers
            // advertised, except on ports where `accept_ra` is 2.
            wanted.append(.keepRouterAdvertisements(port: port.link.name))
        }
        let active = interfaces.ports.values.filter { if case .active = $0.rule.role { true } else { false } }
        let refusing = Set(active.filter { refusesRouterAdvertisements($0, at: now) }.map(\.link.index))
        for port in active.sorted(by: { $0.link.index < $1.link.index }) where !refusing.contains(port.link.index) {
            wanted.append(.keepRouterAdvertisements(port: port.link.name))
        }
        wanted.append(.forwarding)
        if !configuration.kernel.keepsNextHopCompatibility { wanted.append(.quietNextHops) }
        for port in interfaces.ports.values.sorted(by: { $0.link.index < $1.link.index }) {
            if case .active = port.rule.role { wanted.append(.forwardingOnPort(port.link.name)) }
            wanted.append(.looseReversePathFilter(port: port.link.name))
            if refusing.contains(port.link.index) {
                wanted.append(.refuseRouterAdvertisements(port: port.link.name))
            }
        }
        return wanted
    }
}
