public import Addressing
public import MeshConfiguration

/// What the file for container runtimes says of the node's pods.
public struct NetworkConfiguration: Hashable, Sendable {
    /// The file.
    public var file: String
    /// The plugin that makes a pod's interface.
    public var plugin: Configuration.CNIOptions.Plugin
    /// The ranges of the node's pods, of both families.
    public var ranges: [IPv6Prefix]
    /// The MTU of pods.
    public var mtu: Int

    /// Describes a file.
    public init(file: String, plugin: Configuration.CNIOptions.Plugin, ranges: [IPv6Prefix], mtu: Int) {
        self.file = file
        self.plugin = plugin
        self.ranges = ranges
        self.mtu = mtu
    }
}
