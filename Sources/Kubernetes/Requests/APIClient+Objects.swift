public import Addressing
internal import FoundationEssentials
public import NIOCore
internal import NIOHTTP1
internal import Timing

// Requests for single objects and lists, as opposed to watches. All of them fail with a `RequestFailure`.
//
// Objects are changed by patches (RFC 7396) and never written back whole, because we decode only a part of their fields. A
// patch that names the version it is based on fails with a conflict if another client was faster, like a write of the whole
// object.
extension APIClient {
    /// Reads one object.
    public func get<Object: Resource>(_ type: Object.Type = Object.self, _ key: ObjectKey) -> EventLoopFuture<Object> {
        exchange(
            APIRequest(
                verb: .get, resource: type.plural,
                target: APIRequest.path(type, namespace: key.namespace, name: key.name)))
    }

    /// Reads all objects of a kind in pages; the result is not older than the request. Fails if there are more than
    /// `limits.objects`, or if a page without objects names another page, because such pages need never end.
    public func list<Object: Resource>(
        _ type: Object.Type = Object.self, limits: WatchLimits = WatchLimits()
    ) -> EventLoopFuture<[Object]> {
        list(type, limits, after: [], continuation: "")
    }

    /// Reads the page that `continuation` names, and all after it. `earlier` are the objects of the pages before.
    private func list<Object: Resource>(
        _ type: Object.Type, _ limits: WatchLimits, after earlier: [Object], continuation: String
    ) -> EventLoopFuture<[Object]> {
        let request = APIRequest.list(type, WatchScope(), limit: limits.pageSize, continuation: continuation)
        return send(request, limit: limits.pageOctets, deadline: limits.pageTime).flatMap { [self] body in
            guard let page = try? JSONDecoder().decode(ListPage<Object>.self, from: Data(body.readableBytesView)) else {
                return loop.makeFailedFuture(RequestFailure.unexpected("not a list of \(Object.plural)"))
            }
            let objects = earlier + page.items
            guard objects.count <= limits.objects else {
                return loop.makeFailedFuture(RequestFailure.tooLarge("\(objects.count) \(Object.plural)"))
            }
            guard !page.continuation.isEmpty else { return loop.makeSucceededFuture(objects) }
            guard !page.items.isEmpty else {
                return loop.makeFailedFuture(RequestFailure.unexpected("a list with too many pages"))
            }
            return list(type, limits, after: objects, continuation: page.continuation)
        }
    }

    /// Creates an object. Returns it as the server has stored it.
    public func create<Object: Resource>(_ type: Object.Type, _ body: some Encodable, namespace: String = "")
        -> EventLoopFuture<Object>
    {
        exchange(.create, APIRequest.path(type, namespace: namespace), .POST, body, contentType: "application/json")
    }

    /// Changes an object, or its `subresource` such as `status`, by a merge patch. With `resourceVersion`, fails with a
    /// conflict if the object has another version by now. Returns the object as the server has stored it.
    public func patch<Object: Resource>(
        _ type: Object.Type, _ key: ObjectKey, subresource: String? = nil, resourceVersion: String? = nil,
        _ patch: some Encodable
    ) -> EventLoopFuture<Object> {
        exchange(
            .patch, APIRequest.path(type, namespace: key.namespace, name: key.name, subresource: subresource), .PATCH,
            VersionedPatch(patch: patch, resourceVersion: resourceVersion), contentType: "application/merge-patch+json")
    }

    private func exchange<Object: Resource>(
        _ verb: APIRequest.Verb, _ target: String, _ method: HTTPMethod, _ body: some Encodable, contentType: String
    ) -> EventLoopFuture<Object> {
        do {
            let octets = Array(try JSONEncoder().encode(body))
            return exchange(
                APIRequest(
                    verb: verb, resource: Object.plural, method: method, target: target, contentType: contentType,
                    body: octets))
        } catch {
            return loop.makeFailedFuture(RequestFailure.unexpected("a request that is not JSON: \(error)"))
        }
    }

    private func exchange<Object: Resource>(_ request: APIRequest) -> EventLoopFuture<Object> {
        send(request).flatMapThrowing { body in
            do {
                return try JSONDecoder().decode(Kinded<Object>.self, from: Data(body.readableBytesView)).object
            } catch {
                throw RequestFailure.unexpected("not a \(Object.kind)")
            }
        }
    }
}

// The changes that the agent makes.
extension APIClient {
    /// Sets the pod ranges of a Node that has none. The API lets `spec.podCIDRs` be set once and refuses to change them, so no
    /// version is named: the kubelet changes it all the time. Fails with a conflict if the Node has another `uid`.
    public func offer(podCIDRs ranges: [IPv6Prefix], of key: ObjectKey, uid: String) -> EventLoopFuture<Node> {
        self.patch(Node.self, key, PodRangesPatch(uid: uid, ranges: ranges.map(\.description)))
    }

    /// Replaces all addresses and hostnames in the `status` of a service by `addresses`. Fails with a conflict if `service` is
    /// outdated.
    public func setIngress(_ addresses: [IPv6Address], of service: Service) -> EventLoopFuture<Service> {
        let patch = ["status": ["loadBalancer": ["ingress": addresses.map { ["ip": $0.description] }]]]
        return self.patch(
            Service.self, service.key, subresource: "status", resourceVersion: service.metadata.resourceVersion, patch)
    }

    public func create(_ event: NewEvent) -> EventLoopFuture<Event> {
        create(Event.self, event, namespace: event.namespace)
    }
}

private struct PodRangesPatch: Encodable {
    var metadata: [String: String]
    var spec: Specification

    struct Specification: Encodable {
        var podCIDR: String
        var podCIDRs: [String]
    }

    init(uid: String, ranges: [String]) {
        metadata = ["uid": uid]
        spec = Specification(podCIDR: ranges.first ?? "", podCIDRs: ranges)
    }
}

/// A merge patch, and the version it is based on.
private struct VersionedPatch<Patch: Encodable>: Encodable {
    private enum CodingKeys: CodingKey { case metadata }
    private enum MetadataKeys: CodingKey { case resourceVersion }

    var patch: Patch
    var resourceVersion: String?

    func encode(to encoder: any Encoder) throws {
        try patch.encode(to: encoder)
        guard let resourceVersion else { return }
        var fields = encoder.container(keyedBy: CodingKeys.self)
        var metadata = fields.nestedContainer(keyedBy: MetadataKeys.self, forKey: .metadata)
        try metadata.encode(resourceVersion, forKey: .resourceVersion)
    }
}

/// Decodes an object and checks its `kind`, which ``Resource`` types themselves ignore.
private struct Kinded<Object: Resource>: Decodable {
    private enum CodingKeys: CodingKey { case kind }

    var object: Object

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        guard try fields.decode(String.self, forKey: .kind) == Object.kind else {
            throw DecodingError.dataCorruptedError(
                forKey: .kind, in: fields, debugDescription: "is not a \(Object.kind)")
        }
        object = try Object(from: decoder)
    }
}
