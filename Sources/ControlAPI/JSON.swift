import FoundationEssentials

/// JSON as the API has it.
public enum JSON {
    /// JSON with sorted keys and a line feed at the end: in one line or, with `pretty`, indented for people.
    public static func encode(_ value: some Encodable, pretty: Bool = false) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting =
            pretty ? [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted] : [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value)) + [UInt8(ascii: "\n")]
    }

    /// Decodes a value; unknown keys are ignored.
    public static func decode<Value: Decodable>(_ type: Value.Type, from octets: some Sequence<UInt8>) throws -> Value {
        try JSONDecoder().decode(type, from: Data(octets))
    }
}
