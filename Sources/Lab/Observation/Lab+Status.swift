internal import Addressing
internal import Glibc

extension Lab {
    /// A picture of the lab. It marks the links that were made to fail, and those with an end at a node that is powered off.
    public func picture() -> String {
        topology.picture { index in
            let link = topology.links[index]
            return switch faults[index] {
            case nil where poweredOff.isDisjoint(with: [link.first, link.second]): .up
            case nil: .cut
            case .carrier: .cut
            case .silent: .silent
            }
        }
    }

    /// The names of the links that were made to fail.
    public var failedLinks: [String] { faults.keys.sorted().map { topology.links[$0].name } }

    /// The resident memory of all programs of a node's router (FRR has two), in octets; 0 if none runs.
    public func residentMemory(of node: String) -> Int {
        (processes[node] ?? []).filter(namespace(of: node).holds).reduce(0) { sum, pid in
            // The second number of `statm` is the resident memory, in pages.
            let pages = Files.read("/proc/\(pid)/statm")?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
            return sum + (pages ?? 0) * sysconf(Int32(_SC_PAGESIZE))
        }
    }

    /// A table of the nodes. For each: its router; the router's state, process ID, neighbors and memory in MiB; how many of
    /// the expected routes its kernel has; its address and its namespace.
    public func statusTable() throws(LabError) -> String {
        var rows = [["NODE", "ROUTER", "STATE", "PID", "NEIGHBORS", "ROUTES", "MEMORY", "ADDRESS", "NAMESPACE"]]
        for node in topology.nodes {
            let namespace = namespace(of: node.name)
            guard node.router != .bridge && node.router != .none else {
                rows.append([node.name, node.router.rawValue, "-", "-", "-", "-", "-", "-", namespace.name])
                continue
            }
            let process = process(of: node.name)
            let expected = expectedPrefixes(at: node.name)
            let present = expected.intersection(try kernelRoutes(of: node.name).map(\.prefix)).count
            rows.append([
                node.name, node.router.rawValue,
                state(of: node),
                process.map(String.init) ?? "-",
                adjacencySummary(of: node.name), "\(present)/\(expected.count)",
                process == nil ? "-" : "\(residentMemory(of: node.name) >> 20) MiB",
                addresses.address(of: node.name).description, namespace.name,
            ])
        }
        return Self.table(rows)
    }

    /// `off` without power. Else `running`, `crashed` or `stopped`, with a note if the node should have services and none runs.
    private func state(of node: Topology.Node) -> String {
        if poweredOff.contains(node.name) { return "off" }
        let router = isRunning(node.name) ? "running" : hasCrashed(node.name) ? "crashed" : "stopped"
        return node.listens.isEmpty || offersServices(node.name) ? router : "\(router), services stopped"
    }

    /// How many of a node's neighbors, in whatever state, are Full, as in `2/3 Full`; `-` if its router does not run or answer.
    private func adjacencySummary(of node: String) -> String {
        guard isRunning(node), let found = try? neighbors(of: node) else { return "-" }
        return "\(found.count { $0.state == "Full" })/\(found.count) Full"
    }

    /// Formats rows of text as columns, each as wide as its widest cell.
    static func table(_ rows: [[String]]) -> String {
        var widths: [Int] = []
        for row in rows {
            for (column, cell) in row.enumerated() {
                if column == widths.count { widths.append(0) }
                widths[column] = max(widths[column], cell.count)
            }
        }
        return rows.map { row in
            row.enumerated().map { column, cell in
                column == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] - cell.count + 2)
            }.joined()
        }.joined(separator: "\n")
    }
}
