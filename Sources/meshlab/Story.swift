internal import Glibc
internal import Lab

/// The output of `meshlab`: lines, and on a terminal one line of progress that is overwritten.
struct Story {
    private let isTerminal = isatty(STDOUT_FILENO) == 1

    /// Prints a line.
    func say(_ text: String = "") {
        print(text)
        fflush(nil)
    }

    /// Shows the command `typed`, as a user would type it, runs `arguments`, the same command with full paths and sockets, and
    /// shows the output.
    func show(_ lab: Lab, on node: String, _ arguments: [String], as typed: String) throws {
        say("$ \(typed)")
        let output = try lab.command(on: node, arguments).output()
        say((output.text + output.errors).split(separator: "\n").map { "  \($0)" }.joined(separator: "\n"))
        say()
    }

    /// Overwrites the line of progress, if the output is a terminal.
    func progress(_ text: String) {
        guard isTerminal else { return }
        print("\r\u{1b}[K\(text)", terminator: "")
        fflush(nil)
    }

    /// Makes the nodes and links of a lab, and shows them.
    @discardableResult
    func make(_ topology: Topology, name: String?) throws -> Lab {
        let clock = ContinuousClock()
        let began = clock.now
        let lab = try Lab.create(topology, name: name ?? Lab.defaultName)
        say(
            "\(lab.title): \(count(topology.nodes.count, "node")), \(count(topology.links.count, "link")), \(seconds(clock.now - began)) to make"
        )
        say("\n\(lab.picture())\n")
        return lab
    }

    /// Makes a lab and starts its routers. Unless `timeout` (seconds) is `nil`, waits for its routes and shows those of
    /// the first agent. If a start fails, the lab is removed; if the wait fails, the lab stays.
    @discardableResult
    func up(_ topology: Topology, name: String?, timeout: Int?) throws -> Lab {
        var lab = try make(topology, name: name)
        do { try lab.startRouters() } catch {
            // The logs are removed with the lab, so the error contains those of routers that crashed.
            let logs = topology.nodes.filter { lab.hasCrashed($0.name) }.map { lab.log(of: $0.name) }
            try lab.destroy()
            throw LabError((["\(error)"] + logs + ["The lab is taken down again."]).joined(separator: "\n"))
        }
        guard let timeout else { return lab }
        let elapsed: Lab.Convergence
        do { elapsed = try waitUntilSettled(lab, limit: .seconds(timeout)) } catch {
            throw LabError("\(error)\nThe lab stays up: see “\(lab.typed("status"))” and \(lab.directory)/*/*.log.")
        }
        say(
            "Every node has every route: \(seconds(elapsed.routes)) after its routers were started "
                + "(settled after \(seconds(elapsed.settled))).\n")
        if let node = topology.routers.first(where: { $0.router == .meshd }) {
            try show(
                lab, on: node.name,
                [try Binaries.path(of: "meshctl"), "--socket", lab.controlSocket(of: node.name), "routes"],
                as: "\(lab.typed("exec")) \(node.name) -- meshctl routes")
        }
        try showSharedAddress(of: lab)
        return lab
    }

    /// Shows the first VIP of the lab, if there is one: on the first agent with VIPs, and on a client, an agent without VIPs.
    private func showSharedAddress(of lab: Lab) throws {
        let agents = lab.topology.routers.filter { $0.router == .meshd }
        guard let agent = agents.first(where: { !$0.vips.isEmpty }), let vip = agent.vips.first else { return }
        say("An anycast address, announced by each node while port \(vip.port) answers on it:\n")
        func show(_ node: String, _ arguments: [String]) throws {
            let program = try Binaries.path(of: arguments[0])
            let socket = arguments[0] == "meshctl" ? ["--socket", lab.controlSocket(of: node)] : []
            try self.show(
                lab, on: node, [program] + socket + arguments.dropFirst(),
                as: "\(lab.typed("exec")) \(node) -- \(arguments.joined(separator: " "))")
        }
        try show(agent.name, ["meshctl", "vips"])
        guard let client = agents.first(where: \.vips.isEmpty) else { return }
        try show(client.name, ["meshctl", "routes", vip.address])
        if agent.listens.contains(vip.port) { try show(client.name, ["meshlab", "dial", vip.address, "\(vip.port)"]) }
    }

    /// Waits for the routes of a lab whose nodes were started, unless `timeout` (seconds) is `nil` or links have failed. With
    /// failed links, some routes may never exist.
    func settle(_ lab: Lab, timeout: Int?) throws {
        guard let timeout else { return }
        guard lab.failedLinks.isEmpty else {
            return say("Not waiting for routes while links have failed: \(lab.failedLinks.joined(separator: ", ")).")
        }
        let elapsed = try waitUntilSettled(lab, limit: .seconds(timeout))
        say("Every node has every route (settled after \(seconds(elapsed.settled))).")
    }

    /// Waits until all routes exist and are stable, with a line of progress.
    func waitUntilSettled(_ lab: Lab, limit: Duration) throws -> Lab.Convergence {
        defer { progress("") }
        return try lab.waitUntilSettled(limit: limit) { state, elapsed in
            progress(
                "\(bar(state.routes, of: state.expected)) \(state.routes) of \(state.expected) routes, "
                    + "\(state.complete) of \(state.nodes) nodes, \(seconds(elapsed))")
        }
    }

    /// A bar of 24 characters, of which `done` of `all` are filled.
    private func bar(_ done: Int, of all: Int) -> String {
        let width = 24
        let filled = all == 0 ? width : done * width / all
        return String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
    }

    /// The duration in seconds with two decimals or, below a second, in whole milliseconds; rounded down.
    func seconds(_ duration: Duration) -> String {
        let milliseconds = Int(duration / .milliseconds(1))
        if milliseconds < 1000 { return "\(milliseconds) ms" }
        let hundredths = milliseconds % 1000 / 10
        return "\(milliseconds / 1000).\(hundredths < 10 ? "0" : "")\(hundredths) s"
    }

    private func count(_ number: Int, _ what: String) -> String { "\(number) \(what)\(number == 1 ? "" : "s")" }
}
