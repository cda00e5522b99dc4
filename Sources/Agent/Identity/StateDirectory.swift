internal import Addressing
internal import Glibc
internal import Linux
internal import MeshConfiguration

/// What must outlive a restart, in small files. Everything here may be lost or unwritable: then the mesh finds out again what
/// was known. There are two: that of the control socket forgets with the machine's restart, the other (`node.state`) does not.
struct StateDirectory: Sendable {
    let path: String

    init(path: String) { self.path = path }

    /// The directory of a socket.
    init(besideSocket socket: String) {
        path = socket.lastIndex(of: "/").map { String(socket[..<$0]) } ?? "."
    }

    /// What outlives a restart of the machine.
    init(_ configuration: Configuration) {
        let socket = configuration.control.socket
        if let path = configuration.node.state {
            self.init(path: path)
        } else if socket == Configuration().control.socket {
            self.init(path: Configuration.defaultState)
        } else {
            self.init(besideSocket: socket)
        }
    }

    /// The directory and those above it, the uppermost first.
    var chain: [String] {
        let parts = path.split(separator: "/")
        return parts.indices.map { (path.hasPrefix("/") ? "/" : "") + parts[...$0].joined(separator: "/") }
    }

    /// Makes the directory and those above it, where they are missing.
    func create() throws(SystemError) {
        for directory in chain where mkdir(directory, 0o755) != 0 && errno != EEXIST {
            throw .last("make the directory \(directory)")
        }
    }

    private var routerIDFile: String { path + "/router-id" }

    /// The router ID that was taken in place of `derived` because another router had that.
    func savedRouterID(insteadOf derived: RouterID) -> RouterID? {
        guard let octets = try? SmallFile.read(routerIDFile, upTo: 64) else { return nil }
        let words = String(decoding: octets, as: UTF8.self).split { $0 == " " || $0 == "\n" }
        guard words.count == 2, RouterID(String(words[0])) == derived, let saved = RouterID(String(words[1])),
            saved != .none
        else { return nil }
        return saved
    }

    /// Keeps the router ID that is used in place of `derived`.
    func save(_ routerID: RouterID, insteadOf derived: RouterID) throws(SystemError) {
        try SmallFile.write("\(derived) \(routerID)\n", to: routerIDFile)
    }

    /// The IPv4 range that was taken for a purpose.
    func savedRange(for purpose: String) -> IPv4Prefix? {
        guard let octets = try? SmallFile.read("\(path)/\(purpose)", upTo: 64) else { return nil }
        return IPv4Prefix(String(String(decoding: octets, as: UTF8.self).prefix { $0 != "\n" }))
    }

    /// Keeps the IPv4 range taken for a purpose.
    func save(_ range: IPv4Prefix, for purpose: String) throws(SystemError) {
        try SmallFile.write("\(range)\n", to: "\(path)/\(purpose)")
    }

    private var drainFile: String { path + "/drained" }

    /// Whether the node is drained.
    var isDrained: Bool { access(drainFile, F_OK) == 0 }

    /// Keeps whether the node is drained.
    func save(isDrained: Bool) throws(SystemError) {
        if isDrained {
            try SmallFile.write("", to: drainFile)
        } else if unlink(drainFile) != 0, errno != ENOENT {
            throw .last("remove \(drainFile)")
        }
    }

    private var nonceFile: String { path + "/fingerprint" }

    /// A random number that stays the same over restarts of the agent if it can be kept, and better not over those of the
    /// machine, whose disk may be a copy of another's: it tells two machines apart whose hardware
    /// addresses are equal, as those of cloned virtual machines are.
    func nonce() -> UInt64 {
        if let octets = try? SmallFile.read(nonceFile, upTo: 32),
            let number = UInt64(String(decoding: octets, as: UTF8.self).prefix { $0 != "\n" }, radix: 16)
        {
            return number
        }
        let number = UInt64.random(in: .min ... .max)
        try? SmallFile.write(String(number, radix: 16) + "\n", to: nonceFile)
        return number
    }
}
