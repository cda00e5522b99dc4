import FoundationEssentials

/// To and from the octets of JSON.
public enum JSON {
    /// One line of JSON with its keys in order, or many lines to be read by people.
    public static func encode(_ value: some Encodable, pretty: Bool = false) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting =
            pretty ? [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted] : [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value)) + [UInt8(ascii: "\n")]
    }

    /// Reads a value; keys that the type does not know are passed over.
    public static func decode<Value: Decodable>(_ type: Value.Type, from octets: some Sequence<UInt8>) throws -> Value {
        try JSONDecoder().decode(type, from: Data(octets))
    }
}
