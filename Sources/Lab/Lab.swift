internal import FoundationEssentials
internal import Glibc

/// A mesh on one machine: a namespace per node, a veth pair per link, and real routers.
///
/// The state of a lab is in one file, which is written before anything is created. So another process can remove the lab, also
/// after this one has crashed.
public struct Lab: Sendable {
    /// The name, unique on the machine.
    public let name: String
    /// Its nodes and links.
    public let topology: Topology
    /// The addresses that it assigns.
    public let addresses: AddressBook
    /// The directory of configurations, sockets, logs and the state of the lab.
    public let directory: String
    /// The links that were made to fail, by their index in the topology.
    public internal(set) var faults: [Int: Fault] = [:]
    /// The processes of each node's router.
    public internal(set) var processes: [String: [Int32]] = [:]
    /// The processes that answer on the TCP ports of each node.
    public internal(set) var services: [String: [Int32]] = [:]
    /// The nodes that are powered off.
    public internal(set) var poweredOff: Set<String> = []

    /// Whether it is complete. If not, it is being created, or the process that creates it has crashed.
    var isWhole = false

    /// How a link can fail.
    public enum Fault: String, Codable, Hashable, Sendable {
        /// The cable is pulled: the port loses carrier.
        case carrier
        /// Every packet is lost, and the ports keep their carrier.
        case silent
    }

    /// The name of a lab for which no name is given. It is not part of the names of its namespaces.
    public static let defaultName = "lab"

    /// The directory of the states of all labs: `$KUBERMESH_LAB_DIRECTORY`, or below `/run`.
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

    /// A command line of `meshlab` for this lab: `meshlab exec --name NAME`.
    public func typed(_ command: String) -> String {
        name == Self.defaultName ? "meshlab \(command)" : "meshlab \(command) --name \(name)"
    }

    /// The namespace of a node: `mesh-n1`, or `mesh-NAME-n1` in a lab with another name than the default.
    public func namespace(of node: String) -> Namespace {
        Namespace(name == Self.defaultName ? "mesh-\(node)" : "mesh-\(name)-\(node)")
    }

    /// All namespaces of the lab.
    var namespaces: [Namespace] { topology.nodes.map { namespace(of: $0.name) } }

    /// The directory of a node's files.
    public func directory(of node: String) -> String { "\(directory)/\(node)" }

    /// The directory of programs that query the routers of a node, such as `vtysh` and `birdc`, with their sockets preset.
    public func toolDirectory(of node: String) -> String { "\(directory(of: node))/bin" }

    /// Creates a program in that directory that runs `words`, followed by its own arguments.
    func makeTool(_ name: String, on node: String, running words: [String]) throws(LabError) {
        let directory = toolDirectory(of: node)
        try Files.makeDirectory(directory)
        let quoted = words.map { "'\($0)'" }.joined(separator: " ")
        try Files.write("#!/bin/sh\nexec \(quoted) \"$@\"\n", to: "\(directory)/\(name)")
        chmod("\(directory)/\(name)", 0o755)
    }

    /// The Unix socket of the agent on a node.
    public func controlSocket(of node: String) -> String { "\(directory(of: node))/meshd.sock" }

    /// The log files of a node's routers, each with a title.
    public func log(of node: String) -> String {
        Files.names(in: directory(of: node)).filter { $0.hasSuffix(".log") }.map {
            "── \($0) of \(node)\n" + (Files.read("\(directory(of: node))/\($0)") ?? "")
        }.joined(separator: "\n")
    }

    /// A command that runs in a node's namespace.
    public func command(on node: String, _ arguments: [String], input: String = "") -> Command {
        Command(arguments, in: namespace(of: node).name, input: input)
    }
}
