extension Topology {
    /// How a link is drawn.
    public enum LinkState: Sendable {
        /// It works.
        case up
        /// It has no carrier.
        case cut
        /// It loses all packets, with carrier.
        case silent
    }

    /// A picture in text: a map if the shape allows one, else one column per node and one row per link. `state` gives the state
    /// of the link with this index in ``links``.
    public func picture(_ state: (Int) -> LinkState = { _ in .up }) -> String {
        switch shape {
        case .grid(let columns): drawGrid(columns: columns, state)
        case .ring: drawRing(state)
        case .segment: drawSegment(state)
        case .free: drawWiring(state)
        }
    }

    /// The state of the link between two nodes (by index); `nil` if there is none.
    private func stateBetween(_ first: Int, _ second: Int, _ state: (Int) -> LinkState) -> LinkState? {
        let ends: Set = [nodes[first].name, nodes[second].name]
        return links.firstIndex { [$0.first, $0.second] == ends }.map(state)
    }

    // MARK: Grids and rings: nodes in rows and columns

    /// A topology file with `columns` may have links other than those of a grid. It is then drawn with a column per node and a
    /// row per link.
    private func drawGrid(columns: Int, _ state: (Int) -> LinkState) -> String {
        guard links.allSatisfy({ isAdjacent($0, columns: columns) }) else { return drawWiring(state) }
        let rows = nodes.count / columns
        return drawNodes(rows: (0..<rows).map { row in (0..<columns).map { row * columns + $0 } }, state)
    }

    /// Whether a link is the only one between two nodes that are next to each other in a row or a column.
    private func isAdjacent(_ link: Link, columns: Int) -> Bool {
        let ends: Set = [link.first, link.second]
        let places = nodes.indices.filter { ends.contains(nodes[$0].name) }
        guard places.count == 2, links.count(where: { [$0.first, $0.second] == ends }) == 1 else { return false }
        let isInOneRow = places[0] / columns == places[1] / columns
        return isInOneRow ? places[1] - places[0] == 1 : places[1] - places[0] == columns
    }

    /// The first half of a ring is drawn along the top, the second half back along the bottom. In an odd ring, the bottom has
    /// one node less and a longer line.
    private func drawRing(_ state: (Int) -> LinkState) -> String {
        let half = (nodes.count + 1) / 2
        var bottom: [Int?] = (half..<nodes.count).reversed()
        guard bottom.count >= 2 else { return drawWiring(state) }
        if bottom.count < half { bottom.insert(nil, at: 1) }
        return drawNodes(rows: [Array(0..<half), bottom], state)
    }

    /// Draws nodes in rows and columns. The line between the nodes beside a place without a node crosses it.
    private func drawNodes(rows: [[Int?]], _ state: (Int) -> LinkState) -> String {
        let width = nodes.map(\.name.count).max() ?? 0
        var lines: [String] = []
        for (number, row) in rows.enumerated() {
            lines.append(drawRow(row, width: width, state))
            guard number + 1 < rows.count else { continue }
            lines.append(
                zip(row, rows[number + 1]).map { above, below in
                    let link = above.flatMap { above in below.flatMap { stateBetween(above, $0, state) } }
                    return Self.centered(Self.vertical(link), width)
                }.joined(separator: "       "))  // as wide as a horizontal line
        }
        return Self.indented(lines)
    }

    private func drawRow(_ row: [Int?], width: Int, _ state: (Int) -> LinkState) -> String {
        var line = ""
        for (column, node) in row.enumerated() {
            guard let node else { continue }
            line += Self.centered(nodes[node].name, width)
            guard let next = row[(column + 1)...].firstIndex(where: { $0 != nil }), let neighbor = row[next] else {
                continue
            }
            let skipped = (next - column - 1) * (width + 7)
            line += Self.horizontal(stateBetween(node, neighbor, state), longer: skipped)
        }
        return line
    }

    // MARK: A shared segment

    private func drawSegment(_ state: (Int) -> LinkState) -> String {
        let members = links.map(\.first)
        let width = (members.map(\.count).max() ?? 0) + 4
        let names = members.map { Self.centered($0, width) }.joined()
        let drops = links.indices.map { Self.centered(Self.vertical(state($0)), width) }.joined()
        let bus = links.indices.map { index in
            let half = String(repeating: "━", count: (width - 1) / 2)
            return half + (state(index) == .cut ? "━" : "┷")
                + String(repeating: "━", count: width - 1 - (width - 1) / 2)
        }.joined()
        return Self.indented([names, drops, "\(bus) \(links.first?.second ?? "")"])
    }

    // MARK: Anything: a column per node, a row per link

    private func drawWiring(_ state: (Int) -> LinkState) -> String {
        let width = max(5, (nodes.map(\.name.count).max() ?? 0) + 2)
        let columns = Dictionary(uniqueKeysWithValues: nodes.enumerated().map { ($1.name, $0) })
        var lines = [nodes.map { Self.centered($0.name, width) }.joined()]
        for (index, link) in links.enumerated() {
            let ends = [columns[link.first, default: 0], columns[link.second, default: 0]].sorted()
            let state = state(index)
            let stroke: Character = state == .up ? "─" : state == .silent ? "┄" : " "
            var row: [Character] = []
            for column in nodes.indices {
                let isEnd = ends.contains(column)
                let isInside = column > ends[0] && column < ends[1]
                let middle: Character = isEnd ? "●" : isInside ? (state == .up ? "─" : stroke) : "│"
                let left: Character = column > ends[0] && column <= ends[1] ? stroke : " "
                let right: Character = column >= ends[0] && column < ends[1] ? stroke : " "
                let before = (width - 1) / 2
                row +=
                    Array(repeating: left, count: before) + [middle]
                    + Array(repeating: right, count: width - 1 - before)
            }
            let mark = state == .up ? "" : state == .cut ? "  ✕ cut" : "  ✕ silent"
            lines.append(String(row) + "  \(link.name)" + mark)
        }
        return Self.indented(lines)
    }

    // MARK: Strokes

    /// The line between two nodes in a row: 7 columns, and `longer` more where it crosses a place without a node.
    private static func horizontal(_ state: LinkState?, longer: Int) -> String {
        func line(_ stroke: String, _ mark: String) -> String {
            let half = String(repeating: stroke, count: 2 + longer / 2)
            return " " + half + mark + half + (longer % 2 == 1 ? stroke : "") + " "
        }
        return switch state {
        case nil: line(" ", " ")
        case .up: line("─", "─")
        case .cut: line("─", "✕")
        case .silent: line("┄", "✕")
        }
    }

    private static func vertical(_ state: LinkState?) -> String {
        switch state {
        case nil: " "
        case .up: "│"
        case .cut, .silent: "✕"
        }
    }

    private static func centered(_ text: String, _ width: Int) -> String {
        let room = max(0, width - text.count)
        return String(repeating: " ", count: room / 2) + text + String(repeating: " ", count: room - room / 2)
    }

    private static func indented(_ lines: [String]) -> String {
        lines.map { line in
            let trimmed = line.reversed().drop { $0 == " " }.reversed()
            return "    " + String(trimmed)
        }.joined(separator: "\n")
    }
}
