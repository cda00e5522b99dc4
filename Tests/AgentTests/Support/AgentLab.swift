import Glibc
import Lab
import Links
import MeshConfiguration
import NIOCore
import TestAPIServer
import Timing

/// Runs `body` with a lab of real agents, and removes the lab. An error that is thrown includes the logs of the agents.
/// `prepare` runs before the agents are started.
func withLab(
    _ topology: Topology, beforeStart prepare: (Lab) throws -> Void = { _ in }, _ body: (inout Lab) throws -> Void
) throws {
    try Lab.destroyLeftOvers(prefix: "at")
    var lab = try Lab.create(topology, name: "at\(getpid())")
    defer { try? lab.destroy() }
    do {
        try prepare(lab)
        try lab.startRouters()
        try body(&lab)
    } catch {
        throw LabError("\(error)\n" + topology.routers.map { lab.log(of: $0.name) }.joined(separator: "\n"))
    }
}

/// Runs `body` with two nodes, `a` and `b`, and a cable between them, once each has a route to the other. `config` is merged
/// over the configuration of `a`.
func withPair(_ config: String = "", _ body: (inout Lab) throws -> Void) throws {
    let nodes = [Topology.Node("a", config: config), Topology.Node("b")]
    try withLab(Topology(name: "pair", nodes: nodes, links: [Topology.Link("a", "b")])) { lab in
        try lab.waitForRoutes(limit: .seconds(20))
        try body(&lab)
    }
}

/// Waits until the condition holds, for at most 20 s unless another limit is given. If it throws, for example because an agent is starting and does not
/// answer, it does not hold.
func eventually(_ what: String, limit: Duration = .seconds(20), _ condition: () throws -> Bool) throws {
    var problem = ""
    func holds() -> Bool {
        do { return try condition() } catch {
            problem = " (\(error))"
            return false
        }
    }
    let deadline = ContinuousClock.now + limit
    var pause: UInt32 = 10_000
    while !holds() {
        guard ContinuousClock.now < deadline else { throw LabError("Not within \(limit): \(what)\(problem)") }
        usleep(pause)
        pause = min(pause + pause / 2, 50_000)
    }
}

extension Lab {
    /// Runs `meshctl` on node `a`.
    func meshctl(_ arguments: String...) throws -> Command.Output {
        try command(on: "a", [Binaries.path(of: "meshctl"), "--socket", controlSocket(of: "a")] + arguments).output()
    }

    /// Runs `meshd` on node `a` and waits until it exits.
    func meshd(_ arguments: String...) throws -> Command.Output {
        try command(on: "a", [Binaries.path(of: "meshd")] + arguments).output()
    }

    /// What the agent of node `a` answers to an HTTP request; `options` are for curl.
    func get(_ path: String, _ options: String...) throws -> String {
        try command(on: "a", ["curl", "-s"] + options + ["http://[::1]:9179\(path)"]).output().text
    }

    /// The configuration file of node `a`.
    var configurationFile: String { "\(directory(of: "a"))/kubermesh.yaml" }
}

extension LabCluster {
    /// The part of an agent's configuration that names the API server in the lab of this process.
    static var configuration: String { configuration(inLab: "at\(getpid())") }

    /// The path of a file in the directory of the lab of this process.
    static func file(_ name: String) -> String { "\(Lab.root)/at\(getpid())/\(name)" }
}

/// Runs `body` with a lab and an API server on the node `k`. The configuration of every agent that is to use it must contain
/// ``LabCluster/configuration``.
func withCluster(_ topology: Topology, _ body: (inout Lab, LabCluster) throws -> Void) throws {
    var cluster: LabCluster?
    defer { try? cluster?.server.close().wait() }
    try withLab(topology, beforeStart: { cluster = try LabCluster($0, on: "k") }) { lab in
        try lab.waitForRoutes(limit: .seconds(20))
        try body(&lab, cluster!)
    }
}
