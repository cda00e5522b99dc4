extension Topology {
    /// The topologies that have a name, as `meshlab list` shows them.
    public static let named: [(form: String, summary: String)] = [
        ("square4", "a square: 1–2, 1–3, 2–4, 3–4"),
        ("ring:N", "N nodes in a circle"),
        ("grid:WxH", "W columns and H rows, each node cabled to its neighbors"),
        ("lan:N", "N nodes on one shared segment, as virtual machines bridged onto a LAN"),
        ("ha:3+3", "control-plane nodes that share a virtual address, and workers cabled to two of them each"),
    ]

    /// The virtual address of the control plane in `ha:C+W`.
    public static let controlPlaneVIP = VIP(name: "control-plane", address: "2001:db8:0:1::6443", port: 6443)

    /// Parses `square4`, `ring:6`, `grid:5x5`, `lan:4` or `ha:3+3`; `nil` if the text has another form. Throws if a number is
    /// missing or out of range. The ranges keep every node within 127 ports, and a lab to a size that one machine carries.
    public static func named(_ text: String) throws(LabError) -> Topology? {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let size = parts.count == 2 ? parts[1] : ""
        let topology: Topology
        switch (parts[0], parts.count) {
        case ("square4", 1): topology = grid(columns: 2, rows: 2, name: text)
        case ("ring", 2): topology = ring(try number(size, in: 3...200, for: text), name: text)
        case ("lan", 2): topology = segment(try number(size, in: 2...120, for: text), name: text)
        case ("grid", 2):
            let (columns, rows) = try numbers(size, separator: "x", in: 1...30, for: text)
            guard columns * rows <= 400 else {
                throw LabError("“\(text)” has \(columns * rows) nodes; a grid may have 400.")
            }
            topology = grid(columns: columns, rows: rows, name: text)
        case ("ha", 2):
            let (controlPlanes, workers) = try numbers(size, separator: "+", in: 1...60, for: text)
            topology = highlyAvailable(controlPlanes: controlPlanes, workers: workers, name: text)
        default: return nil
        }
        return topology
    }

    private static func number(
        _ text: String, in range: ClosedRange<Int>, for whole: String
    ) throws(LabError) -> Int {
        if let number = Int(text), range.contains(number) { return number }
        throw LabError("“\(whole)” needs a number from \(range.lowerBound) to \(range.upperBound) after the colon.")
    }

    /// The two numbers of `grid:WxH` (columns, rows) or `ha:C+W` (control-plane nodes, workers).
    private static func numbers(
        _ text: String, separator: Character, in range: ClosedRange<Int>, for whole: String
    ) throws(LabError) -> (Int, Int) {
        let parts = text.split(separator: separator, omittingEmptySubsequences: false)
        if parts.count == 2, let first = Int(parts[0]), let second = Int(parts[1]),
            range.contains(first), range.contains(second)
        {
            return (first, second)
        }
        throw LabError(
            "“\(whole)” needs two numbers from \(range.lowerBound) to \(range.upperBound) with “\(separator)” between them."
        )
    }

    private static func grid(columns: Int, rows: Int, name: String) -> Topology {
        func node(_ column: Int, _ row: Int) -> String { "n\(row * columns + column + 1)" }
        var links: [Link] = []
        for row in 0..<rows {
            for column in 0..<columns {
                if column + 1 < columns { links.append(Link(node(column, row), node(column + 1, row))) }
                if row + 1 < rows { links.append(Link(node(column, row), node(column, row + 1))) }
            }
        }
        let nodes = (1...columns * rows).map { Node("n\($0)") }
        return Topology(name: name, nodes: nodes, links: links, shape: .grid(columns: columns))
    }

    private static func ring(_ count: Int, name: String) -> Topology {
        let nodes = (1...count).map { Node("n\($0)") }
        let links = (1...count).map { Link("n\($0)", "n\($0 % count + 1)") }
        return Topology(name: name, nodes: nodes, links: links, shape: .ring)
    }

    private static func segment(_ count: Int, name: String) -> Topology {
        let nodes = (1...count).map { Node("n\($0)") }
        let links = nodes.map { Link($0.name, "lan") }
        return Topology(name: name, nodes: nodes + [Node("lan", router: .bridge)], links: links, shape: .segment)
    }

    /// Every control-plane node has a cable to every other one, and every worker has cables to two of them or to the only one.
    /// So, with two or more control-plane nodes, no failure of a single node or cable cuts another node off from the virtual
    /// address.
    private static func highlyAvailable(controlPlanes: Int, workers: Int, name: String) -> Topology {
        let vip = controlPlaneVIP
        let controlPlaneNodes = (1...controlPlanes).map { Node("cp\($0)", vips: [vip], listens: [vip.port]) }
        var links: [Link] = []
        for first in 1...controlPlanes {
            for second in 1...controlPlanes where second > first { links.append(Link("cp\(first)", "cp\(second)")) }
        }
        for worker in 1...workers {
            let uplinks: Set = [(worker - 1) % controlPlanes + 1, worker % controlPlanes + 1]
            links += uplinks.sorted().map { Link("cp\($0)", "w\(worker)") }
        }
        return Topology(name: name, nodes: controlPlaneNodes + (1...workers).map { Node("w\($0)") }, links: links)
    }
}
