import ArgumentParser
import ControlAPI

/// A command that shows a list.
protocol ListCommand: ParsableCommand {
    associatedtype Item: ListItem
    var agent: AgentOptions { get }
    var options: OutputOptions { get }
    /// The path of the request, with its query.
    var path: String { get }
    /// What is said instead of a table without rows; `nil` for nothing.
    static var meaningOfEmpty: String? { get }
    /// The list for people.
    func text(of items: [Item]) -> String
}

extension ListCommand where Item: Tabular {
    func text(of items: [Item]) -> String {
        Item.table(items, wide: options.output == .wide).text(headers: !options.noHeaders)
    }
}

extension ListCommand {
    static var meaningOfEmpty: String? { nil }

    func run() throws {
        try options.repeatedly {
            try options.text(try agent.get(path), as: ListDocument<Item>.self) { document in
                if document.items.isEmpty, !options.noHeaders, let meaning = Self.meaningOfEmpty { return meaning }
                return text(of: document.items)
            }
        }
    }
}

struct NeighborsCommand: ListCommand {
    typealias Item = Neighbor
    static let configuration = CommandConfiguration(
        commandName: "neighbors", abstract: "Show the neighbors of this node.", aliases: ["neighbours", "neigh"])
    @OptionGroup var agent: AgentOptions
    @OptionGroup var options: OutputOptions
    var path: String { "/v1/neighbors" }
    static var meaningOfEmpty: String? { "No neighbor is heard; see meshctl interfaces." }
}

struct InterfacesCommand: ListCommand {
    typealias Item = Interface
    static let configuration = CommandConfiguration(
        commandName: "interfaces", abstract: "Show the ports in use, and why one is down.", aliases: ["ifaces"])
    @Flag(help: "Show every port of the machine, with the rule or the reason that decides whether it is used.")
    var all = false
    @OptionGroup var agent: AgentOptions
    @OptionGroup var options: OutputOptions
    var path: String { all ? "/v1/interfaces?all=true" : "/v1/interfaces" }
}

struct NodesCommand: ListCommand {
    typealias Item = Node
    static let configuration = CommandConfiguration(
        commandName: "nodes", abstract: "Show the routers of the mesh, their links and prefixes.")
    @OptionGroup var agent: AgentOptions
    @OptionGroup var options: OutputOptions
    var path: String { "/v1/nodes" }
}

struct VIPsCommand: ListCommand {
    typealias Item = VIP
    static let configuration = CommandConfiguration(
        commandName: "vips", abstract: "Show VIPs and service addresses, and whether this node announces them.")
    @OptionGroup var agent: AgentOptions
    @OptionGroup var options: OutputOptions
    var path: String { "/v1/vips" }
}

struct AuthenticationCommand: ListCommand {
    typealias Item = Authentication
    static let configuration = CommandConfiguration(
        commandName: "auth",
        abstract: "Show keys (never secrets) and when they are valid, who uses which, and who is refused.")
    @OptionGroup var agent: AgentOptions
    @OptionGroup var options: OutputOptions
    var path: String { "/v1/auth" }
    func text(of items: [Authentication]) -> String { Authentication.text(items, headers: !options.noHeaders) }
}

struct RoutesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "routes",
        abstract: "Show the routes to other nodes; for a prefix or an address, also why that route was chosen.")
    @OptionGroup var agent: AgentOptions
    @OptionGroup var options: OutputOptions
    @OptionGroup var families: FamilyOptions
    @Argument(help: "A prefix, which must match exactly, or an address, which shows the longest match.")
    var prefix: String?

    func run() throws {
        var query: [String] = []
        if let prefix { query.append("prefix=" + percentEncoded(prefix)) }
        if let family = families.family { query.append("family=" + family) }
        let path = "/v1/routes" + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
        try options.repeatedly {
            try options.text(try agent.get(path), as: ListDocument<Route>.self) { document in
                guard prefix == nil else { return document.items.map(\.explanation).joined(separator: "\n") }
                return Route.table(document.items, wide: options.output == .wide).text(headers: !options.noHeaders)
            }
        }
    }
}

struct DatabaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lsdb", abstract: "Show the link-state database.",
        discussion: """
            TYPE is one of router, network, inter-area-prefix, inter-area-router, as-external, nssa, link, \
            grace, intra-area-prefix, router-information, auto-configuration, ipv4-prefix, or a number such as 0x2001.
            """)
    @OptionGroup var agent: AgentOptions
    @OptionGroup var options: OutputOptions
    @Flag(help: "Show every field of every LSA.")
    var detail = false
    @Argument(help: "Show only LSAs of this type.")
    var type: String?

    func run() throws {
        var query: [String] = []
        if let type { query.append("type=" + percentEncoded(type)) }
        if detail { query.append("detail=true") }
        let path = "/v1/lsdb" + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
        try options.repeatedly {
            try options.text(try agent.get(path), as: ListDocument<LSA>.self) { document in
                if detail { return document.items.map(\.explanation).joined(separator: "\n") }
                return LSA.table(document.items, wide: options.output == .wide).text(headers: !options.noHeaders)
            }
        }
    }
}

/// Percent-encodes a text for a query (RFC 3986 §2.1).
private func percentEncoded(_ text: String) -> String {
    text.utf8.map { octet in
        switch octet {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
            return String(UnicodeScalar(octet))
        default: return "%" + (octet < 16 ? "0" : "") + String(octet, radix: 16)
        }
    }.joined()
}
