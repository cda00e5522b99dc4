import Addressing
import ArgumentParser
import ControlAPI
import MeshModel

struct PathCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "path",
        abstract: "Show all equal-cost ways between two places of the mesh; exits with 1 without one.",
        discussion: """
            Every node on the way decides for itself, as the link-state database of this node has it.
            """)
    @OptionGroup var mesh: MeshOptions
    @OptionGroup var options: OutputOptions
    @Argument(help: "The node where the way begins; this node if only the end is given.")
    var from: String
    @Argument(help: "Where the way ends: a node, an address, or a prefix.")
    var to: String?

    func run() throws {
        var isReached = true
        try options.repeatedly {
            var mesh = try mesh.read()
            let start = try to == nil ? mesh.teller : mesh.router(from)
            let target = try Self.target(to ?? from, in: mesh)
            let ways = mesh.model.ways(from: start, to: target)
            isReached = ways.count > 0
            let document = PathDocument(ways, in: mesh, to: to ?? from)
            return try options.text(JSON.encode(document), as: PathDocument.self) { _ in
                Self.text(ways, in: mesh, to: to ?? from)
            }
        }
        if !isReached { throw ExitCode(1) }
    }

    private static func target(_ text: String, in mesh: Mesh) throws -> Target {
        if let router = mesh.model.router(named: text) { return .router(router) }
        if let address = IPv4Address(text) { return .prefix(IPv6Prefix(host: IPv6Address(address))) }
        if let address = IPv6Address(text) { return .prefix(IPv6Prefix(host: address)) }
        if let prefix = IPv6Prefix(text) { return .prefix(prefix) }
        throw Failure.notFound("\(text) is no node, address or prefix", hint: "meshctl nodes lists the nodes")
    }

    /// The ways as a tree. What follows a node is shown where it appears first.
    static func text(_ ways: Ways, in mesh: Mesh, to target: String) -> String {
        let place = ways.prefix.map { "\(target) (\($0))" } ?? target
        guard ways.count > 0, let cost = ways.cost else {
            let stuck = ways.steps.filter { $0.value == .noRoute }.keys.sorted()
            return "\(mesh.name(ways.start)) has no way to \(place)"
                + (stuck == [ways.start] || stuck.isEmpty ? "" : ": \(mesh.names(stuck)) has no route") + "\n"
        }
        if case .deliver(let prefix)? = ways.steps[ways.start] {
            let node = mesh.name(ways.start)
            return prefix == nil ? "\(node) is the end itself\n" : "\(node) announces \(prefix!) itself\n"
        }
        let count = ways.count == 1 ? "1 way" : ways.count == .max ? "billions of ways" : "\(ways.count) ways"
        var lines = ["\(mesh.name(ways.start)) to \(place): cost \(cost), \(count)"]
        var shown: Set<RouterID> = []
        func add(_ router: RouterID, _ label: String, indent: String, rest: String) {
            let isRepeated = !shown.insert(router).inserted
            var line = indent + label + mesh.name(router)
            switch ways.steps[router] {
            case .deliver, nil: break
            case .noRoute: line += ": no route"
            case .onLink(_, let interfaceID):
                line += ", on the link of \(mesh.name(PortID(router: router, interfaceID: interfaceID)))"
            case .forward: if isRepeated { line += " (as above)" }
            }
            lines.append(line)
            guard !isRepeated, case .forward(let hops)? = ways.steps[router] else { return }
            for (place, hop) in hops.enumerated() {
                let isLast = place == hops.count - 1
                add(
                    hop.next.router, "\(mesh.name(hop.port)), cost \(hop.cost) → ",
                    indent: rest + (isLast ? "└─ " : "├─ "), rest: rest + (isLast ? "   " : "│  "))
            }
        }
        add(ways.start, "", indent: "", rest: "")
        return lines.map { $0 + "\n" }.joined()
    }
}

/// The answer to `path` as JSON.
struct PathDocument: Codable {
    struct Hop: Codable {
        var port: String
        var interfaceID: Int
        var cost: Int
        var node: String
        var routerID: String
        var neighborInterfaceID: Int
    }

    struct Step: Codable {
        var node: String
        var routerID: String
        /// `forward`, `deliver`, `onLink` or `noRoute`.
        var action: String
        /// For `deliver` and `onLink`, if the target is an address.
        var prefix: String?
        var hops: [Hop]
    }

    var from: String
    var to: String
    /// The prefix whose route the first node uses, if the target is an address.
    var prefix: String?
    var cost: Int?
    /// The number of different ways; 4294967295 stands for more, too.
    var ways: Int
    /// The nodes on any of the ways: the first first, the others by router ID.
    var steps: [Step]

    init(_ ways: Ways, in mesh: Mesh, to target: String) {
        from = mesh.name(ways.start)
        to = target
        prefix = ways.prefix?.description
        cost = ways.cost.map(Int.init)
        self.ways = Int(ways.count)
        let routers = [ways.start] + ways.steps.keys.filter { $0 != ways.start }.sorted()
        steps = routers.map { router in
            var step = Step(node: mesh.name(router), routerID: router.description, action: "noRoute", hops: [])
            switch ways.steps[router] {
            case .forward(let hops):
                step.action = "forward"
                step.hops = hops.map { hop in
                    Hop(
                        port: mesh.name(hop.port), interfaceID: Int(hop.port.interfaceID), cost: Int(hop.cost),
                        node: mesh.name(hop.next.router), routerID: hop.next.router.description,
                        neighborInterfaceID: Int(hop.next.interfaceID))
                }
            case .deliver(let prefix): (step.action, step.prefix) = ("deliver", prefix?.description)
            case .onLink(let prefix, _): (step.action, step.prefix) = ("onLink", prefix?.description)
            case .noRoute, nil: break
            }
            return step
        }
    }
}
