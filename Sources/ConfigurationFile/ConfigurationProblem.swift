/// A problem in a configuration file: where, what, and what to do.
public struct ConfigurationProblem: Hashable, Sendable, CustomStringConvertible {
    /// The file name as given.
    public var file: String
    /// The line, from 1; `nil` for the whole file.
    public var line: Int?
    /// The column, from 1; `nil` for the whole file.
    public var column: Int?
    /// The key, as in `interfaces[1].cost`; for keys that are given twice, their names; empty for the whole file, and for text
    /// that is not YAML.
    public var key: String
    /// What is wrong.
    public var message: String
    /// What to do about it; `nil` if the message says enough.
    public var hint: String?

    /// `file:line:column: key: message (hint)`.
    public var description: String {
        var text = file
        if let line { text += ":\(line)" }
        if let column { text += ":\(column)" }
        if !key.isEmpty { text += ": \(key)" }
        text += ": \(message)"
        if let hint { text += " (\(hint))" }
        return text
    }
}

/// All problems in a configuration file; never empty.
public struct ConfigurationProblems: Error, Hashable, Sendable, CustomStringConvertible {
    /// In the order in which they were found, which need not be that of the lines.
    public var problems: [ConfigurationProblem]

    /// One problem per line.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// Suggests what was probably meant.
enum Suggestion {
    /// The candidate nearest to `word`, upper and lower case being equal; `nil` if none is near enough to be a typing error.
    /// One difference is allowed for each three octets of the candidate, at least one and at most three.
    static func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
        candidates.map { ($0, distance(word.lowercased(), $0.lowercased())) }
            .filter { $0.1 <= max(1, min(3, $0.0.utf8.count / 3)) }
            .min { $0.1 < $1.1 }?.0
    }

    /// How many octets must be inserted, deleted, replaced or swapped with the next one. Only the first 64 octets of each
    /// count, because the time grows with the product of the lengths.
    private static func distance(_ left: String, _ right: String) -> Int {
        let left = Array(left.utf8.prefix(64))
        let right = Array(right.utf8.prefix(64))
        var rows = [Array(0...right.count)]
        for (i, character) in left.enumerated() {
            var row = [i + 1]
            for (j, other) in right.enumerated() {
                var best = min(row[j] + 1, rows[i][j + 1] + 1, rows[i][j] + (character == other ? 0 : 1))
                if i > 0, j > 0, character == right[j - 1], left[i - 1] == other {
                    best = min(best, rows[i - 1][j - 1] + 1)
                }
                row.append(best)
            }
            rows.append(row)
        }
        return rows[left.count][right.count]
    }
}
