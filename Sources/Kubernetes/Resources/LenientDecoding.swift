internal import Addressing

// Decoding that accepts what the API server leaves out: it omits empty fields, or writes them as `null`.
extension KeyedDecodingContainer {
    /// The value under `key`, or `fallback` if it is missing or `null`. A value of another type is an error.
    func value<Value: Decodable>(_ key: Key, else fallback: @autoclosure () -> Value) throws -> Value {
        try decodeIfPresent(Value.self, forKey: key) ?? fallback()
    }

    /// The mapping under `key`; `nil` if it is missing or `null`.
    func fields<Inner: CodingKey>(_ key: Key, _ inner: Inner.Type) throws -> KeyedDecodingContainer<Inner>? {
        guard contains(key), try !decodeNil(forKey: key) else { return nil }
        return try nestedContainer(keyedBy: inner, forKey: key)
    }

    /// The addresses in the list under `key`. Entries that are not addresses, such as `""`, `None` and host names, are skipped.
    func addresses(_ key: Key) throws -> [IPv6Address] {
        try value(key, else: [String]()).compactMap { IPv6Address($0) }
    }
}
