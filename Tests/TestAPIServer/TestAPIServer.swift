public import ControlAPI
internal import NIOConcurrencyHelpers
public import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL

/// An API server for tests, over TLS: with lists in pages, watches, merge patches, tokens and permissions. It can also stall,
/// send nothing, close connections and send wrong responses.
public final class TestAPIServer: Sendable {
    /// How the server treats requests. By default everything is allowed and answered.
    public struct Behavior: Sendable {
        /// The tokens that it accepts; if empty, it accepts any request. Others get 401.
        public var tokens: Set<String> = []
        /// Whether all requests get 403, as from a server that has just started and has not read the roles yet.
        public var isStarting = false
        /// The kinds, in plural, to which all requests get 403.
        public var forbidden: Set<String> = []
        /// The kinds, in plural, that the server does not have, as an older version: all requests get 404.
        public var missing: Set<String> = []
        /// The kinds, in plural, or their subresources, for which all but GET gets 403, such as `leases` or `services/status`.
        public var unchangeable: Set<String> = []
        /// How many of the next requests get 429.
        public var throttled = 0
        /// The `Retry-After` of these responses, in seconds.
        public var retryAfter = 1
        /// Whether requests are received and never answered.
        public var isStalled = false
        /// Whether watches send no more changes, as when a machine in between fails and the connections stay open.
        public var sendsNoChanges = false
        /// Whether a watch from a version before the history gets an `ERROR` event in the stream, or else status 410.
        public var expiresInStream = true
        /// Sent as the answer to every request; `nil` for right answers.
        public var wrongResponse: WrongResponse?

        /// Everything is allowed and answered.
        public init() {}
    }

    /// A wrong response.
    public enum WrongResponse: Sendable {
        /// Status 200 with this content type and this body.
        case body(type: String, text: String)
        /// Status 200 and JSON of about so many octets that is never complete.
        case endless(octets: Int)
        /// 100,000 headers.
        case manyHeaders
        /// The connection is closed without a response.
        case closeConnections
    }

    /// Shared with the threads of the connections. `watches` and `connections` are by channel.
    private struct State {
        var cluster = ClusterState()
        var behavior = Behavior()
        var watches: [ObjectIdentifier: Watch] = [:]
        var connections: [ObjectIdentifier: any Channel] = [:]
        var requests: [String] = []
        var lastToken: String?
    }

    private let group: any EventLoopGroup
    private let channel: any Channel
    private let state: NIOLockedValueBox<State>

    /// The port it listens on.
    public let port: Int

    /// Listens on an address, with `server.pem` and `server.key` of `certificates`; port 0 stands for any free port. With
    /// `backup`, it has these objects, as after a restart: all earlier versions are too old for it.
    public static func start(
        on host: String = "::1", port: Int = 0, certificates: TestCertificates, group: any EventLoopGroup,
        with backup: Backup? = nil, behavior: Behavior = Behavior()
    ) async throws -> TestAPIServer {
        var state = State(behavior: behavior)
        if let backup {
            state.cluster = backup.cluster
            state.cluster.restart()
        }
        return try await start(certificates, group, state) { $0.bind(host: host, port: port) }.get()
    }

    /// Listens on a bound socket, which may be of another network namespace.
    public static func start(
        onSocket socket: CInt, certificates: TestCertificates, group: any EventLoopGroup
    ) throws -> TestAPIServer {
        try start(certificates, group, State()) { $0.withBoundSocket(socket) }.wait()
    }

    private static func start(
        _ certificates: TestCertificates, _ group: any EventLoopGroup, _ initial: State,
        bind: (ServerBootstrap) -> EventLoopFuture<any Channel>
    ) throws -> EventLoopFuture<TestAPIServer> {
        let tls = try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: NIOSSLCertificate.fromPEMFile(certificates.path("server.pem")).map {
                    .certificate($0)
                },
                privateKey: .privateKey(NIOSSLPrivateKey(file: certificates.path("server.key"), format: .pem))))
        let state = NIOLockedValueBox(initial)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { child in
                state.withLockedValue { $0.connections[ObjectIdentifier(child)] = child }
                child.closeFuture.whenComplete { _ in
                    state.withLockedValue {
                        $0.connections[ObjectIdentifier(child)] = nil
                        $0.watches[ObjectIdentifier(child)] = nil
                    }
                }
                return child.eventLoop.makeCompletedFuture {
                    let pipeline = child.pipeline.syncOperations
                    try pipeline.addHandler(NIOSSLServerHandler(context: tls))
                    try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false)
                    try pipeline.addHandler(RequestCollector { Self.answer($0, state) })
                }
            }
        return bind(bootstrap).map { TestAPIServer(group: group, channel: $0, state: state) }
    }

    private init(group: any EventLoopGroup, channel: any Channel, state: NIOLockedValueBox<State>) {
        self.group = group
        self.channel = channel
        self.state = state
        port = channel.localAddress?.port ?? 0
    }

    /// Stops listening and closes all connections.
    public func stop() async throws { try await close().get() }

    /// Stops listening and closes all connections.
    public func close() -> EventLoopFuture<Void> { channel.close().always { _ in self.closeConnections() } }
}

// What tests call.
extension TestAPIServer {
    /// Changes how the server treats requests from now on.
    public func changeBehavior(_ change: @Sendable (inout Behavior) -> Void) {
        state.withLockedValue { change(&$0.behavior) }
    }

    /// Creates or replaces an object, given as in a manifest, without any check of permissions.
    public func apply(_ object: JSONValue) throws {
        guard let kind = ObjectKind.all.first(where: { $0.kind == object["kind"]?.text }) else {
            throw Refusal.notFound
        }
        try change { cluster throws(Refusal) in _ = try cluster.put(object, kind: kind) }
    }

    /// Changes what a kubelet changes in a Node every few seconds: only a time in its `status`, and so its version.
    public func heartbeat(of name: String) throws {
        try change { cluster throws(Refusal) in
            var node = try cluster.get(ObjectPath("/api/v1/nodes/\(name)")!)
            node["status"]?["lastHeartbeat"] = .integer(cluster.version)
            node["metadata"]?["resourceVersion"] = nil
            try cluster.put(node, kind: ObjectKind.all[0])
        }
    }

    /// Deletes the object at a path like `/api/v1/nodes/a`.
    public func delete(_ path: String) throws {
        guard let path = ObjectPath(path) else { throw Refusal.notFound }
        try change { cluster throws(Refusal) in try cluster.delete(path) }
    }

    /// The object at a path; `nil` if there is none.
    public func object(_ path: String) -> JSONValue? {
        ObjectPath(path).flatMap { path in state.withLockedValue { try? $0.cluster.get(path) } }
    }

    /// All objects at a path like `/api/v1/events`.
    public func objects(_ path: String) -> [JSONValue] {
        guard let path = ObjectPath(path) else { return [] }
        return state.withLockedValue {
            (try? $0.cluster.list(path, name: nil, limit: .max, continuation: nil).items) ?? []
        }
    }

    /// The changes of the objects of a kind, oldest first, since the last ``compact()``. A `DELETED` object is given as it was,
    /// with the version of the deletion.
    public func changes(of plural: String) -> [(type: String, object: JSONValue)] {
        state.withLockedValue { $0.cluster.history.filter { $0.plural == plural }.map { ($0.type, $0.object) } }
    }

    /// Forgets the history and all continue tokens, so that watches from earlier versions and further pages
    /// get 410.
    public func compact() { state.withLockedValue { $0.cluster.compact() } }

    /// Forgets all continue tokens.
    public func expireContinuations() { state.withLockedValue { $0.cluster.expireContinuations() } }

    /// Sends all watches a bookmark with the current version.
    public func bookmark() {
        for (watch, version) in state.withLockedValue({ state in
            state.watches.values.map { ($0, state.cluster.version) }
        }) {
            watch.bookmark(version)
        }
    }

    /// Sends all watches of a kind a text as it is.
    public func sendRaw(_ text: String, toWatchesOf plural: String) {
        for watch in state.withLockedValue({ Array($0.watches.values) }) where watch.path.kind.plural == plural {
            watch.send(ByteBuffer(string: text))
        }
    }

    /// Ends the responses of all watches.
    public func endWatches() {
        for watch in state.withLockedValue({ Array($0.watches.values) }) { watch.end() }
    }

    /// Closes all connections.
    public func closeConnections() {
        for connection in state.withLockedValue({ Array($0.connections.values) }) { connection.close(promise: nil) }
    }

    /// All objects and versions at one moment.
    public struct Backup: Sendable { fileprivate let cluster: ClusterState }

    /// A backup for ``restore(_:)``.
    public func backup() -> Backup { Backup(cluster: state.withLockedValue { $0.cluster }) }

    /// Restores all objects and versions, as an administrator does with a backup of etcd, and closes all connections, unless
    /// there is something in between that keeps them. The history is empty then.
    public func restore(_ backup: Backup, closesConnections: Bool = true) {
        state.withLockedValue {
            $0.cluster = backup.cluster
            $0.cluster.compact()
        }
        if closesConnections { closeConnections() }
    }

    /// The number of open watches of a kind.
    public func watches(of plural: String) -> Int {
        state.withLockedValue { $0.watches.values.count { $0.path.kind.plural == plural } }
    }

    /// All requests so far, like `GET /api/v1/nodes?limit=500`.
    public var requests: [String] { state.withLockedValue { $0.requests } }

    /// The token of the last request; `nil` if it had none.
    public var lastToken: String? { state.withLockedValue { $0.lastToken } }

    private func change(_ body: (inout ClusterState) throws(Refusal) -> Void) throws {
        try Self.change(state) { cluster throws(Refusal) in try body(&cluster) }
    }

    /// Changes the cluster and sends the changes to the watches, in order.
    private static func change<Result>(
        _ state: NIOLockedValueBox<State>, _ body: (inout ClusterState) throws(Refusal) -> Result
    ) throws -> Result {
        try state.withLockedValue { state in
            let before = state.cluster.history.count
            let result = try body(&state.cluster)
            guard !state.behavior.sendsNoChanges else { return result }
            for change in state.cluster.history[before...] {
                for watch in state.watches.values { watch.send(change) }
            }
            return result
        }
    }
}

// What clients request.
extension TestAPIServer {
    private static func answer(_ request: Request, _ state: NIOLockedValueBox<State>) {
        let behavior = state.withLockedValue { state in
            state.requests.append("\(request.method) \(request.target)")
            state.lastToken = request.token
            defer { if state.behavior.throttled > 0 { state.behavior.throttled -= 1 } }
            return state.behavior
        }
        if behavior.isStalled { return }
        if let wrongResponse = behavior.wrongResponse { return request.send(wrongResponse) }
        do {
            try check(request, behavior)
            guard let path = ObjectPath(request.path) else { throw Refusal.notFound }
            if request.query["watch"] == "true" { return try watch(request, path, state, behavior) }
            let (code, json) = try serve(request, path, state)
            request.answer(code, json)
        } catch let refusal as Refusal {
            request.answer(
                refusal.code, refusal.json,
                headers: refusal.code == 429 ? ["Retry-After": "\(behavior.retryAfter)"] : [:])
        } catch {
            request.answer(500, Refusal(code: 500, reason: "InternalError", message: "\(error)").json)
        }
    }

    private static func check(_ request: Request, _ behavior: Behavior) throws(Refusal) {
        if behavior.throttled > 0 { throw Refusal(code: 429, reason: "TooManyRequests", message: "too many requests") }
        guard behavior.tokens.isEmpty || request.token.map(behavior.tokens.contains) ?? false else {
            throw Refusal(code: 401, reason: "Unauthorized", message: "Unauthorized")
        }
        guard let path = ObjectPath(request.path) else { return }
        let plural = path.kind.plural
        if behavior.missing.contains(plural) { throw .notFound }
        let whole = path.subresource.map { "\(plural)/\($0)" } ?? plural
        if behavior.isStarting || behavior.forbidden.contains(plural)
            || request.method != .GET && behavior.unchangeable.contains(whole)
        {
            throw Refusal(
                code: 403, reason: "Forbidden",
                message: "\(whole) is forbidden: User \"test\" cannot \(request.method == .GET ? "list" : "change")")
        }
    }

    private static func serve(
        _ request: Request, _ path: ObjectPath, _ state: NIOLockedValueBox<State>
    ) throws -> (Int, JSONValue) {
        switch (request.method, path.name) {
        case (.GET, nil):
            let limit = request.query["limit"].flatMap { Int($0) } ?? .max
            let page = try state.withLockedValue {
                try $0.cluster.list(
                    path, name: request.selectedName, limit: limit, continuation: request.query["continue"])
            }
            var metadata: JSONValue = ["resourceVersion": .string("\(page.version)")]
            if let token = page.continuation { metadata["continue"] = .string(token) }
            return (
                200,
                [
                    "kind": .string(path.kind.kind + "List"), "apiVersion": .string(path.kind.apiVersion),
                    "metadata": metadata,
                    // A real server leaves these out in the items of a list.
                    "items": .array(
                        page.items.map { item in
                            var item = item
                            item["kind"] = nil
                            item["apiVersion"] = nil
                            return item
                        }),
                ]
            )
        case (.GET, _?): return (200, try state.withLockedValue { try $0.cluster.get(path) })
        case (.POST, nil):
            let body = try request.json
            return (201, try change(state) { cluster throws(Refusal) in try cluster.create(path, body) })
        case (.PATCH, _?) where request.contentType == "application/merge-patch+json":
            let body = try request.json
            return (200, try change(state) { cluster throws(Refusal) in try cluster.patch(path, body) })
        default: throw Refusal(code: 405, reason: "MethodNotAllowed", message: "\(request.method) \(request.target)")
        }
    }

    private static func watch(
        _ request: Request, _ path: ObjectPath, _ state: NIOLockedValueBox<State>, _ behavior: Behavior
    ) throws {
        let from = request.query["resourceVersion"].flatMap { Int($0) } ?? 0
        try state.withLockedValue { state in
            let isExpired = from < state.cluster.compacted
            if isExpired, !behavior.expiresInStream { throw Refusal.expired }
            let watch = Watch(channel: request.channel, path: path, name: request.selectedName, after: from)
            watch.begin(forSeconds: request.query["timeoutSeconds"].flatMap { Int64($0) } ?? 300)
            if isExpired {
                watch.send(["type": "ERROR", "object": Refusal.expired.json])
                return watch.end()
            }
            if !behavior.sendsNoChanges {
                for change in state.cluster.history { watch.send(change) }
            }
            state.watches[ObjectIdentifier(request.channel)] = watch
        }
    }
}
