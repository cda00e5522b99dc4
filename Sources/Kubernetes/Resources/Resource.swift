/// A kind of object the agent knows. Only what is used is decoded: what else an object says is passed over, so a value is
/// for reading and for patching from, and is never written back whole. Encoding gives that part, for files of our own.
public protocol Resource: Codable, Hashable, Sendable {
    /// As in `kind`: `EndpointSlice`.
    static var kind: String { get }
    /// As in `apiVersion`: `discovery.k8s.io/v1`, or `v1` for the core.
    static var apiVersion: String { get }
    /// As in paths: `endpointslices`.
    static var plural: String { get }
    /// What files, metrics and people call what is known of such objects; ``plural`` where nothing else is said.
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

    /// Whether both say the same, whatever their versions: most changes of an object are of parts that are not decoded.
    func saysTheSame(as other: Self) -> Bool {
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
    /// Tells it from others that had or will have its name.
    public var uid: String
    /// Its version: handed back as it is, and compared only by ``isOlder(than:)`` and for equality.
    public var resourceVersion: String
    /// All its labels.
    public var labels: [String: String]
    /// Its annotations under `kubermesh.io/`, or below that. Those of others can be large and mean nothing here.
    public var annotations: [String: String]
    /// When it was asked to go, as the API writes it; `nil` while nobody asked.
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

    /// Whether it was asked to go, and waits for somebody's finalizer.
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
