internal import Links
internal import MeshConfiguration
internal import Netlink

/// The kernel's settings that forwarding by a mesh takes. An agent makes them itself where it may; in a container that is
/// not privileged `/proc/sys` is read-only, and a step of its own makes them first.
enum KernelSettings {
    /// Those of the whole node.
    static func apply(_ options: Configuration.KernelOptions) -> [ForwardingSettings.Outcome] {
        var outcomes = ForwardingSettings.apply()
        if !options.keepsNextHopCompatibility { outcomes.append(ForwardingSettings.setNextHopCompatibility(false)) }
        return outcomes
    }
}

extension Daemon {
    /// Settings that could not be made.
    struct SettingsRefused: Error, CustomStringConvertible {
        var outcomes: [ForwardingSettings.Outcome]
        var description: String { outcomes.map(\.description).joined(separator: "\n") }
    }

    /// Makes the settings of the node and of every port there is that the configuration is about; says what they are, a line
    /// each. Throws if one cannot be made.
    public func makeKernelSettings() throws -> String {
        let monitor = try KernelMonitor()
        var table = InterfaceTable()
        for link in monitor.links.values {
            _ = table.update(link, addresses: monitor.addresses, configuration: configuration)
        }
        let ports = table.ports.values.map(\.link.name).sorted()
        let outcomes =
            KernelSettings.apply(configuration.kernel)
            + ports.compactMap { ForwardingSettings.relaxReversePathFilter(of: $0) }
        let refused = outcomes.filter { if case .failed = $0.result { true } else { false } }
        guard refused.isEmpty else { throw SettingsRefused(outcomes: refused) }
        return outcomes.map(\.description).joined(separator: "\n")
    }
}
