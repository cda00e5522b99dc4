import Yams

/// What is wrong with a value, a section or the file. A value reader throws it, and the caller adds the place.
struct Complaint: Error {
    var message: String
    var hint: String?

    init(_ message: String, hint: String? = nil) {
        self.message = message
        self.hint = hint
    }
}

/// Reads the YAML tree of a file and collects all problems, so that one run shows all of them.
final class ConfigurationReader {
    let file: String
    private(set) var problems: [ConfigurationProblem] = []

    init(file: String) { self.file = file }

    /// Adds a complaint about the value at `node`.
    func note(_ complaint: Complaint, at node: Node, key: String) { note(complaint, at: node.mark, key: key) }

    /// Adds a complaint about a place; `nil` means the whole file.
    func note(_ complaint: Complaint, at mark: Mark?, key: String) {
        problems.append(
            ConfigurationProblem(
                file: file, line: mark?.line, column: mark?.column, key: key, message: complaint.message,
                hint: complaint.hint))
    }

    /// The value that `read` returns; `nil`, and a problem, if it throws.
    func value<Value>(_ node: Node, key: String, _ read: (Node) throws -> Value) -> Value? {
        do {
            return try read(node)
        } catch let complaint as Complaint {
            note(complaint, at: node, key: key)
        } catch {
            note(Complaint("cannot be read: \(error)"), at: node, key: key)
        }
        return nil
    }

    /// The mapping at `node`. A key that is not in `keys` is a problem; `unsupported` has hints for some such keys.
    /// `nil`, and a problem, if the node is not a mapping; `nil` without a problem if it is null, as after a key without a
    /// value.
    func section(_ node: Node, key: String, keys: [String], unsupported: [String: String] = [:]) -> Section? {
        if node.isNothing { return nil }
        guard case .mapping(let mapping) = node else {
            note(
                Complaint(
                    "must be a mapping of keys, not \(node.kindInWords)", hint: "keys: \(keys.joined(separator: ", "))"),
                at: node, key: key)
            return nil
        }
        var entries: [String: Node] = [:]
        for (name, value) in mapping {
            let text = name.scalar?.string ?? ""
            let path = key.isEmpty ? text : "\(key).\(text)"
            if let reason = unsupported[text] {
                note(Complaint("not supported yet", hint: reason), at: name, key: path)
            } else if keys.contains(text) {
                if !value.isNothing { entries[text] = value }
            } else {
                let hint = Suggestion.nearest(to: text, among: keys).map { "did you mean \"\($0)\"?" }
                note(
                    Complaint("unknown key", hint: hint ?? "known here: \(keys.joined(separator: ", "))"), at: name,
                    key: path)
            }
        }
        return Section(reader: self, node: node, key: key, entries: entries)
    }

    /// The elements of the list at `node` with their keys, as in `vips[0]`; empty, and a problem, if it is not a list.
    func list(_ node: Node, key: String) -> [(node: Node, key: String)] {
        guard case .sequence(let sequence) = node else {
            note(
                Complaint(
                    "must be a list, not \(node.kindInWords)", hint: "write [ … ], or lines that begin with \"- \""),
                at: node, key: key)
            return []
        }
        return sequence.enumerated().map { ($0.element, "\(key)[\($0.offset)]") }
    }
}

/// A mapping whose keys have been checked.
struct Section {
    let reader: ConfigurationReader
    let node: Node
    /// Its key in the file, as in `ospf.spfDelay`; empty for the whole file.
    let key: String
    /// The values of its known keys, without those that are null.
    let entries: [String: Node]

    /// A key of this section as in problems: `ospf.area`.
    func path(_ name: String) -> String { key.isEmpty ? name : "\(key).\(name)" }

    /// Whether it has the key `name`, with a value other than null.
    func has(_ name: String) -> Bool { entries[name] != nil }

    /// The value of `name`; `nil` if it is missing or null, and, with a problem, if it is wrong.
    func value<Value>(_ name: String, _ read: (Node) throws -> Value) -> Value? {
        entries[name].flatMap { reader.value($0, key: path(name), read) }
    }

    /// Stores the value of `name` in `target`, if there is one. Returns `false` if it is wrong, which is a problem.
    @discardableResult
    func read<Value>(_ name: String, into target: inout Value, _ read: (Node) throws -> Value) -> Bool {
        guard has(name) else { return true }
        guard let value = value(name, read) else { return false }
        target = value
        return true
    }

    /// The section `name`; `nil` if it is missing or null, and, with a problem, if it is not a mapping.
    func section(_ name: String, keys: [String], unsupported: [String: String] = [:]) -> Section? {
        entries[name].flatMap { reader.section($0, key: path(name), keys: keys, unsupported: unsupported) }
    }

    /// The elements of the list `name`; `nil` if it is missing or null; empty, and a problem, if it is not a list.
    func list(_ name: String) -> [(node: Node, key: String)]? {
        entries[name].map { reader.list($0, key: path(name)) }
    }

    /// Adds a complaint about the key `name`, or about the section if `name` is `nil`. The place is that of the value, or of
    /// the section if there is no value.
    func note(_ complaint: Complaint, at name: String? = nil) {
        reader.note(complaint, at: name.flatMap { entries[$0] } ?? node, key: name.map(path) ?? key)
    }
}

extension Node {
    /// Whether the value is null: `null`, `~`, or nothing after the key.
    var isNothing: Bool {
        guard case .scalar(let scalar) = self, scalar.style == .plain || scalar.style == .any else { return false }
        return ["", "~", "null"].contains(scalar.string)
    }

    /// The value in a message: the start of a scalar, `nothing` for an empty one, otherwise the kind.
    var kindInWords: String {
        switch self {
        case .scalar(let scalar): scalar.string.isEmpty ? "nothing" : "\"\(scalar.string.prefix(40))\""
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }
}
