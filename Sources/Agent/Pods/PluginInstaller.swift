internal import Linux

/// Installs the reference plugins for the container runtime.
public enum PluginInstaller {
    /// The plugins that ``NetworkConfiguration`` needs, and `loopback`, which every runtime needs.
    public static let plugins = ["bridge", "host-local", "loopback", "portmap", "ptp"]

    /// Copies missing plugins from one directory to another; existing ones of any version stay. Returns the names of the
    /// copied ones. Throws if one cannot be copied.
    public static func install(from source: String, to target: String) throws -> [String] {
        try StateDirectory(path: target).create()
        return try plugins.filter { name in
            guard !SmallFile.exists("\(target)/\(name)") else { return false }
            try SmallFile.copyProgram("\(source)/\(name)", to: "\(target)/\(name)")
            return true
        }
    }
}
