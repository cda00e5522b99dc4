/// A kind of object that the agent uses. Only the fields in use are decoded, so a value is never written back as a whole: that
/// would remove the other fields. It is encoded only for our own files (``ObjectFile``), with the fields in use.
public protocol Resource: Codable, Hashable, Sendable {
    /// The value of `kind`: `EndpointSlice`.
    static var kind: String { get }
    /// The value of `apiVersion`: `discovery.k8s.io/v1`, or `v1` for the core group.
    static var apiVersion: String { get }
    /// The name in paths: `endpointslices`.
    static var plural: String { get }
    /// The label of this kind in files, metrics and messages; ``plural`` by default.
    static var label: String { get }
    /// Whether its objects are in namespaces.
    static var isNamespaced: Bool { get }
    /// The metadata that all objects have.
    var metadata: ObjectMetadata { get set }
}

extension Resource {
    /// ``plural``, because one kind is usually watched for one purpose only.
    public static var label: String { plural }

    /// Identifies the object among those of its kind.
    public var key: ObjectKey { ObjectKey(namespace: metadata.namespace, name: metadata.name) }

    /// Whether both are equal except for their versions. Most changes concern fields that are not decoded.
    func hasSameContents(as other: Self) -> Bool {
        guard metadata.resourceVersion != other.metadata.resourceVersion else { return self == other }
        var other = other
        other.metadata.resourceVersion = metadata.resourceVersion
        return self == other
    }
}

/// Identifies an object among those of its kind.
public struct ObjectKey: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The namespace; empty for kinds without namespaces.
    public var namespace: String
    public var name: String

    public init(namespace: String = "", name: String) {
        self.namespace = namespace
        self.name = name
    }

    /// By namespace, then name.
    public static func < (left: ObjectKey, right: ObjectKey) -> Bool {
        (left.namespace, left.name) < (right.namespace, right.name)
    }

    /// `namespace/name`, or the name alone.
    public var description: String { namespace.isEmpty ? name : "\(namespace)/\(name)" }
}

/// The metadata that all objects have, as far as it is used.
public struct ObjectMetadata: Hashable, Sendable {
    public var name: String
    /// Its namespace; empty for kinds without namespaces.
    public var namespace: String
    /// Unique, unlike the name, which can be used again.
    public var uid: String
    /// Its version. It is sent back unchanged, and compared only for equality and by ``isOlder(than:)``.
    public var resourceVersion: String
    /// All its labels.
    public var labels: [String: String]
    /// Its annotations under `kubermesh.io/` or a subdomain of it. Other annotations can be large, and we use none.
    public var annotations: [String: String]
    /// When its deletion was requested, in the form of the API; `nil` if it was not.
    public var deletionTimestamp: String?

    /// Makes the metadata of an object with this name and namespace; all other fields are empty.
    public init(name: String, namespace: String = "") {
        self.name = name
        self.namespace = namespace
        uid = ""
        resourceVersion = ""
        labels = [:]
        annotations = [:]
    }

    /// Whether this is known to be an earlier version than `other`, of the same kind. Versions are increasing decimal numbers:
    /// the API guarantees that since 1.35, and earlier servers did the same. `false` if a version is not a number.
    public func isOlder(than other: ObjectMetadata) -> Bool {
        guard let own = UInt64(resourceVersion), let other = UInt64(other.resourceVersion) else { return false }
        return own < other
    }

    /// Whether its deletion was requested, but it still exists, for example because of a finalizer.
    public var isBeingDeleted: Bool { deletionTimestamp != nil }
}

extension ObjectMetadata: Codable {
    private enum CodingKeys: CodingKey {
        case name, namespace, uid, resourceVersion, labels, annotations, deletionTimestamp
    }

    /// Decodes the fields in use.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        name = try fields.decode(String.self, forKey: .name)
        namespace = try fields.value(.namespace, else: "")
        uid = try fields.value(.uid, else: "")
        resourceVersion = try fields.value(.resourceVersion, else: "")
        labels = try fields.value(.labels, else: [:])
        annotations = try fields.value(.annotations, else: [String: String]()).filter { Self.isOurs($0.key) }
        deletionTimestamp = try fields.decodeIfPresent(String.self, forKey: .deletionTimestamp)
    }

    private static func isOurs(_ annotation: String) -> Bool {
        guard let slash = annotation.firstIndex(of: "/") else { return false }
        let domain = annotation[..<slash]
        return domain == "kubermesh.io" || domain.hasSuffix(".kubermesh.io")
    }
}
