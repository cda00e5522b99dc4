import ControlAPI
import Yams

/// A value as YAML, with sorted keys.
func yaml(_ value: JSONValue) throws -> String { try Yams.serialize(node: node(value), allowUnicode: true) }

private func node(_ value: JSONValue) -> Yams.Node {
    switch value {
    case .null: Yams.Node("null", Tag(.null))
    case .bool(let value): Yams.Node("\(value)", Tag(.bool))
    case .integer(let value): Yams.Node("\(value)", Tag(.int))
    case .number(let value): Yams.Node("\(value)", Tag(.float))
    case .string(let value): Yams.Node(value, Tag(.str), needsQuotes(value) ? .doubleQuoted : .plain)
    case .array(let values): Yams.Node(values.map(node), Tag(.seq), values.isEmpty ? .flow : .block)
    case .object(let members):
        Yams.Node(
            members.sorted { $0.key < $1.key }.map { (Yams.Node($0.key), node($0.value)) }, Tag(.map),
            members.isEmpty ? .flow : .block)
    }
}

/// Whether a text needs quotes to be read back as text.
private func needsQuotes(_ text: String) -> Bool {
    Resolver.default.resolveTag(of: Yams.Node(text)) != .str
}
