internal import ArgumentParser
internal import Glibc
internal import Lab

struct Up: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Create a lab, start its routers, wait for all routes.")
    @OptionGroup var options: LabOptions
    @Option(help: "square4, ring:N, grid:WxH, ha:3+3, lan:N, or a YAML file.")
    var topology = "square4"
    @Option(help: "Seconds to wait for every node to have every route.")
    var timeout = 60
    @Flag(help: "Do not wait for routes.")
    var noWait = false
    @Flag(help: "Create nodes and links without starting routers; “meshlab start” starts them.")
    var noStart = false

    func run() throws {
        let topology = try Topology.read(topology)
        if noStart {
            try Story().make(topology, name: options.name)
        } else {
            try Story().up(topology, name: options.name, timeout: noWait ? nil : timeout)
        }
    }
}

struct Down: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Remove a lab with all its processes and namespaces.")
    @OptionGroup var options: LabOptions
    @Flag(help: "Remove every lab.")
    var all = false

    func run() throws {
        try Lab.checkPrivileges()
        let present = Lab.all(includingEmpty: true)
        // Unlike other commands, this one never guesses: without a name, it removes only the lab with the default name.
        let names = all ? present : [options.name ?? Lab.defaultName].filter(present.contains)
        guard !names.isEmpty else {
            let others = present.map { "“meshlab down --name \($0)”" }.joined(separator: ", ")
            return print("Nothing to take down\(others.isEmpty ? "." : ", unless you mean \(others).")")
        }
        for name in names {
            let lab = try Lab.load(name)
            try lab.destroy()
            print("\(lab.title) is down: \(lab.topology.nodes.count) nodes removed.")
        }
    }
}

struct Start: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Start the router of a node that was stopped. Its configuration stays as you have edited it.")
    @OptionGroup var options: LabOptions
    @Argument(help: "Nodes; all that are stopped when none is named.")
    var nodes: [String] = []
    @Option(help: "Seconds to wait for every node to have every route.")
    var timeout = 60
    @Flag(help: "Do not wait for routes.")
    var noWait = false

    func run() throws {
        var lab = try options.load()
        try lab.start(nodes.isEmpty ? lab.topology.routers.map(\.name) : nodes)
        try Story().settle(lab, timeout: noWait ? nil : timeout)
    }
}

struct Stop: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Stop the router of a node; its network ports stay up unless the power goes.")
    @OptionGroup var options: LabOptions
    @Argument(help: "The node.")
    var node: String
    @Flag(help: "Send SIGKILL instead of SIGTERM, as in a crash.")
    var kill = false
    @Flag(help: "Stop the services that listen on the node instead of its router.")
    var services = false
    @Flag(help: "Power the node off: its processes end and its neighbors lose carrier.")
    var power = false

    func run() throws {
        var lab = try options.load()
        if power {
            try lab.powerOff(node)
        } else if services {
            try lab.stopServices(of: node)
        } else {
            try lab.stop(node, kill: kill)
        }
    }
}

struct Fail: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Let a link fail.")
    @OptionGroup var options: LabOptions
    @Argument(help: "The link, as in n1-n2.")
    var link: String
    @Flag(help: "Drop every packet but keep the carrier, so that no port notices.")
    var silent = false

    func run() throws {
        var lab = try options.load()
        try lab.fail(link, silent ? .silent : .carrier)
        print(lab.picture())
    }
}

struct Heal: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Restore a link.")
    @OptionGroup var options: LabOptions
    @Argument(help: "The link, as in n1-n2; every failed one when none is named.")
    var link: String?

    func run() throws {
        var lab = try options.load()
        for name in link.map({ [$0] }) ?? lab.failedLinks { try lab.heal(name) }
        print(lab.picture())
    }
}

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show nodes and links.")
    @OptionGroup var options: LabOptions

    func run() throws {
        let lab = try options.load()
        print("\(lab.title)\n\n\(lab.picture())\n\n\(try lab.statusTable())")
    }
}

struct Exec: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run a command on a node.")
    @OptionGroup var options: LabOptions
    @Argument(help: "The node.")
    var node: String
    @Argument(parsing: .postTerminator, help: "The command and its arguments, after --.")
    var command: [String]

    func run() throws {
        let lab = try options.load()
        _ = try lab.topology.node(node)
        guard !command.isEmpty else { throw ValidationError("Give a command, as in: meshlab exec n1 -- ip -6 route") }
        // With these variables, meshctl, vtysh and birdc connect to the router of this node.
        setenv("MESHCTL_SOCKET", lab.controlSocket(of: node), 1)
        var places = [lab.toolDirectory(of: node), getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/usr/sbin"]
        if let own = try? Binaries.path(of: "meshlab").split(separator: "/").dropLast().map({ "/\($0)" }).joined() {
            places.insert(own, at: 1)  // before $PATH, so that the command runs the programs of this build
        }
        setenv("PATH", places.joined(separator: ":"), 1)
        throw lab.command(on: node, command).replaceThisProcess()
    }
}

struct Log: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show the logs of a node.")
    @OptionGroup var options: LabOptions
    @Argument(help: "The node.")
    var node: String

    func run() throws {
        let lab = try options.load()
        print(lab.log(of: try lab.topology.node(node).name))
    }
}

struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the labs that are up, and the topologies there are.")

    func run() throws {
        let labs = Lab.all()
        print(labs.isEmpty ? "No lab is up.\n" : "Up:")
        for name in labs {
            let lab = try Lab.load(name)
            print("  \(padded(name, 12)) \(lab.topology.name), \(lab.topology.nodes.count) nodes")
        }
        print("\(labs.isEmpty ? "" : "\n")Topologies:")
        for (form, summary) in Topology.named { print("  \(padded(form, 12)) \(summary)") }
        print("  \(padded("FILE.yaml", 12)) nodes and links as you like; see examples/")
    }

    private func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
