public import Links
internal import MeshConfiguration
internal import Timing

/// The kernel's settings that the node depends on: set at the start and when ports come, and looked at again now and then,
/// as somebody may change them.
public struct SettingsAudit: Sendable {
    /// What is wrong, by variable: what it should be, and why it is not.
    public private(set) var failures: [String: String] = [:]
    /// When to look again.
    private(set) var nextAudit: Instant?
    private var known: Set<String> = []

    /// The time between two looks.
    private static let interval = Duration.seconds(15)

    /// Has the settings looked at at once.
    mutating func invalidate() { nextAudit = .zero }

    /// Whether to look now.
    mutating func takeDue(at now: Instant) -> Bool {
        guard nextAudit.map({ $0 <= now }) ?? true else { return false }
        nextAudit = now + Self.interval
        return true
    }

    /// Takes outcomes in; what is to be said of them.
    mutating func take(_ outcomes: [SettingOutcome]) -> [LogLine] {
        outcomes.compactMap { outcome in
            let isFirst = known.insert(outcome.name).inserted
            let before = failures.removeValue(forKey: outcome.name)
            switch outcome.result {
            case .unchanged, .absent: return nil
            case .changed(let previous):
                return isFirst
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
    /// Looks at the kernel's settings if that is due.
    mutating func auditSettings(at now: Instant) {
        guard settings.takeDue(at: now) else { return }
        effects.append(.settings(wantedSettings))
    }

    /// The settings that the node would want on a machine with these links and addresses.
    public mutating func settings(of links: [Link], addresses: [InterfaceAddress], defaultRoutes: [DefaultRoute])
        -> [KernelSetting]
    {
        for link in links { self.links[link.index] = link }
        for address in addresses { self.addresses.set(address) }
        for route in defaultRoutes { surroundings.add(route) }
        refreshPorts(at: .zero)
        return wantedSettings
    }

    private var wantedSettings: [KernelSetting] {
        var wanted: [KernelSetting] = []
        for (_, port) in interfaces.unused.sorted(by: { $0.key < $1.key }) where port.link.isUsable {
            // What containers have at their ends is none of our business.
            guard port.link.kind != "veth" else { continue }
            // Before forwarding is switched on, with which the kernel removes the default routes of all other ports.
            wanted.append(.keepRouterAdvertisements(port: port.link.name))
        }
        wanted.append(.forwarding)
        if !configuration.kernel.keepsNextHopCompatibility { wanted.append(.quietNextHops) }
        for port in interfaces.ports.values.sorted(by: { $0.link.index < $1.link.index }) {
            wanted.append(.looseReversePathFilter(port: port.link.name))
            if case .active = port.rule.role { wanted.append(.refuseRouterAdvertisements(port: port.link.name)) }
        }
        return wanted
    }
}
