public import Addressing
import ControlAPI
import Kubernetes
import TestAPIServer

extension Objects {
    static func decode<Value: Decodable>(_ text: String) throws -> Value {
        try JSON.decode(Value.self, from: Array(text.utf8))
    }

    /// The object that a manifest describes, as the client decodes it.
    static func value<Object: Resource>(_ manifest: JSONValue, as type: Object.Type = Object.self) throws -> Object {
        try JSON.decode(type, from: JSON.encode(manifest))
    }
}

extension IPv6Address: ExpressibleByStringLiteral {
    /// An address of either family; IPv4 is mapped.
    public init(stringLiteral text: String) { self.init(text)! }
}
