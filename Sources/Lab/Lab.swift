internal import FoundationEssentials
internal import Glibc

/// A mesh on one machine: a namespace per node, a veth pair per link, and real routers.
///
/// All a lab knows of itself is in one file, written before anything is made, so that it can be taken down by another
/// process, also after this one crashed.
public struct Lab: Sendable {
    /// The name, unique on the machine.
    public let name: String
    /// Its nodes and links.
    public let topology: Topology
    /// The addresses it gives out.
    public let addresses: AddressBook
    /// Where configurations, sockets, logs and the lab's own state lie.
    public let directory: String
    /// The links that were made to fail, by their place in the topology.
    public internal(set) var faults: [Int: Fault] = [:]
    /// The processes of each node's router.
    public internal(set) var processes: [String: [Int32]] = [:]
    /// The processes that answer on each node's ports.
    public internal(set) var services: [String: [Int32]] = [:]
    /// The nodes without power.
    public internal(set) var poweredOff: Set<String> = []

    /// Whether it is complete. If not, it is being created, or that process crashed.
    var isWhole = false

    /// How a link can fail.
    public enum Fault: String, Codable, Hashable, Sendable {
        /// The cable is pulled: the port loses carrier.
        case carrier
        /// Every packet is lost, and no port notices.
        case silent
    }

    /// The lab that is meant when none is named; its namespaces carry no lab's name.
    public static let defaultName = "lab"

    /// Where all labs keep their state: `$KUBERMESH_LAB_DIRECTORY`, or below `/run`.
    public static var root: String {
        ProcessInfo.processInfo.environment["KUBERMESH_LAB_DIRECTORY"] ?? "/run/kubermesh-lab"
    }

    init(name: String, topology: Topology) {
        self.name = name
        self.topology = topology
        addresses = AddressBook(topology)
        directory = "\(Self.root)/\(name)"
    }

    /// The title in messages: its topology, and its name if it has one.
    public var title: String { name == Self.defaultName ? topology.name : "\(topology.name) (lab \(name))" }

    /// What to type for a command of `meshlab` that means this lab: `meshlab exec --name NAME`.
    public func typed(_ command: String) -> String {
        name == Self.defaultName ? "meshlab \(command)" : "meshlab \(command) --name \(name)"
    }

    /// The namespace of a node: `mesh-n1`, or `mesh-NAME-n1` in a lab that was given a name.
    public func namespace(of node: String) -> Namespace {
        Namespace(name == Self.defaultName ? "mesh-\(node)" : "mesh-\(name)-\(node)")
    }

    /// All namespaces of the lab.
    var namespaces: [Namespace] { topology.nodes.map { namespace(of: $0.name) } }

    /// Where a node's files lie.
    public func directory(of node: String) -> String { "\(directory)/\(node)" }

    /// The directory of programs that query the routers of a node, such as `vtysh` and `birdc`, with their sockets preset.
    public func toolDirectory(of node: String) -> String { "\(directory(of: node))/bin" }

    /// Puts a program there that runs another with some arguments before those it is given.
    func makeTool(_ name: String, on node: String, running words: [String]) throws(LabError) {
        let directory = toolDirectory(of: node)
        try Files.makeDirectory(directory)
        let quoted = words.map { "'\($0)'" }.joined(separator: " ")
        try Files.write("#!/bin/sh\nexec \(quoted) \"$@\"\n", to: "\(directory)/\(name)")
        chmod("\(directory)/\(name)", 0o755)
    }

    /// The Unix socket of the agent on a node.
    public func controlSocket(of node: String) -> String { "\(directory(of: node))/meshd.sock" }

    /// What the routers of a node wrote, newest last.
    public func log(of node: String) -> String {
        Files.names(in: directory(of: node)).filter { $0.hasSuffix(".log") }.map {
            "── \($0) of \(node)\n" + (Files.read("\(directory(of: node))/\($0)") ?? "")
        }.joined(separator: "\n")
    }

    /// A command to be run in a node's namespace.
    public func command(on node: String, _ arguments: [String], input: String = "") -> Command {
        Command(arguments, in: namespace(of: node).name, input: input)
    }
}
