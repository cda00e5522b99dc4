internal import Glibc

extension Lab {
    /// Starts all routers and the services on their nodes. If that fails or this process crashes meanwhile, the lab
    /// stays incomplete, and ``create(_:name:)`` replaces it.
    public mutating func startRouters() throws(LabError) {
        try Lock.whileHeld(in: directory) { () throws(LabError) in
            isComplete = false
            try save()
            try start(topology.routers.map(\.name))
            isComplete = true
            try save()
        }
    }

    /// Starts what does not run on the named nodes: the router, and the services on the TCP ports in ``Topology/Node/listens``.
    /// Where a program of the router or one of the services still runs, the others are not started. Powers a node on if it was
    /// powered off. Returns when FRR and BIRD accept commands, or have crashed; throws if one has done neither after 20 s, or
    /// `zebra` does not listen after 5 s.
    public mutating func start(_ names: [String]) throws(LabError) {
        var nodes: [Topology.Node] = []
        for name in names { nodes.append(try topology.node(name)) }
        for node in nodes { try powerOn(node.name) }
        for node in nodes where alive(node.name, among: services).isEmpty { try startServices(of: node) }
        let stopped = nodes.filter { !isRunning($0.name) }
        for node in stopped {
            processes[node.name] = []
            switch node.router {
            case .meshd: try startMeshd(node)
            case .frr: try startZebra(node)
            case .bird: try startBIRD(node)
            case .bridge, .none: break
            }
        }
        for node in stopped where node.router == .frr { try startOSPF6(node) }
        for node in stopped { try waitForAnswers(from: node) }
        try save()
    }

    /// Waits until the router of a node accepts commands or has crashed. An agent needs no wait: while it does not answer yet,
    /// ``progress()`` counts it as a node without routes.
    private func waitForAnswers(from node: Topology.Node) throws(LabError) {
        let socket: String
        switch node.router {
        case .frr: socket = ospf6Socket(node.name)
        case .bird: socket = birdSocket(node.name)
        case .meshd, .bridge, .none: return
        }
        try wait(.seconds(20), for: "the router of \(node.name) to listen at \(socket)") {
            Files.exists(socket) || hasCrashed(node.name)
        }
    }

    /// Stops the router of a node by `SIGTERM` and, if it still runs after 5 s, by `SIGKILL`; or at once by `SIGKILL`. The
    /// node's network ports stay up, and its services run on.
    public mutating func stop(_ name: String, kill immediately: Bool = false) throws(LabError) {
        _ = try topology.node(name)
        end(name, among: processes, with: immediately ? SIGKILL : SIGTERM)
        end(name, among: processes, with: SIGKILL)
        processes[name] = []
        try save()
    }

    /// Stops the services of a node.
    public mutating func stopServices(of name: String) throws(LabError) {
        _ = try topology.node(name)
        end(name, among: services, with: SIGKILL)
        services[name] = []
        try save()
    }

    /// Whether the router of a node runs: at least one of its programs.
    public func isRunning(_ node: String) -> Bool { !alive(node, among: processes).isEmpty }

    /// Whether any service of a node runs.
    func offersServices(_ node: String) -> Bool { !alive(node, among: services).isEmpty }

    /// Whether a program of a node's router ended although neither ``stop(_:kill:)`` nor ``powerOff(_:)`` was called.
    public func hasCrashed(_ node: String) -> Bool {
        alive(node, among: processes).count < (processes[node] ?? []).count
    }

    /// The process ID of a node's router: of its running programs, that of the one started last. `nil` if none runs.
    public func process(of node: String) -> Int32? { alive(node, among: processes).last }

    /// Those of a node's processes in `pids` (``processes`` or ``services``) that have not ended.
    private func alive(_ node: String, among pids: [String: [Int32]]) -> [Int32] {
        let namespace = namespace(of: node)
        // A child of this process that ended must be reaped.
        return (pids[node] ?? []).filter { waitpid($0, nil, WNOHANG) != $0 && namespace.holds($0) }
    }

    /// Sends a signal to those of a node's processes in `pids` that have not ended. Returns when all have ended, or after 5 s.
    private func end(_ node: String, among pids: [String: [Int32]], with signal: Int32) {
        for pid in alive(node, among: pids) { Glibc.kill(pid, signal) }
        let deadline = ContinuousClock.now + .seconds(5)
        while !alive(node, among: pids).isEmpty, ContinuousClock.now < deadline { usleep(2000) }
    }

    /// Writes the configuration of a router, unless somebody has edited the file since the lab wrote it. A copy of what the lab
    /// wrote, with the suffix `.generated`, shows that.
    func writeConfiguration(_ text: String, to file: String) throws(LabError) {
        let generated = file + ".generated"
        if let present = Files.read(file), let before = Files.read(generated), present != before { return }
        try Files.write(text, to: file)
        try Files.write(text, to: generated)
    }

    /// Starts a router's program in a node's namespace. It continues when this process ends.
    mutating func startDaemon(_ arguments: [String], on node: Topology.Node, log: String) throws(LabError) {
        let pid = try command(on: node.name, arguments).startDaemon(log: "\(directory(of: node.name))/\(log).log")
        processes[node.name, default: []].append(pid)
    }

    private mutating func startServices(of node: Topology.Node) throws(LabError) {
        services[node.name] = nil
        for port in node.listens {
            let arguments = [try Binaries.path(of: "meshlab"), "responder", "--port", "\(port)", "--text", node.name]
            let pid = try command(on: node.name, arguments).startDaemon(
                log: "\(directory(of: node.name))/port-\(port).log")
            services[node.name, default: []].append(pid)
        }
    }

    /// Waits for a condition. Throws after `limit`; `what` names the condition in the error.
    func wait(_ limit: Duration = .seconds(5), for what: String, until condition: () -> Bool) throws(LabError) {
        let deadline = ContinuousClock.now + limit
        while !condition() {
            guard ContinuousClock.now < deadline else {
                throw LabError("Timed out after \(limit) waiting for \(what).")
            }
            usleep(2000)
        }
    }
}

/// Finds the project's own programs.
public enum Binaries {
    /// The path of one of `meshd`, `meshctl` and `meshlab`: in the directory `$KUBERMESH_BINARIES`, else beside the program
    /// that asks, else in `$PATH`. Throws if it is in none of them.
    public static func path(of name: String) throws(LabError) -> String {
        let given = getenv("KUBERMESH_BINARIES").map { String(cString: $0) }
        let beside = realpath("/proc/self/exe", nil).map { path in
            defer { free(path) }
            return String(cString: path).split(separator: "/").dropLast().map { "/" + $0 }.joined()
        }
        let searched = getenv("PATH").map { String(cString: $0).split(separator: ":").map(String.init) } ?? []
        for directory in [given, beside].compactMap(\.self) + searched
        where access("\(directory)/\(name)", X_OK) == 0 {
            return "\(directory)/\(name)"
        }
        let places = ([given, beside].compactMap(\.self) + ["$PATH"]).joined(separator: ", ")
        throw LabError("Cannot find \(name) in \(places). Install it, or build it with “make build”.")
    }
}
