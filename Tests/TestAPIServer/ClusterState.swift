public import ControlAPI

extension JSONValue {
    /// The value under a key; `nil` if this is not an object or has no such key. Setting one makes an object of any other
    /// value.
    public subscript(key: String) -> JSONValue? {
        get { if case .object(let fields) = self { fields[key] } else { nil } }
        set {
            var fields: [String: JSONValue] = if case .object(let fields) = self { fields } else { [:] }
            fields[key] = newValue
            self = .object(fields)
        }
    }

    /// The text; `nil` if this is not a string.
    public var text: String? { if case .string(let text) = self { text } else { nil } }

    /// The result of a merge patch (RFC 7396).
    func merged(with patch: JSONValue) -> JSONValue {
        guard case .object(let changes) = patch else { return patch }
        var fields: [String: JSONValue] = if case .object(let fields) = self { fields } else { [:] }
        for (key, change) in changes {
            fields[key] = change == .null ? nil : (fields[key] ?? .null).merged(with: change)
        }
        return .object(fields)
    }
}

/// A kind of objects that the server has.
struct ObjectKind: Sendable {
    var kind: String
    var prefix: String
    var plural: String
    /// What clients may write.
    var schema = Schema.any

    static let all = [
        ObjectKind(kind: "Node", prefix: "/api/v1", plural: "nodes", schema: .node),
        ObjectKind(kind: "Service", prefix: "/api/v1", plural: "services", schema: .service),
        ObjectKind(kind: "Event", prefix: "/api/v1", plural: "events", schema: .event),
        ObjectKind(kind: "Secret", prefix: "/api/v1", plural: "secrets"),
        ObjectKind(kind: "EndpointSlice", prefix: "/apis/discovery.k8s.io/v1", plural: "endpointslices"),
        ObjectKind(kind: "ServiceCIDR", prefix: "/apis/networking.k8s.io/v1", plural: "servicecidrs"),
        ObjectKind(kind: "Lease", prefix: "/apis/coordination.k8s.io/v1", plural: "leases", schema: .lease),
    ]

    var apiVersion: String { prefix.hasPrefix("/apis/") ? String(prefix.dropFirst(6)) : "v1" }
}

/// The path of a request: a kind, for one namespace or all, or one object and perhaps its subresource. `nil` for any other
/// path.
struct ObjectPath: Sendable {
    var kind: ObjectKind
    var namespace: String?
    var name: String?
    var subresource: String?

    init?(_ path: String) {
        for kind in ObjectKind.all where path.hasPrefix(kind.prefix + "/") {
            var parts = path.dropFirst(kind.prefix.count + 1).split(separator: "/").map(String.init)[...]
            if parts.first == "namespaces", parts.count >= 3 {
                namespace = parts[1]
                parts = parts.dropFirst(2)
            }
            guard parts.first == kind.plural, parts.count <= 3 else { continue }
            self.kind = kind
            name = parts.dropFirst().first
            subresource = parts.dropFirst(2).first
            return
        }
        return nil
    }
}

/// An error that the server responds with: the HTTP status, and the reason and message of a `Status`.
struct Refusal: Error {
    var code: Int
    var reason: String
    var message: String

    var json: JSONValue {
        [
            "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": .string(reason),
            "message": .string(message), "code": .integer(code),
        ]
    }

    static let expired = Refusal(code: 410, reason: "Expired", message: "too old resource version")
    static let notFound = Refusal(code: 404, reason: "NotFound", message: "not found")
    static let conflict = Refusal(code: 409, reason: "Conflict", message: "the object has been modified")
}

/// The objects of a cluster, their versions and the history of their changes, as etcd has them for an API server.
struct ClusterState: Sendable {
    /// An event of a watch: `type` is `ADDED`, `MODIFIED` or `DELETED`.
    struct Change: Sendable {
        var version: Int
        var plural: String
        var type: String
        var object: JSONValue
    }

    /// By kind, in plural, and by `NAMESPACE/NAME`.
    private var objects: [String: [String: JSONValue]] = [:]
    private(set) var history: [Change] = []
    private(set) var version = 1000
    /// The history begins after this version.
    private(set) var compacted = 1000
    /// The rest of each list whose next page was not requested yet, by continue token.
    private var snapshots: [String: (version: Int, rest: [JSONValue])] = [:]
    private var tokens = 0

    /// Forgets the history and all continue tokens.
    mutating func compact() {
        compacted = version
        history = []
        expireContinuations()
    }

    mutating func expireContinuations() { snapshots = [:] }

    /// What an API server knows that was restarted: no change. Its version is higher, because other clients, such as those
    /// that renew leases, write all the time.
    mutating func restart() {
        version += 10
        compact()
    }

    private static func key(_ object: JSONValue) -> String {
        "\(object["metadata"]?["namespace"]?.text ?? "")/\(object["metadata"]?["name"]?.text ?? "")"
    }

    static func matches(_ object: JSONValue, _ path: ObjectPath, name: String?) -> Bool {
        let metadata = object["metadata"]
        return (path.namespace == nil || metadata?["namespace"]?.text == path.namespace)
            && (name == nil || metadata?["name"]?.text == name)
    }

    /// A page of at most `limit` objects, the version of the list, and the continue token; `nil` on the last page.
    mutating func list(
        _ path: ObjectPath, name: String?, limit: Int, continuation: String?
    ) throws(Refusal) -> (items: [JSONValue], version: Int, continuation: String?) {
        var items: [JSONValue]
        var version = self.version
        if let continuation {
            guard let snapshot = snapshots.removeValue(forKey: continuation) else { throw .expired }
            (version, items) = snapshot
        } else {
            items = (objects[path.kind.plural] ?? [:]).sorted { $0.key < $1.key }.map(\.value)
                .filter { Self.matches($0, path, name: name) }
        }
        guard items.count > limit else { return (items, version, nil) }
        tokens += 1
        snapshots["page-\(tokens)"] = (version, Array(items[limit...]))
        return (Array(items[..<limit]), version, "page-\(tokens)")
    }

    func get(_ path: ObjectPath) throws(Refusal) -> JSONValue {
        guard let object = objects[path.kind.plural]?["\(path.namespace ?? "")/\(path.name ?? "")"] else {
            throw .notFound
        }
        return object
    }

    /// Creates or replaces an object, which gets a new version. With `isNew` it must not exist. If it names a version, the
    /// existing object must have that version.
    @discardableResult
    mutating func put(_ object: JSONValue, kind: ObjectKind, isNew: Bool = false) throws(Refusal) -> JSONValue {
        let key = Self.key(object)
        let old = objects[kind.plural]?[key]
        if isNew, old != nil { throw Refusal(code: 409, reason: "AlreadyExists", message: "already exists") }
        if let wanted = object["metadata"]?["resourceVersion"]?.text,
            old?["metadata"]?["resourceVersion"]?.text != wanted
        {
            throw .conflict
        }
        version += 1
        var new = object.defaulted(kind: kind.kind)
        new["kind"] = .string(kind.kind)
        new["apiVersion"] = .string(kind.apiVersion)
        var metadata = new["metadata"] ?? [:]
        metadata["resourceVersion"] = .string("\(version)")
        metadata["uid"] = old?["metadata"]?["uid"] ?? .string("uid-\(version)")
        new["metadata"] = metadata
        objects[kind.plural, default: [:]][key] = new
        note(old == nil ? "ADDED" : "MODIFIED", kind, new)
        return new
    }

    /// Creates an object for a client.
    mutating func create(_ path: ObjectPath, _ object: JSONValue) throws(Refusal) -> JSONValue {
        try path.kind.schema.check(object)
        let names = [("kind", path.kind.kind), ("apiVersion", path.kind.apiVersion)]
        guard names.allSatisfy({ object[$0]?.text == $1 }),
            object["metadata"]?["namespace"].map({ $0.text == path.namespace }) ?? true
        else { throw Refusal(code: 400, reason: "BadRequest", message: "the object is not one of this path") }
        var object = object
        if let namespace = path.namespace { object["metadata"]?["namespace"] = .string(namespace) }
        // An Event is in the namespace of its object, or in `default`.
        if path.kind.kind == "Event",
            object["involvedObject"]?["namespace"].map({ $0 == "" ? "default" : $0 }) != .string(path.namespace ?? "")
        {
            throw Refusal(
                code: 422, reason: "Invalid", message: "involvedObject.namespace: does not match event.namespace")
        }
        return try put(object, kind: path.kind, isNew: true)
    }

    /// Applies a client's merge patch. As on a real server, `podCIDRs` of a Node that has any cannot be changed.
    mutating func patch(_ path: ObjectPath, _ patch: JSONValue) throws(Refusal) -> JSONValue {
        try path.kind.schema.check(patch)
        let old = try get(path)
        var wanted = patch["metadata"] ?? [:]
        let expected = wanted["resourceVersion"]
        if expected != nil, expected != old["metadata"]?["resourceVersion"] { throw .conflict }
        if let uid = wanted["uid"], uid != old["metadata"]?["uid"] { throw .conflict }
        wanted["resourceVersion"] = nil
        var patch = patch
        patch["metadata"] = wanted
        var new = old.merged(with: patch)
        // The subresource `status` changes the status alone, and the object itself everything but the status.
        if path.subresource == "status" {
            let status = new["status"]
            new = old
            new["status"] = status
        } else {
            new["status"] = old["status"]
        }
        if let ranges = old["spec"]?["podCIDRs"], path.kind.kind == "Node",
            new.defaulted(kind: "Node")["spec"]?["podCIDRs"] != ranges
        {
            throw Refusal(
                code: 422, reason: "Invalid",
                message:
                    "Node \"\(path.name ?? "")\" is invalid: spec.podCIDRs: Forbidden: node updates may not change "
                    + "podCIDR except from \"\" to valid")
        }
        return try put(new, kind: path.kind)
    }

    mutating func delete(_ path: ObjectPath) throws(Refusal) {
        var old = try get(path)
        version += 1
        var metadata = old["metadata"] ?? [:]
        metadata["resourceVersion"] = .string("\(version)")
        old["metadata"] = metadata
        objects[path.kind.plural]?[Self.key(old)] = nil
        note("DELETED", path.kind, old)
    }

    private mutating func note(_ type: String, _ kind: ObjectKind, _ object: JSONValue) {
        history.append(Change(version: version, plural: kind.plural, type: type, object: object))
    }
}
