internal import Glibc

extension Lab {
    /// Starts the routers of all nodes, all at once.
    public mutating func startRouters() throws(LabError) { try start(topology.routers.map(\.name)) }

    /// Starts the routers of some nodes that are not running, and the ports that answer there.
    public mutating func start(_ names: [String]) throws(LabError) {
        let nodes = try names.map { name throws(LabError) in try topology.node(name) }
        let stopped = nodes.filter { !isRunning($0.name) }
        for node in stopped where node.router != .bridge && node.router != .none {
            processes[node.name] = []
            for port in node.listens { try startResponder(on: node, port: port) }
            switch node.router {
            case .meshd: try startMeshd(node)
            case .frr: try startZebra(node)
            case .bird: try startBIRD(node)
            case .bridge, .none: break
            }
        }
        for node in stopped where node.router == .frr { try startOSPF6(node) }
        try save()
    }

    /// Ends the router of a node: asked politely, or at once by `SIGKILL`. Its ports stay up.
    public mutating func stop(_ name: String, kill immediately: Bool = false) throws(LabError) {
        let node = try topology.node(name)
        let running = alive(node.name)
        end(running, of: node.name, with: immediately ? SIGKILL : SIGTERM)
        end(alive(node.name), of: node.name, with: SIGKILL)
        processes[node.name] = []
        try save()
    }

    /// Whether the router of a node runs.
    public func isRunning(_ node: String) -> Bool { !alive(node).isEmpty }

    /// The process of a node's router, or the last of them where there are several.
    public func process(of node: String) -> Int32? { alive(node).last }

    private func alive(_ node: String) -> [Int32] {
        let namespace = namespace(of: node)
        // One that ended and is a child of this process would be held on to for ever.
        return (processes[node] ?? []).filter { waitpid($0, nil, WNOHANG) != $0 && namespace.holds($0) }
    }

    private func end(_ pids: [Int32], of node: String, with signal: Int32) {
        for pid in pids { Glibc.kill(pid, signal) }
        let deadline = ContinuousClock.now + .seconds(5)
        while !alive(node).isEmpty, ContinuousClock.now < deadline { usleep(2000) }
    }

    /// Starts a program in a node's namespace that goes on when this process ends.
    mutating func startDaemon(_ arguments: [String], on node: Topology.Node, log: String) throws(LabError) {
        let pid = try command(on: node.name, arguments).startDaemon(log: "\(directory(of: node.name))/\(log).log")
        processes[node.name, default: []].append(pid)
    }

    /// Waits until something holds; the words say what was waited for when it does not.
    func wait(_ limit: Duration = .seconds(5), for what: String, until condition: () -> Bool) throws(LabError) {
        let deadline = ContinuousClock.now + limit
        while !condition() {
            guard ContinuousClock.now < deadline else { throw LabError("Waited \(limit) in vain for \(what).") }
            usleep(2000)
        }
    }

    private mutating func startResponder(on node: Topology.Node, port: UInt16) throws(LabError) {
        let arguments = [try Binaries.path(of: "meshlab"), "responder", "--port", "\(port)", "--text", node.name]
        try startDaemon(arguments, on: node, log: "responder-\(port)")
    }
}

/// Where the project's own programs are.
public enum Binaries {
    /// The path of one of `meshd`, `meshctl` and `meshlab`: in `$KUBERMESH_BINARIES` if that is set, else beside the
    /// program that asks.
    public static func path(of name: String) throws(LabError) -> String {
        let given = getenv("KUBERMESH_BINARIES").map { String(cString: $0) }
        let beside = realpath("/proc/self/exe", nil).map { path in
            defer { free(path) }
            return String(cString: path).split(separator: "/").dropLast().map { "/" + $0 }.joined()
        }
        for directory in [given, beside].compactMap(\.self) where access("\(directory)/\(name)", X_OK) == 0 {
            return "\(directory)/\(name)"
        }
        let places = [given, beside].compactMap(\.self).joined(separator: " or ")
        throw LabError("Cannot find \(name) in \(places); build it first with “make build”.")
    }
}
