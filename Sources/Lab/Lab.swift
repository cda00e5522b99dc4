internal import FoundationEssentials
internal import Glibc

/// A mesh on one machine: a namespace per node, a veth pair per link, and real routers.
///
/// The state of a lab is in one file, which is written before the first namespace is created. So another process can remove the
/// lab, also after this one has crashed.
public struct Lab: Sendable {
    /// The name, unique on the machine.
    public let name: String
    /// Its nodes and links.
    public let topology: Topology
    /// The addresses that it assigns.
    public let addresses: AddressBook
    /// The directory of the lab in ``root``: its state, and for each node a directory of configurations, sockets and logs.
    public let directory: String
    /// The links that were made to fail, by their index in the topology.
    public internal(set) var faults: [Int: Fault] = [:]
    /// The IDs of the processes that were started for each node's router, by the name of the node. Those that crashed are
    /// included.
    public internal(set) var processes: [String: [Int32]] = [:]
    /// The IDs of the processes that were started for the TCP ports in ``Topology/Node/listens``, by the name of the node.
    public internal(set) var services: [String: [Int32]] = [:]
    /// The nodes that are powered off.
    public internal(set) var poweredOff: Set<String> = []

    /// Whether it is complete. If not, ``create(_:name:)`` or ``startRouters()`` is running or has failed.
    var isComplete = false

    /// How a link can fail.
    public enum Fault: String, Codable, Hashable, Sendable {
        /// The cable is pulled: the first port loses carrier, and the second is set down.
        case carrier
        /// Every packet is lost, and the ports keep their carrier.
        case silent
    }

    /// The name of a lab for which no name is given. It is not part of the names of its namespaces.
    public static let defaultName = "lab"

    /// The directory of all labs: `$KUBERMESH_LAB_DIRECTORY`, which has to be an absolute path, or `/run/kubermesh-lab`.
    public static var root: String {
        ProcessInfo.processInfo.environment["KUBERMESH_LAB_DIRECTORY"] ?? "/run/kubermesh-lab"
    }

    init(name: String, topology: Topology) {
        self.name = name
        self.topology = topology
        addresses = AddressBook(topology)
        directory = "\(Self.root)/\(name)"
    }

    /// The title in messages: the name of the topology, and that of the lab unless it is the default name.
    public var title: String { name == Self.defaultName ? topology.name : "\(topology.name) (lab \(name))" }

    /// The command line of `meshlab` that runs `command` (`exec`, `down`, …) for this lab: `meshlab exec --name NAME`, or
    /// `meshlab exec` if the lab has the default name.
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

    /// The directory of a script `vtysh` or `birdc` for a node, which starts that program with the socket of the node's router.
    /// Missing on nodes with other routers, and before the router is started.
    public func toolDirectory(of node: String) -> String { "\(directory(of: node))/bin" }

    /// Creates a script in ``toolDirectory(of:)`` that runs `words`, followed by the script's own arguments.
    func makeTool(_ name: String, on node: String, running words: [String]) throws(LabError) {
        let directory = toolDirectory(of: node)
        try Files.makeDirectory(directory)
        let quoted = words.map { "'\($0)'" }.joined(separator: " ")
        try Files.write("#!/bin/sh\nexec \(quoted) \"$@\"\n", to: "\(directory)/\(name)")
        chmod("\(directory)/\(name)", 0o755)
    }

    /// The control socket of the agent on a node.
    public func controlSocket(of node: String) -> String { "\(directory(of: node))/meshd.sock" }

    /// The contents of the log files in a node's directory, not in those below it, each after a title.
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
