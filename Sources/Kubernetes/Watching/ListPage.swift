/// One page of a list.
public struct ListPage<Object: Resource>: Hashable, Sendable {
    /// The version of the list, at which a watch of later changes starts.
    public var resourceVersion: String
    /// The token for the next page; empty on the last page.
    public var continuation: String
    public var items: [Object]

    public init(resourceVersion: String, continuation: String = "", items: [Object]) {
        self.resourceVersion = resourceVersion
        self.continuation = continuation
        self.items = items
    }
}

extension ListPage {
    /// Whether the list is known to be of an earlier state than a version; see ``ObjectMetadata/isOlder(than:)``.
    func isOlder(than version: String) -> Bool {
        guard let own = UInt64(resourceVersion), let other = UInt64(version) else { return false }
        return own < other
    }
}

extension ListPage: Codable {
    private enum CodingKeys: CodingKey { case kind, metadata, items }
    private enum MetadataKeys: String, CodingKey {
        case resourceVersion
        case continuation = "continue"
    }

    /// Decodes a page. A list of another kind is rejected.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        guard try fields.decode(String.self, forKey: .kind) == Object.kind + "List" else {
            throw DecodingError.dataCorruptedError(
                forKey: .kind, in: fields, debugDescription: "is not a \(Object.kind)List")
        }
        let metadata = try fields.nestedContainer(keyedBy: MetadataKeys.self, forKey: .metadata)
        resourceVersion = try metadata.decode(String.self, forKey: .resourceVersion)
        continuation = try metadata.value(.continuation, else: "")
        items = try fields.value(.items, else: [])
    }

    /// Encodes a page.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(Object.kind + "List", forKey: .kind)
        var metadata = fields.nestedContainer(keyedBy: MetadataKeys.self, forKey: .metadata)
        try metadata.encode(resourceVersion, forKey: .resourceVersion)
        try metadata.encode(continuation, forKey: .continuation)
        try fields.encode(items, forKey: .items)
    }
}

/// One line of a watch.
public enum WatchEvent<Object: Resource>: Hashable, Sendable {
    /// The object was added or changed.
    case present(Object)
    /// The object was deleted; this is its last state.
    case gone(Object)
    /// All changes up to this version were sent. It lets a watch resume from a version that the server still has.
    case bookmark(resourceVersion: String)
    /// The server ends the watch with an error.
    case failed(Status)
}

extension WatchEvent: Decodable {
    private enum CodingKeys: CodingKey { case type, object }
    private enum ObjectKeys: CodingKey { case kind, metadata }
    private enum MetadataKeys: CodingKey { case resourceVersion }

    /// Decodes an event. Objects of other kinds are rejected.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        let type = try fields.decode(String.self, forKey: .type)
        if type == "ERROR" {
            self = .failed(try fields.decode(Status.self, forKey: .object))
            return
        }
        let object = try fields.nestedContainer(keyedBy: ObjectKeys.self, forKey: .object)
        guard try object.decode(String.self, forKey: .kind) == Object.kind else {
            throw DecodingError.dataCorruptedError(
                forKey: .object, in: fields, debugDescription: "is not a \(Object.kind)")
        }
        switch type {
        case "ADDED", "MODIFIED": self = .present(try fields.decode(Object.self, forKey: .object))
        case "DELETED": self = .gone(try fields.decode(Object.self, forKey: .object))
        case "BOOKMARK":
            let metadata = try object.nestedContainer(keyedBy: MetadataKeys.self, forKey: .metadata)
            self = .bookmark(resourceVersion: try metadata.decode(String.self, forKey: .resourceVersion))
        default:
            throw DecodingError.dataCorruptedError(
                forKey: .type, in: fields, debugDescription: "is not a known type of watch event")
        }
    }
}
