internal import Addressing
internal import Links
internal import Linux
internal import MeshConfiguration
internal import Netlink
internal import Node

extension Daemon {
    /// Some kernel settings cannot be set.
    struct SettingsRefused: Error, CustomStringConvertible {
        var outcomes: [SettingOutcome]
        var description: String { outcomes.map(\.line).joined(separator: "\n") }
    }

    /// Applies the kernel settings of the machine and of its ports. Returns one line for each setting; throws if one cannot be
    /// set. A privileged init container calls this, because `/proc/sys` is read-only for an agent that is not privileged.
    public func applyKernelSettings() throws -> String {
        let monitor = try KernelMonitor()
        var node = MeshNode(configuration: configuration, environment: MeshNode.Environment())
        let outcomes = node.settings(
            of: monitor.links.values.sorted { $0.index < $1.index }, addresses: Array(monitor.addresses),
            defaultRoutes: Array(monitor.defaultRoutes)
        ).flatMap(KernelSettings.apply(_:))
        let refused = outcomes.filter { if case .failed = $0.result { true } else { false } }
        guard refused.isEmpty else { throw SettingsRefused(outcomes: refused) }
        return outcomes.map(\.line).joined(separator: "\n")
    }
}

extension SettingOutcome {
    /// One line for people.
    var line: String {
        switch result {
        case .unchanged: "\(name) = \(wanted)"
        case .changed(let previous): "\(name) = \(wanted) (was \(previous))"
        case .failed(let reason): "\(name) should be \(wanted): \(reason)"
        case .absent: "\(name): this kernel does not have it, or its port is gone"
        }
    }
}
