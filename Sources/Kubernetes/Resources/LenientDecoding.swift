internal import Addressing

extension KeyedDecodingContainer {
    /// The value under `key`, or `fallback` where there is none or `null`. What is there and of another type is an error.
    func value<Value: Decodable>(_ key: Key, else fallback: @autoclosure () -> Value) throws -> Value {
        try decodeIfPresent(Value.self, forKey: key) ?? fallback()
    }

    /// The mapping under `key`, or `nil`.
    func fields<Inner: CodingKey>(_ key: Key, _ inner: Inner.Type) throws -> KeyedDecodingContainer<Inner>? {
        guard contains(key), try !decodeNil(forKey: key) else { return nil }
        return try nestedContainer(keyedBy: inner, forKey: key)
    }

    /// The addresses in the list under `key`. What is none, like `""`, `None` and a host's name, is left out.
    func addresses(_ key: Key) throws -> [IPv6Address] {
        try value(key, else: [String]()).compactMap(IPv6Address.init(ofEitherFamily:))
    }
}

extension IPv6Address {
    /// Reads an address of either family; one of IPv4 in its mapped form.
    init?(ofEitherFamily text: String) {
        if let address = IPv4Address(text) {
            self.init(address)
        } else {
            self.init(text)
        }
    }

    /// As the API writes it: IPv4 in dotted quads.
    var textOfItsFamily: String { ipv4?.description ?? description }
}
