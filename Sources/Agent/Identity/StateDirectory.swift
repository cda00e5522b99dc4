internal import Addressing
internal import Glibc
internal import Linux
internal import MeshConfiguration
internal import Node

/// A directory of small files with state that survives a restart of the agent. All of it may be lost or not writable; the node
/// then determines its identity and ranges again. There are two directories: that of the control socket is lost on reboot, the
/// other (`node.state`) is not.
struct StateDirectory: Sendable {
    let path: String

    init(path: String) { self.path = path }

    /// The directory of the control socket.
    init(besideSocket socket: String) {
        path = socket.lastIndex(of: "/").map { String(socket[..<$0]) } ?? "."
    }

    /// The directory that survives reboots: the configured one, or the default. An agent with another control socket than
    /// the default may be one of several on the machine, each in its network namespace, so its default is the directory of that
    /// socket.
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

    /// The directory and its parents, the topmost first.
    var chain: [String] {
        let parts = path.split(separator: "/")
        return parts.indices.map { (path.hasPrefix("/") ? "/" : "") + parts[...$0].joined(separator: "/") }
    }

    /// Creates the directory and its parents if they are missing.
    func create() throws(SystemError) {
        for directory in chain where mkdir(directory, 0o755) != 0 && errno != EEXIST {
            throw .last("create the directory \(directory)")
        }
    }

    /// Lines of a key and a value: `mac`, `router-id`, and the hexadecimal numbers `nonce` and `machine`. See
    /// ``SavedIdentity``.
    private var identityFile: String { path + "/identity" }

    /// The saved identity; `nil` if there is none, or the file cannot be read or is damaged.
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

    /// Whether there is a saved identity that cannot be read or is damaged.
    var hasDamagedIdentity: Bool { access(identityFile, F_OK) == 0 && savedIdentity == nil }

    func save(_ identity: SavedIdentity) throws(SystemError) {
        var text = "mac \(identity.mac)\nnonce \(String(identity.nonce, radix: 16))\n"
        if let routerID = identity.routerID { text += "router-id \(routerID)\n" }
        if let machine = identity.machine { text += "machine \(String(machine, radix: 16))\n" }
        try SmallFile.write(text, to: identityFile, durably: true)
    }

    /// The saved IPv4 range for a purpose, which is also the name of the file; `nil` if none is known.
    func savedRange(for purpose: String) -> IPv4Prefix? {
        guard let octets = try? SmallFile.read("\(path)/\(purpose)", upTo: 64) else { return nil }
        return IPv4Prefix(String(String(decoding: octets, as: UTF8.self).prefix { $0 != "\n" }))
    }

    func save(_ range: IPv4Prefix, for purpose: String) throws(SystemError) {
        try SmallFile.write("\(range)\n", to: "\(path)/\(purpose)", durably: true)
    }

    private var authenticationFile: String { path + "/auth-sequence" }

    /// The end of the sequence numbers of authentication that were reserved; 0 if none were.
    var savedAuthenticationSequence: UInt64 {
        guard let octets = try? SmallFile.read(authenticationFile, upTo: 32) else { return 0 }
        return UInt64(String(decoding: octets, as: UTF8.self).prefix { $0 != "\n" }) ?? 0
    }

    func save(authenticationSequence end: UInt64) throws(SystemError) {
        try SmallFile.write("\(end)\n", to: authenticationFile, durably: true)
    }

    private var kernelFile: String { path + "/kernel" }

    /// The protocol number and the table that the last run used; `nil` if that is not known.
    var savedKernel: SavedKernel? {
        guard let octets = try? SmallFile.read(kernelFile, upTo: 64) else { return nil }
        let words = String(decoding: octets, as: UTF8.self).split { $0 == " " || $0 == "\n" }
        guard words.count == 4, words[0] == "protocol", words[2] == "table", let routeProtocol = UInt8(words[1]),
            let table = UInt32(words[3])
        else { return nil }
        // Earlier versions accepted the numbers of other programs, whose routes would be removed.
        guard Configuration.KernelOptions.owner(ofRouteProtocol: routeProtocol) == nil else { return nil }
        return SavedKernel(routeProtocol: routeProtocol, table: table)
    }

    /// Saves the protocol number and the table that this run uses.
    func save(_ kernel: SavedKernel) throws(SystemError) {
        try create()
        try SmallFile.write("protocol \(kernel.routeProtocol) table \(kernel.table)\n", to: kernelFile)
    }

    private var drainFile: String { path + "/drained" }

    /// Whether an operator drained the node.
    var isDrained: Bool { access(drainFile, F_OK) == 0 }

    /// Saves whether an operator drained the node: if so, the file exists and is empty.
    func save(isDrained: Bool) throws(SystemError) {
        if isDrained {
            try SmallFile.write("", to: drainFile)
        } else if unlink(drainFile) != 0, errno != ENOENT {
            throw .last("remove \(drainFile)")
        }
    }
}

extension SavedState {
    /// Reads the state of both directories.
    init(state: StateDirectory, runtime: StateDirectory) {
        self.init()
        identity = state.savedIdentity
        for purpose in IPv4Ranges.purposes { ranges[purpose] = state.savedRange(for: purpose) }
        authenticationSequence = state.savedAuthenticationSequence
        isDrained = runtime.isDrained
        kernel = runtime.savedKernel
    }
}
