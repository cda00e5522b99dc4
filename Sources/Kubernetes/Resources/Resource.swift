/// A kind of object that the agent uses. Only the fields in use are decoded, so a value serves for reading and for patches and
/// is never written back as a whole. Encoding yields the same fields, for files of our own.
public protocol Resource: Codable, Hashable, Sendable {
    /// As in `kind`: `EndpointSlice`.
    static var kind: String { get }
    /// As in `apiVersion`: `discovery.k8s.io/v1`, or `v1` for the core.
    static var apiVersion: String { get }
    /// As in paths: `endpointslices`.
    static var plural: String { get }
    /// The label of this kind in files, metrics and messages; ``plural`` by default.
    static var label: String { get }
    /// Whether its objects live in namespaces.
    static var isNamespaced: Bool { get }
    /// What all objects have.
    var metadata: ObjectMetadata { get set }
}

extension Resource {
    /// ``plural``, as one kind is mostly watched for one purpose.
    public static var label: String { plural }

    /// Which object of its kind this is.
    public var key: ObjectKey { ObjectKey(namespace: metadata.namespace, name: metadata.name) }

    /// Whether both are equal except for their versions: most changes concern fields that are not decoded.
    func hasSameContents(as other: Self) -> Bool {
        guard metadata.resourceVersion != other.metadata.resourceVersion else { return self == other }
        var other = other
        other.metadata.resourceVersion = metadata.resourceVersion
        return self == other
    }
}

/// Which object of a kind.
public struct ObjectKey: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Its namespace; empty for kinds without.
    public var namespace: String
    /// Its name.
    public var name: String

    /// Names an object.
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

/// What all objects have.
public struct ObjectMetadata: Hashable, Sendable {
    /// Its name.
    public var name: String
    /// Its namespace; empty for kinds without.
    public var namespace: String
    /// Unique, unlike the name, which can be used again.
    public var uid: String
    /// Its version: handed back as it is, and compared only by ``isOlder(than:)`` and for equality.
    public var resourceVersion: String
    /// All its labels.
    public var labels: [String: String]
    /// Its annotations under `kubermesh.io/`, or below that. Those of others can be large and mean nothing here.
    public var annotations: [String: String]
    /// When its deletion was requested, in the form of the API; `nil` if it was not.
    public var deletionTimestamp: String?

    /// Names an object.
    public init(name: String, namespace: String = "") {
        self.name = name
        self.namespace = namespace
        uid = ""
        resourceVersion = ""
        labels = [:]
        annotations = [:]
    }

    /// Whether this is known to be of an earlier version than `other`, of the same kind. Versions are decimal numbers that
    /// grow, as the API guarantees since 1.35 and always did; of any others it is not known.
    public func isOlder(than other: ObjectMetadata) -> Bool {
        guard let own = UInt64(resourceVersion), let other = UInt64(other.resourceVersion) else { return false }
        return own < other
    }

    /// Whether its deletion was requested and waits for a finalizer.
    public var isBeingDeleted: Bool { deletionTimestamp != nil }
}

extension ObjectMetadata: Codable {
    private enum CodingKeys: CodingKey {
        case name, namespace, uid, resourceVersion, labels, annotations, deletionTimestamp
    }

    /// Reads what is used.
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
