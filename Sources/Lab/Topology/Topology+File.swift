internal import Yams

extension Topology {
    /// Reads the argument of `--topology`: the name of a topology, or the path of a YAML file. Throws if it is neither, or the
    /// topology is not valid.
    public static func read(_ text: String) throws(LabError) -> Topology {
        if let topology = try named(text) { return topology }
        guard let yaml = Files.read(text) else {
            let forms = named.map(\.form).joined(separator: ", ")
            throw LabError("“\(text)” is neither a topology (\(forms)) nor a file that can be read.")
        }
        do {
            return try TopologyFile(path: text).topology(yaml)
        } catch let error as LabError {
            throw error
        } catch {
            throw LabError("\(text) is not YAML: \(error)")
        }
    }
}

/// A topology in YAML: `name`, `nodes`, `links`, and `columns` if the nodes are to be drawn in rows of that many.
private struct TopologyFile {
    let path: String

    func topology(_ yaml: String) throws -> Topology {
        guard let root = try Yams.compose(yaml: yaml) else {
            throw LabError("\(path) is empty; it needs “nodes” and “links”.")
        }
        let file = try fields(of: root, ["name", "nodes", "links", "columns"], what: "the topology")
        let name = try file["name"].map { try text($0, "name") } ?? path
        guard let nodes = file["nodes"] else { throw LabError("\(path) has no “nodes”.") }
        var topology = Topology(
            name: name, nodes: try list(nodes, "nodes").map(node),
            links: try file["links"].map { try list($0, "links").map(link) } ?? [])
        if let columns = file["columns"] {
            let number = try self.number(columns)
            guard number > 0, topology.nodes.count % number == 0 else {
                throw error("“columns” has to divide the number of nodes", at: columns)
            }
            topology.shape = .grid(columns: number)
        }
        do { try topology.validate() } catch { throw LabError("\(path): \(error)") }
        return topology
    }

    private func node(_ value: Yams.Node) throws -> Topology.Node {
        if case .scalar(let scalar) = value { return Topology.Node(scalar.string) }
        let keys = ["name", "router", "ospf", "vips", "listens", "config", "configIsWhole"]
        let fields = try fields(of: value, keys, what: "a node")
        guard let name = fields["name"] else { throw error("a node has no “name”", at: value) }
        var node = Topology.Node(try text(name, "name"))
        if let router = fields["router"] {
            guard let kind = Topology.RouterKind(rawValue: try text(router, "router")) else {
                let kinds = Topology.RouterKind.allCases.map(\.rawValue).joined(separator: ", ")
                throw error("“router” is one of \(kinds)", at: router)
            }
            node.router = kind
        }
        if let options = fields["ospf"] { node.ospf = try self.options(options) }
        if let vips = fields["vips"] { node.vips = try list(vips, "vips").map(vip) }
        if let ports = fields["listens"] { node.listens = try list(ports, "listens").map(port) }
        if let config = fields["config"] {
            if case .scalar(let scalar) = config {
                node.config = scalar.string
            } else {
                node.config = try Yams.serialize(node: config)
            }
        }
        if let whole = fields["configIsWhole"] { node.configIsWhole = try text(whole, "configIsWhole") == "true" }
        return node
    }

    private func options(_ value: Yams.Node) throws -> Topology.OSPFOptions {
        let keys = ["type", "hello", "dead", "priority", "cost", "retransmit", "routerID"]
        let fields = try fields(of: value, keys, what: "“ospf”")
        return Topology.OSPFOptions(
            type: try fields["type"].map { try text($0, "type") }, hello: try fields["hello"].map(number),
            dead: try fields["dead"].map(number), priority: try fields["priority"].map(number),
            cost: try fields["cost"].map(number), retransmit: try fields["retransmit"].map(number),
            routerID: try fields["routerID"].map { try text($0, "routerID") })
    }

    private func vip(_ value: Yams.Node) throws -> Topology.VIP {
        let fields = try fields(of: value, ["name", "address", "port"], what: "a VIP")
        guard let name = fields["name"], let address = fields["address"], let port = fields["port"] else {
            throw error("a VIP needs “name”, “address” and “port”", at: value)
        }
        return Topology.VIP(
            name: try text(name, "name"), address: try text(address, "address"), port: try self.port(port))
    }

    private func link(_ value: Yams.Node) throws -> Topology.Link {
        var ends = value
        var mtu: Int?
        if case .mapping = value {
            let fields = try fields(of: value, ["between", "mtu"], what: "a link")
            guard let between = fields["between"] else { throw error("a link needs “between”", at: value) }
            ends = between
            mtu = try fields["mtu"].map(number)
        }
        let names = try list(ends, "a link")
        guard names.count == 2 else { throw error("a link has two ends, as in [n1, n2]", at: ends) }
        return Topology.Link(try text(names[0], "a node"), try text(names[1], "a node"), mtu: mtu)
    }

    // MARK: Pieces of YAML

    /// The values of a mapping by key; throws if a key is not `known`. `what` names the mapping in errors.
    private func fields(
        of value: Yams.Node, _ known: [String], what: String
    ) throws -> [String: Yams.Node] {
        guard case .mapping(let mapping) = value else { throw error("\(what) needs keys and values", at: value) }
        var found: [String: Yams.Node] = [:]
        for (key, value) in mapping {
            let name = try text(key, "a key")
            guard known.contains(name) else {
                throw error("\(what) has no key “\(name)”; its keys are \(known.joined(separator: ", "))", at: key)
            }
            found[name] = value
        }
        return found
    }

    private func list(_ value: Yams.Node, _ what: String) throws -> [Yams.Node] {
        if case .sequence(let sequence) = value { return Array(sequence) }
        throw error("“\(what)” needs a list", at: value)
    }

    private func text(_ value: Yams.Node, _ what: String) throws -> String {
        if case .scalar(let scalar) = value { return scalar.string }
        throw error("“\(what)” needs a word", at: value)
    }

    private func number(_ value: Yams.Node) throws -> Int {
        if case .scalar(let scalar) = value, let number = Int(scalar.string), number >= 0 { return number }
        throw error("a number is needed here", at: value)
    }

    private func port(_ value: Yams.Node) throws -> UInt16 {
        if let port = UInt16(exactly: try number(value)), port > 0 { return port }
        throw error("a port from 1 to 65535 is needed here", at: value)
    }

    private func error(_ message: String, at value: Yams.Node) -> LabError {
        LabError("\(path)\(value.mark.map { ":\($0.line)" } ?? ""): \(message).")
    }
}
