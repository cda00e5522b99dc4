/// The nodes and links of a lab.
public struct Topology: Codable, Hashable, Sendable {
    /// The name of the topology, as on the command line (`square4`, `ring:6`, …) or in its file.
    public var name: String
    /// The nodes. The hardware addresses of a node, and so its other addresses, follow from its index.
    public var nodes: [Node]
    /// The links. A node's first link is at its port `cluster0`, its second at `cluster1`, and so on.
    public var links: [Link]
    /// How to draw a picture of it.
    public var shape: Shape

    /// What a node runs: a router, a bridge or nothing.
    public enum RouterKind: String, Codable, Hashable, Sendable, CaseIterable {
        /// The agent of this project.
        case meshd
        /// FRR's `zebra` and `ospf6d`.
        case frr
        /// BIRD 2.
        case bird
        /// No router: an Ethernet bridge of all its ports, as a switch or a LAN.
        case bridge
        /// No router: a namespace with ports, which a test uses as it likes.
        case none
    }

    /// One node: a network namespace of its own.
    public struct Node: Codable, Hashable, Sendable {
        /// The name: 1 to 15 lower-case letters, digits and hyphens, with no hyphen at the start.
        public var name: String
        /// What it runs.
        public var router: RouterKind
        /// The OSPF options of its router for all ports.
        public var ospf: OSPFOptions
        /// Virtual addresses. An agent announces each while the TCP port of the VIP answers on the node itself; FRR and BIRD
        /// announce none.
        public var vips: [VIP]
        /// TCP ports on each of which the lab runs a service on the node (``Responder``), which answers with the node's name.
        public var listens: [UInt16]
        /// Additional configuration in the router's own format: for `meshd`, YAML that is merged over the generated one; for
        /// the others, lines that are appended to `ospf6d.conf` or `bird.conf`. In the former they continue the section
        /// `router ospf6`; those that begin no section of their own, such as `key chain`, follow a line `exit`.
        public var config: String
        /// Whether `config` is the whole configuration of the router (of FRR: that of `ospf6d`), so that nothing is added to
        /// it.
        public var configIsWhole: Bool

        public init(
            _ name: String, router: RouterKind = .meshd, ospf: OSPFOptions = OSPFOptions(), vips: [VIP] = [],
            listens: [UInt16] = [], config: String = "", configIsWhole: Bool = false
        ) {
            self.name = name
            self.router = router
            self.ospf = ospf
            self.vips = vips
            self.listens = listens
            self.config = config
            self.configIsWhole = configIsWhole
        }
    }

    /// The settings that all three routers have, for all ports of a node. `nil` means the default given below or, without one,
    /// that of the router.
    public struct OSPFOptions: Codable, Hashable, Sendable {
        /// `p2p`, `broadcast` or (for meshd only) `auto`. The default is `auto` for meshd, `p2p` for FRR and BIRD.
        public var type: String?
        /// The hello interval in seconds; 1 by default.
        public var hello: Int?
        /// The router dead interval in seconds; 4 by default.
        public var dead: Int?
        /// The router priority; 0 means never a designated router.
        public var priority: Int?
        /// The cost of each port.
        public var cost: Int?
        /// The retransmission interval in seconds; for BIRD, less than 2 counts as 2, and the default is 5.
        public var retransmit: Int?
        /// The router ID, as a dotted quad. By default, an agent derives one, and FRR and BIRD get one from ``AddressBook``.
        public var routerID: String?

        public init(
            type: String? = nil, hello: Int? = nil, dead: Int? = nil, priority: Int? = nil, cost: Int? = nil,
            retransmit: Int? = nil, routerID: String? = nil
        ) {
            self.type = type
            self.hello = hello
            self.dead = dead
            self.priority = priority
            self.cost = cost
            self.retransmit = retransmit
            self.routerID = routerID
        }
    }

    /// A virtual address, which an agent announces while a TCP port of its node answers.
    public struct VIP: Codable, Hashable, Sendable {
        /// The name, as in the configuration of `meshd`.
        public var name: String
        /// The address, without a length.
        public var address: String
        /// The TCP port that must answer on the node itself.
        public var port: UInt16

        public init(name: String, address: String, port: UInt16) {
            self.name = name
            self.address = address
            self.port = port
        }
    }

    /// A cable between two nodes.
    public struct Link: Codable, Hashable, Sendable {
        /// The node at one end.
        public var first: String
        /// The node at the other.
        public var second: String
        /// The MTU in octets, 1280 to 65535; `nil` for the kernel's default, 1500.
        public var mtu: Int?

        public init(_ first: String, _ second: String, mtu: Int? = nil) {
            self.first = first
            self.second = second
            self.mtu = mtu
        }

        /// The name of the link in commands: its two nodes with a hyphen between them.
        public var name: String { "\(first)-\(second)" }
    }

    /// How to draw a picture of the topology.
    public enum Shape: Codable, Hashable, Sendable {
        /// Rows of this many nodes, for links between nodes that are next to each other in a row or a column. With other links,
        /// it is drawn as ``free``.
        case grid(columns: Int)
        /// Every node linked to the next one, the last to the first.
        case ring
        /// Every node linked to the last one only, which is a bridge.
        case segment
        /// Anything else.
        case free
    }

    public init(name: String, nodes: [Node], links: [Link], shape: Shape = .free) {
        self.name = name
        self.nodes = nodes
        self.links = links
        self.shape = shape
    }

    /// The nodes that route.
    public var routers: [Node] { nodes.filter { $0.router != .bridge && $0.router != .none } }

    /// The node with this name. Throws if there is none.
    public func node(_ name: String) throws(LabError) -> Node {
        if let node = nodes.first(where: { $0.name == name }) { return node }
        throw LabError("There is no node “\(name)” in \(self.name). Its nodes are \(list(nodes.map(\.name))).")
    }

    /// The index of the link with this name, whose two nodes may be in either order. Throws if there is none.
    public func linkIndex(_ name: String) throws(LabError) -> Int {
        if let index = links.firstIndex(where: { $0.name == name || "\($0.second)-\($0.first)" == name }) {
            return index
        }
        throw LabError("There is no link “\(name)” in \(self.name). Its links are \(list(links.map(\.name))).")
    }

    private func list(_ names: [String]) -> String { names.joined(separator: ", ") }
}

extension Topology {
    /// Checks that there are 1 to 1000 nodes, that their names are valid and unique, that links connect existing nodes, at
    /// most one for each pair, that an MTU is 1280 to 65535, and that a node has at most 127 ports (``AddressBook`` has seven
    /// bits for them).
    public func validate() throws(LabError) {
        guard !nodes.isEmpty else { throw LabError("The topology \(name) has no nodes; give it at least one.") }
        guard nodes.count <= 1000 else {
            throw LabError("The topology \(name) has \(nodes.count) nodes; one machine carries at most 1000.")
        }
        var seen: Set<String> = []
        for node in nodes {
            guard Self.isUsable(node.name) else {
                throw LabError(
                    "“\(node.name)” cannot be the name of a node: use 1 to 15 lower-case letters, digits and hyphens, "
                        + "beginning with a letter or a digit.")
            }
            guard seen.insert(node.name).inserted else {
                throw LabError("The topology \(name) has two nodes called “\(node.name)”; give one another name.")
            }
        }
        var degrees: [String: Int] = [:]
        var linked: Set<Set<String>> = []
        for link in links {
            for end in [link.first, link.second] where !seen.contains(end) {
                throw LabError("The link \(link.name) ends at “\(end)”, which is not a node of \(name).")
            }
            guard link.first != link.second else { throw LabError("The link \(link.name) joins a node to itself.") }
            guard linked.insert([link.first, link.second]).inserted else {
                throw LabError(
                    "The topology \(name) has two links \(link.name); a lab has at most one between two nodes.")
            }
            if let mtu = link.mtu, !(1280...65535).contains(mtu) {
                throw LabError("The link \(link.name) has an MTU of \(mtu); IPv6 needs 1280 to 65535.")
            }
            degrees[link.first, default: 0] += 1
            degrees[link.second, default: 0] += 1
        }
        for (node, degree) in degrees where degree > 127 {
            throw LabError("The node \(node) has \(degree) links; a node of a lab has at most 127 ports.")
        }
    }

    /// Whether a name can be that of a lab or of a node, and so a part of the name of a namespace.
    static func isUsable(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        func isAlphanumeric(_ byte: UInt8) -> Bool {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        guard let first = bytes.first, isAlphanumeric(first), bytes.count <= 15 else { return false }
        return bytes.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
    }
}
