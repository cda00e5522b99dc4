import Yams

/// What a value reader throws: the complaint about a value, to which the place is added by whoever knows it.
struct Complaint: Error {
    var message: String
    var hint: String?

    init(_ message: String, hint: String? = nil) {
        self.message = message
        self.hint = hint
    }
}

/// Reads the YAML tree of one file and collects everything that is wrong with it, so that one run shows all mistakes.
final class ConfigurationReader {
    let file: String
    private(set) var problems: [ConfigurationProblem] = []

    init(file: String) { self.file = file }

    /// Notes a complaint about the value at `node`.
    func note(_ complaint: Complaint, at node: Node, key: String) { note(complaint, at: node.mark, key: key) }

    /// Notes a complaint about a place; `nil` is the whole file.
    func note(_ complaint: Complaint, at mark: Mark?, key: String) {
        problems.append(
            ConfigurationProblem(
                file: file, line: mark?.line, column: mark?.column, key: key, message: complaint.message,
                hint: complaint.hint))
    }

    /// A value by `read`; `nil` with a problem noted when it throws.
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

    /// The mapping at `node`, in which only `keys` may stand. `nil` with a problem noted when it is none, and without
    /// when it is empty, as after a key with nothing behind it.
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
        var isComplete = true
        for (name, value) in mapping {
            let text = name.scalar?.string ?? ""
            let path = key.isEmpty ? text : "\(key).\(text)"
            if let reason = unsupported[text] {
                note(Complaint("not supported yet", hint: reason), at: name, key: path)
                isComplete = false
            } else if keys.contains(text) {
                if !value.isNothing { entries[text] = value }
            } else {
                let hint = Suggestion.nearest(to: text, among: keys).map { "did you mean \"\($0)\"?" }
                note(
                    Complaint("unknown key", hint: hint ?? "known here: \(keys.joined(separator: ", "))"), at: name,
                    key: path)
            }
        }
        return Section(reader: self, node: node, key: key, entries: entries, isComplete: isComplete)
    }

    /// The elements of the list at `node` with their keys; empty with a problem noted when it is none.
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
    let key: String
    let entries: [String: Node]
    /// Whether no key was refused that would have meant something.
    let isComplete: Bool

    func path(_ name: String) -> String { key.isEmpty ? name : "\(key).\(name)" }

    /// Whether `name` was given.
    func has(_ name: String) -> Bool { entries[name] != nil }

    /// The value of `name` by `read`, or `nil` when it is not there or wrong (which is noted).
    func value<Value>(_ name: String, _ read: (Node) throws -> Value) -> Value? {
        entries[name].flatMap { reader.value($0, key: path(name), read) }
    }

    /// Puts the value of `name` where it belongs when it is there and right; `false` when it is there and wrong.
    @discardableResult
    func read<Value>(_ name: String, into target: inout Value, _ read: (Node) throws -> Value) -> Bool {
        guard has(name) else { return true }
        guard let value = value(name, read) else { return false }
        target = value
        return true
    }

    /// The section below `name`, if it is there.
    func section(_ name: String, keys: [String], unsupported: [String: String] = [:]) -> Section? {
        entries[name].flatMap { reader.section($0, key: path(name), keys: keys, unsupported: unsupported) }
    }

    /// The elements of the list below `name`; `nil` when it is not there.
    func list(_ name: String) -> [(node: Node, key: String)]? {
        entries[name].map { reader.list($0, key: path(name)) }
    }

    /// Notes a complaint about `name`, or about the section when that is not there.
    func note(_ complaint: Complaint, at name: String? = nil) {
        reader.note(complaint, at: name.flatMap { entries[$0] } ?? node, key: name.map(path) ?? key)
    }
}

extension Node {
    /// A key with nothing behind it.
    var isNothing: Bool {
        guard case .scalar(let scalar) = self, scalar.style == .plain || scalar.style == .any else { return false }
        return ["", "~", "null"].contains(scalar.string)
    }

    /// What the node is, for people.
    var kindInWords: String {
        switch self {
        case .scalar(let scalar): scalar.string.isEmpty ? "nothing" : "\"\(scalar.string.prefix(40))\""
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }
}
