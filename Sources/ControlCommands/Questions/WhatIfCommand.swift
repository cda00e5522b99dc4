import Addressing
import ArgumentParser
import ControlAPI
import MeshModel

struct WhatIfCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "whatif",
        abstract:
            "Tell what failures and changes would do, without touching anything; exits with 1 if nodes would be cut off.",
        discussion: """
            --fail takes a node (n7), the cables between two nodes (n1-n2), or a port (n1:eth0, or by its interface \
            ID where its name is not known). Options may be repeated and are combined. --all-single fails every cable and every node once, by itself.
            """)
    @OptionGroup var mesh: MeshOptions
    @OptionGroup var options: OutputOptions
    @Option(help: "A node, the cables between two nodes, or a port.")
    var fail: [String] = []
    @Option(help: "Cables with a new cost at both ends, as in n3-n4=100, or a port, as in n3:eth0=100.")
    var cost: [String] = []
    @Option(help: "A node that is drained.")
    var drain: [String] = []
    @Option(help: "A new cable, as in n2-n9 or, with its cost, n2-n9=20; without, 10.")
    var add: [String] = []
    @Flag(help: "Fail every cable and every node once, and show the single points of failure.")
    var allSingle = false

    func validate() throws {
        let isChanged = !(fail.isEmpty && cost.isEmpty && drain.isEmpty && add.isEmpty)
        if allSingle == isChanged {
            throw ValidationError(
                allSingle
                    ? "--all-single excludes --fail, --cost, --drain and --add."
                    : "Say what changes: --fail, --cost, --drain, --add, or --all-single.")
        }
    }

    func run() throws {
        var isSafe = true
        try options.repeatedly {
            var mesh = try mesh.read()
            if allSingle {
                let failures = mesh.model.singleFailures()
                isSafe = failures.points.isEmpty && failures.parts.count < 2
                let document = SingleFailuresDocument(failures, in: mesh)
                return try options.text(JSON.encode(document), as: SingleFailuresDocument.self) { $0.text }
            }
            let impact = try impact(on: &mesh)
            isSafe = !impact.cutsOff
            let document = ImpactDocument(impact, in: mesh)
            return try options.text(JSON.encode(document), as: ImpactDocument.self) { $0.text }
        }
        if !isSafe { throw ExitCode(1) }
    }

    /// Additions come first, so that what is added may fail; drains last, because they change the cost of all links.
    private func impact(on mesh: inout Mesh) throws -> Impact {
        do {
            var after = try mesh.model.applying(
                add.map { text throws(ChangeError) in try mesh.model.addition(parsing: text) })
            var changes: [Change] = []
            for text in cost { changes.append(try after.cost(parsing: text, portNames: mesh.portNames)) }
            for text in fail { changes.append(try after.failure(parsing: text, portNames: mesh.portNames)) }
            for text in drain { changes.append(try after.drain(parsing: text)) }
            return mesh.model.impact(of: try after.applying(changes))
        } catch {
            throw Failure(error)
        }
    }
}

/// The answer to `whatif` as JSON.
struct ImpactDocument: Codable {
    struct Detour: Codable {
        var from: String
        var to: String
        var before: Int
        var after: Int
    }

    struct Pair: Codable {
        var from: String
        var to: String
    }

    struct Loss: Codable {
        var prefix: String
        /// Who announced it, and who of them still does.
        var before: [String]
        var after: [String]
        /// Who announces it as the last resort only, and did not before.
        var lastResort: [String]
        /// Nodes that could reach it and cannot any more.
        var unreachableFor: [String]
    }

    /// Nodes that fail.
    var failed: [String]
    /// Whether nodes that reached each other do so no more, those that fail not counted.
    var cutsOff: Bool
    /// The nodes in parts that reach each other no more, the largest first; one if nobody is cut off.
    var parts: [[String]]
    /// Pairs of nodes of which the second is not reached from the first any more: the first thousand; and how many there are.
    var lost: [Pair]
    var lostPairs: Int
    /// The number of pairs of nodes that reach each other, in each direction; and of those with a longer and a shorter way.
    var pairs: Int
    var longer: Int
    var shorter: Int
    /// Pairs with a longer way, the largest additions first.
    var detours: [Detour]
    /// Prefixes with fewer announcers, or out of reach of some.
    var losses: [Loss]
    /// Prefixes that only nodes announce that fail.
    var gone: [String]

    init(_ impact: Impact, in mesh: Mesh) {
        failed = impact.failed.map(mesh.name).sorted()
        cutsOff = impact.cutsOff
        parts = impact.parts.map { $0.map(mesh.name).sorted() }
        lost = impact.lost.map { Pair(from: mesh.name($0.from), to: mesh.name($0.to)) }
        lostPairs = impact.lostCount
        pairs = impact.pairCount
        longer = impact.longerCount
        shorter = impact.shorterCount
        detours = impact.longer.map {
            Detour(from: mesh.name($0.from), to: mesh.name($0.to), before: Int($0.before), after: Int($0.after))
        }
        losses = impact.losses.map { loss in
            Loss(
                prefix: loss.prefix.description, before: loss.before.map(mesh.name).sorted(),
                after: loss.after.map(mesh.name).sorted(), lastResort: loss.lastResort.map(mesh.name).sorted(),
                unreachableFor: loss.partsWithout.flatMap { impact.parts[$0].map(mesh.name) }.sorted())
        }
        gone = impact.gone.map(\.description)
    }

    /// How many lines of a kind are shown.
    private static let mostLines = 10

    /// For people.
    var text: String {
        var lines: [String] = []
        if !failed.isEmpty { lines.append("fails: \(Self.list(failed))") }
        if !cutsOff { lines.append("nobody is cut off") }
        for part in parts.dropFirst() where cutsOff {
            lines.append("\(Self.list(part)): cut off from \(Self.list(parts[0]))")
        }
        // A drained node may reach several parts, and lose one of them.
        if cutsOff, parts.count == 1 {
            lines.append("cut off: " + Self.list(lost.map { "\($0.to) from \($0.from)" }))
        }
        for loss in losses.prefix(Self.mostLines) {
            var line = "\(loss.prefix): "
            let lost = loss.before.filter { !loss.after.contains($0) }
            if loss.after.isEmpty {
                line += "nobody announces it any more (before: \(Self.list(loss.before)))"
            } else if lost.isEmpty {
                line += "announced by \(Self.list(loss.after))"
            } else {
                line +=
                    "loses \(Self.list(lost)); \(Self.list(loss.after)) still announce\(loss.after.count == 1 ? "s" : "") it"
            }
            if !loss.lastResort.isEmpty { line += "; last resort at \(Self.list(loss.lastResort))" }
            if !loss.unreachableFor.isEmpty { line += "; out of reach of \(Self.list(loss.unreachableFor))" }
            lines.append(line)
        }
        if losses.count > Self.mostLines { lines.append("and \(losses.count - Self.mostLines) prefixes more") }
        if !gone.isEmpty { lines.append("gone with what fails: \(Self.list(gone))") }
        lines.append(
            longer == 0 && shorter == 0
                ? "no way between other nodes gets longer"
                : "of \(pairs) ways between nodes, \(longer) get longer and \(shorter) shorter")
        var table = TextTable(columns: ["FROM", "TO", .number("COST"), .number("THEN")])
        for detour in detours.prefix(Self.mostLines) {
            table.append([detour.from, detour.to, "\(detour.before)", "\(detour.after)"])
        }
        if !detours.isEmpty { lines.append(table.text().split(separator: "\n").joined(separator: "\n")) }
        if longer > Self.mostLines { lines.append("and \(longer - Self.mostLines) more") }
        return lines.map { $0 + "\n" }.joined()
    }

    static func list(_ names: [String]) -> String {
        names.prefix(mostLines).joined(separator: ", ")
            + (names.count > mostLines ? " and \(names.count - mostLines) more" : "")
    }
}

/// The answer to `whatif --all-single` as JSON.
struct SingleFailuresDocument: Codable {
    struct Point: Codable {
        /// `node` or `link`.
        var kind: String
        /// The node, or the nodes on the link.
        var nodes: [String]
        /// The nodes that are cut off from most of the others.
        var cutOff: [String]
    }

    struct Holder: Codable {
        var prefix: String
        var node: String
    }

    /// How many links and nodes were failed, one at a time.
    var links: Int
    var nodes: Int
    var singlePointsOfFailure: [Point]
    /// The nodes in parts that do not reach each other, even without a failure, the largest first; one part in a whole mesh.
    var parts: [[String]]
    /// Addresses of no single machine that only one node announces.
    var singleHolders: [Holder]

    init(_ failures: SingleFailures, in mesh: Mesh) {
        links = failures.linkCount
        nodes = failures.routerCount
        singlePointsOfFailure = failures.points.map { point in
            let cutOff = point.cutOff.map(mesh.name).sorted()
            switch point.cause {
            case .router(let router): return Point(kind: "node", nodes: [mesh.name(router)], cutOff: cutOff)
            case .link(let link):
                return Point(kind: "link", nodes: link.ends.map { mesh.name($0.port.router) }.sorted(), cutOff: cutOff)
            }
        }
        parts = failures.parts.map { $0.map(mesh.name).sorted() }
        singleHolders = failures.singleHolders.map {
            Holder(prefix: $0.prefix.description, node: mesh.name($0.holder))
        }
    }

    /// For people.
    var text: String {
        func counted(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
        let count = singlePointsOfFailure.count
        var text = "\(counted(nodes, "node")) and \(counted(links, "link")), each failed once: "
        text +=
            count == 0
            ? "nobody is cut off\n" : count == 1 ? "1 single point of failure\n" : "\(count) single points of failure\n"
        for part in parts.dropFirst() {
            text += "already now, \(ImpactDocument.list(part)): cut off from \(ImpactDocument.list(parts[0]))\n"
        }
        if !singlePointsOfFailure.isEmpty {
            var table = TextTable(columns: ["FAILS", "CUTS OFF"])
            for point in singlePointsOfFailure {
                let name = point.nodes.joined(separator: "-")
                table.append([
                    point.kind == "node" ? name : point.nodes.count > 2 ? "segment \(name)" : "cable \(name)",
                    ImpactDocument.list(point.cutOff),
                ])
            }
            text += table.text()
        }
        if !singleHolders.isEmpty {
            let list = singleHolders.map { "\($0.prefix) (\($0.node))" }
            text += "addresses that one node announces: \(ImpactDocument.list(list))\n"
        }
        return text
    }
}
