public import Addressing
public import MeshConfiguration

/// The contents of the CNI file, the network configuration for container runtimes.
public struct NetworkConfiguration: Hashable, Sendable {
    /// The path of the file.
    public var file: String
    /// The plugin that creates the interface of a pod.
    public var plugin: Configuration.CNIOptions.Plugin
    /// The ranges of the node's pods, of both families.
    public var ranges: [IPv6Prefix]
    /// The MTU of the pods' interfaces.
    public var mtu: Int

    public init(file: String, plugin: Configuration.CNIOptions.Plugin, ranges: [IPv6Prefix], mtu: Int) {
        self.file = file
        self.plugin = plugin
        self.ranges = ranges
        self.mtu = mtu
    }
}
