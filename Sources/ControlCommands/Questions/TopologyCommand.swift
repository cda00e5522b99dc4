import Addressing
import ArgumentParser
import ControlAPI
import MeshModel

struct TopologyCommand: ParsableCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable { case table, json, yaml, dot, mermaid }

    static let configuration = CommandConfiguration(
        commandName: "topology",
        abstract: "Show all links of the mesh, as a list or as a graph for Graphviz or Mermaid.")
    @OptionGroup var mesh: MeshOptions
    @Option(name: .shortAndLong, help: "The output format: table, json, yaml, dot or mermaid.")
    var output: Format = .table
    @Flag(help: "Show no header line.")
    var noHeaders = false

    func run() throws {
        var mesh = try mesh.read()
        let document = TopologyDocument(&mesh)
        switch output {
        case .table: Console.write(document.table.text(headers: !noHeaders))
        case .json: Console.write(String(decoding: try JSON.encode(document, pretty: true), as: UTF8.self))
        case .yaml: Console.write(try yaml(JSON.decode(JSONValue.self, from: JSON.encode(document))))
        case .dot: Console.write(document.dot)
        case .mermaid: Console.write(document.mermaid)
        }
    }
}

/// The links of a mesh as JSON.
struct TopologyDocument: Codable {
    struct Node: Codable {
        var node: String
        var routerID: String
        /// Whether others route around it (RFC 6987).
        var stubRouter: Bool
    }

    struct End: Codable {
        var node: String
        var routerID: String
        var port: String
        var interfaceID: Int
        var cost: Int
    }

    struct Link: Codable {
        /// `p2p` or `segment`.
        var type: String
        var ends: [End]
    }

    var nodes: [Node]
    var links: [Link]

    init(_ mesh: inout Mesh) {
        nodes = mesh.model.routers.map { [mesh] router in
            Node(node: mesh.name(router), routerID: router.description, stubRouter: mesh.model.isStub(router))
        }.sorted { ($0.node, $0.routerID) < ($1.node, $1.routerID) }
        links = mesh.model.allLinks().map { [mesh] link in
            Link(
                type: link.isSegment ? "segment" : "p2p",
                ends: link.ends.map { end in
                    End(
                        node: mesh.name(end.port.router), routerID: end.port.router.description,
                        port: mesh.name(end.port), interfaceID: Int(end.port.interfaceID), cost: Int(end.cost))
                }.sorted { ($0.node, $0.interfaceID) < ($1.node, $1.interfaceID) })
        }.sorted { left, right in
            if left.type != right.type { return left.type < right.type }
            return left.ends.map(\.node).lexicographicallyPrecedes(right.ends.map(\.node))
        }
    }

    /// A row for each cable, and for each end of a segment.
    var table: TextTable {
        var table = TextTable(columns: ["NODE", "PORT", .number("COST"), "TO", "PORT", .number("COST")])
        for (number, link) in links.enumerated() {
            if link.type == "p2p" {
                let (one, other) = (link.ends[0], link.ends[1])
                table.append([one.node, one.port, "\(one.cost)", other.node, other.port, "\(other.cost)"])
            } else {
                for end in link.ends {
                    table.append([end.node, end.port, "\(end.cost)", "segment \(number + 1)", "", ""])
                }
            }
        }
        for node in nodes where !links.contains(where: { $0.ends.contains { $0.routerID == node.routerID } }) {
            table.append([node.node, "", "", "", "", ""])
        }
        return table
    }

    /// A graph in the language of Graphviz.
    var dot: String {
        var lines = ["graph mesh {", "  node [shape=box];"]
        for node in nodes {
            lines.append(
                "  \(quoted(node.routerID)) [label=\(quoted(node.node))\(node.stubRouter ? ", style=dashed" : "")];")
        }
        for (number, link) in links.enumerated() {
            if link.type == "p2p" {
                let (one, other) = (link.ends[0], link.ends[1])
                let label = one.cost == other.cost ? "\(one.cost)" : "\(one.cost)/\(other.cost)"
                lines.append("  \(quoted(one.routerID)) -- \(quoted(other.routerID)) [label=\(quoted(label))];")
            } else {
                lines.append("  segment\(number + 1) [shape=point];")
                for end in link.ends {
                    lines.append("  \(quoted(end.routerID)) -- segment\(number + 1) [label=\(quoted("\(end.cost)"))];")
                }
            }
        }
        return (lines + ["}"]).map { $0 + "\n" }.joined()
    }

    private func quoted(_ text: String) -> String {
        // Of single scalars: a quote with a combining mark is another character.
        "\"" + text.unicodeScalars.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined() + "\""
    }

    /// A graph in the language of Mermaid.
    var mermaid: String {
        let numbers = Dictionary(
            nodes.enumerated().map { ($1.routerID, "r\($0)") }, uniquingKeysWith: { first, _ in first })
        // Mermaid has no escapes within quotes but those of HTML.
        func label(_ text: String) -> String {
            let special: Set<Unicode.Scalar> = ["\"", "#", "<", ">", "&", ";", "`", "[", "]", "|", "\\"]
            return "\"" + text.unicodeScalars.map { special.contains($0) ? "#\($0.value);" : "\($0)" }.joined() + "\""
        }
        var lines = ["graph LR"]
        for node in nodes { lines.append("  \(numbers[node.routerID]!)[\(label(node.node))]") }
        for (number, link) in links.enumerated() {
            if link.type == "p2p" {
                let (one, other) = (link.ends[0], link.ends[1])
                let cost = one.cost == other.cost ? "\(one.cost)" : "\(one.cost)/\(other.cost)"
                lines.append("  \(numbers[one.routerID]!) ---|\(label(cost))| \(numbers[other.routerID]!)")
            } else {
                lines.append("  s\(number)(( ))")
                for end in link.ends {
                    lines.append("  \(numbers[end.routerID]!) ---|\(label("\(end.cost)"))| s\(number)")
                }
            }
        }
        return lines.map { $0 + "\n" }.joined()
    }
}
