internal import Linux

/// Puts the reference plugins where the container runtime looks for them.
public enum PluginInstaller {
    /// The plugins that ``NetworkConfiguration`` needs, and `loopback`, which every runtime does.
    public static let plugins = ["bridge", "host-local", "loopback", "portmap", "ptp"]

    /// Copies plugins that are missing from one directory to another; those that are there, of whatever version, stay.
    /// The names of those copied.
    public static func install(from source: String, to target: String) throws -> [String] {
        try StateDirectory(path: target).create()
        return try plugins.filter { name in
            guard !SmallFile.exists("\(target)/\(name)") else { return false }
            try SmallFile.copyProgram("\(source)/\(name)", to: "\(target)/\(name)")
            return true
        }
    }
}
