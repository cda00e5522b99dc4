/// Rows of text with aligned columns, for people and for `awk`.
public struct TextTable: Sendable {
    /// A column: its header and its alignment.
    public struct Column: Hashable, Sendable, ExpressibleByStringLiteral {
        /// The header.
        public var title: String
        /// Whether the header and the cells are aligned to the right, as for numbers.
        public var isRightAligned: Bool

        public static func number(_ title: String) -> Column { Column(title: title, isRightAligned: true) }
        /// A column of text.
        public init(stringLiteral title: String) { self.init(title: title, isRightAligned: false) }

        private init(title: String, isRightAligned: Bool) {
            self.title = title
            self.isRightAligned = isRightAligned
        }
    }

    /// The columns from left to right.
    public let columns: [Column]
    /// The rows, each with a cell for every column.
    public private(set) var rows: [[String]] = []

    public init(columns: [Column]) { self.columns = columns }

    /// Appends a row. An empty cell is shown as `-`, unless the row continues the one above. Cells may have text from the
    /// network, so control characters become spaces.
    public mutating func append(_ cells: [String], continues: Bool = false) {
        precondition(cells.count == columns.count)
        rows.append(cells.map { $0.isEmpty && !continues ? "-" : $0.asOneLine })
    }

    /// All lines, each with its line feed.
    public func text(headers: Bool = true) -> String {
        let all = (headers ? [columns.map(\.title)] : []) + rows
        let widths = columns.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        var text = ""
        for row in all {
            var line = ""
            for (index, cell) in row.enumerated() {
                let padding = String(repeating: " ", count: widths[index] - cell.count)
                line += columns[index].isRightAligned ? padding + cell : cell + padding
                if index + 1 < row.count { line += "  " }
            }
            while line.last == " " { line.removeLast() }
            text += line + "\n"
        }
        return text
    }
}

/// A number with its noun: `1 route`, `2 routes`.
public func counted(_ number: Int, _ noun: String, _ plural: String? = nil) -> String {
    "\(number) \(number == 1 ? noun : plural ?? noun + "s")"
}

/// Seconds for people: `0.4s`, `12s`, `3m12s`, `2h5m`, `3d4h`; `-` if they are negative, not finite, or 10¹² or more.
public func shortDuration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e12 else { return "-" }
    if seconds < 9.95 {  // from here on, tenths would round to 10.0
        let tenths = Int((seconds * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)s" : "\(tenths / 10).\(tenths % 10)s"
    }
    let whole = Int(seconds)
    let (days, hours, minutes) = (whole / 86400, whole / 3600 % 24, whole / 60 % 60)
    if days > 0 { return "\(days)d\(hours)h" }
    if hours > 0 { return "\(hours)h\(minutes)m" }
    return minutes > 0 ? "\(minutes)m\(whole % 60)s" : "\(whole)s"
}
