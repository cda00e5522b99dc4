internal import Addressing
internal import Glibc
internal import Linux
internal import MeshConfiguration
internal import Node

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

    private var identityFile: String { path + "/identity" }

    /// Who the node was when it first started; `nil` if nothing is kept or it is damaged.
    var savedIdentity: SavedIdentity? {
        guard let octets = try? SmallFile.read(identityFile, upTo: 512) else { return nil }
        var fields: [Substring: Substring] = [:]
        for line in String(decoding: octets, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1)
            if parts.count == 2 { fields[parts[0]] = parts[1] }
        }
        guard let mac = fields["mac"].flatMap({ MACAddress(String($0)) }), mac.isUsable,
            let nonce = fields["nonce"].flatMap({ UInt64($0, radix: 16) })
        else { return nil }
        let routerID = fields["router-id"].flatMap { RouterID(String($0)) }
        return SavedIdentity(
            mac: mac, routerID: routerID == RouterID.none ? nil : routerID, nonce: nonce,
            machine: fields["machine"].flatMap { UInt64($0, radix: 16) })
    }

    /// Keeps who the node is.
    func save(_ identity: SavedIdentity) throws(SystemError) {
        var text = "mac \(identity.mac)\nnonce \(String(identity.nonce, radix: 16))\n"
        if let routerID = identity.routerID { text += "router-id \(routerID)\n" }
        if let machine = identity.machine { text += "machine \(String(machine, radix: 16))\n" }
        try SmallFile.write(text, to: identityFile)
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
}

extension SavedState {
    /// What is kept in both directories.
    init(state: StateDirectory, passing: StateDirectory) {
        self.init()
        identity = state.savedIdentity
        for purpose in IPv4Ranges.purposes { ranges[purpose] = state.savedRange(for: purpose) }
        isDrained = passing.isDrained
    }
}
