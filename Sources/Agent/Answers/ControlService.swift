internal import Addressing
internal import ControlAPI
internal import NIOHTTP1
internal import Node
internal import OSPF
internal import OSPFPacket
internal import PrometheusMetrics
internal import Timing

/// Answers requests over the control socket and over TCP. Only the control socket, which has file permissions, accepts commands
/// and shows the state of a drain.
struct ControlService: Sendable {
    /// Takes a snapshot.
    let snapshot: @Sendable () async -> AgentSnapshot
    /// Makes the node a stub router, or ends that.
    let setStubRouter: @Sendable (Bool) async -> Void
    /// Drains the node, or ends the drain.
    let setDrained: @Sendable (Bool) async -> Void
    /// Counts transit packets.
    let transit = TransitCounter()
    /// What is counted outside of the routing thread (swift-metrics).
    let registry: PrometheusRegistry
    /// The executor that makes answers. It makes one at a time, because they may be large.
    let answers: EventLoopTaskExecutor
    /// Whether the routing thread handles events.
    let isAlive: @Sendable () async -> Bool

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        let parts = request.target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = parts.first.map(String.init) ?? "/"
        guard let query = Query(parts.count > 1 ? String(parts[1]) : "") else {
            return .error(.badRequest, "the query is malformed")
        }
        do {
            switch request.method {
            case .GET, .HEAD:
                if let answer = await probe(path) { return answer }
                return try await withTaskExecutorPreference(answers) { try await get(path, query, request) }
            case .POST: return try await post(path, request)
            default: throw Refusal(.methodNotAllowed, "only GET and POST are supported")
            }
        } catch let refusal as Refusal {
            return .error(refusal.status, refusal.message, hint: refusal.hint)
        } catch {
            return .error(.internalServerError, "\(error)")
        }
    }

    /// The paths that accept GET over both sockets. `/v1/drain` is not among them: only the control socket has it.
    private static let readable = [
        "/v1/status", "/v1/neighbors", "/v1/interfaces", "/v1/routes", "/v1/nodes", "/v1/lsdb", "/v1/vips", "/v1/auth",
        "/v1/snapshot", "/v1/events", "/metrics", "/livez", "/readyz",
    ]

    /// A snapshot with storage of its own, so that the routing thread copies nothing however long the snapshot is used.
    private func detachedSnapshot() async -> AgentSnapshot {
        var snapshot = await snapshot()
        snapshot.detach()
        return snapshot
    }

    /// Answers a probe; `nil` for other paths. Probes do not wait for the executor of ``answers``, so they are answered in time
    /// however much else is requested.
    private func probe(_ path: String) async -> HTTPResponse? {
        switch path {
        case "/livez":
            return await isAlive()
                ? .text(.ok, "ok\n") : .text(.serviceUnavailable, "the routing thread does not run\n")
        case "/readyz":
            let reasons = await snapshot().notReady
            return reasons.isEmpty
                ? .text(.ok, "ok\n") : .text(.serviceUnavailable, reasons.map { $0 + "\n" }.joined())
        default: return nil
        }
    }

    private func get(_ path: String, _ query: Query, _ request: HTTPRequest) async throws -> HTTPResponse {
        switch path {
        case "/metrics":
            return HTTPResponse(
                status: .ok, contentType: "text/plain; version=0.0.4; charset=utf-8",
                body: Array(await detachedSnapshot().metrics(links: LinkCounters.read(), registry: registry).utf8))
        case "/v1/status":
            let snapshot = await detachedSnapshot()
            return try .json(StatusDocument(node: snapshot.node.name, time: Timestamp.now, status: snapshot.status))
        case "/v1/neighbors": return try await list { $0.neighborList }
        case "/v1/interfaces":
            let showsAll = query["all"] == "true"
            return try await list {
                $0.interfaceList + $0.unusedInterfaceList(all: showsAll)
            }
        case "/v1/nodes": return try await list { $0.nodeList }
        case "/v1/auth": return try await list { $0.authenticationList }
        case "/v1/vips": return try await list { $0.vipList }
        case "/v1/routes": return try await routes(query)
        case "/v1/lsdb": return try await database(query)
        case "/v1/events": return try await list { $0.events.events }
        case "/v1/snapshot": return try await .json(detachedSnapshot().document)
        case "/v1/drain":
            guard request.isPrivileged else { throw Refusal.needsPrivilege }
            return try await .json(drainState())
        case "/v1/stub-router":
            throw Refusal(
                .methodNotAllowed, "use POST", hint: "for example {\"enabled\": true}; /v1/status has the state"
            )
        default: throw unknown(path)
        }
    }

    private func post(_ path: String, _ request: HTTPRequest) async throws -> HTTPResponse {
        guard ["/v1/stub-router", "/v1/drain"].contains(path) else {
            if Self.readable.contains(path) { throw Refusal(.methodNotAllowed, "use GET") }
            throw unknown(path)
        }
        guard request.isPrivileged else { throw Refusal.needsPrivilege }
        if path == "/v1/drain" { return try await drain(body(of: request)) }
        let body = try body(of: request) as StubRouterRequest
        await setStubRouter(body.enabled)
        return try .json(body)
    }

    private func body<Body: Decodable>(of request: HTTPRequest) throws -> Body {
        do {
            return try JSON.decode(Body.self, from: request.body)
        } catch {
            throw Refusal(.badRequest, "the body is not valid", hint: "for example {\"enabled\": true}")
        }
    }

    /// Drains the node or ends that. Without `force`, refuses to cut off nodes that others reach through this one only.
    private func drain(_ request: DrainRequest) async throws -> HTTPResponse {
        if request.enabled, request.force != true {
            let snapshot = await detachedSnapshot()
            let names = (snapshot.router?.routersSeparatedWithoutThis ?? []).map(snapshot.label(of:))
            guard snapshot.isDrained || names.isEmpty else {
                let list = names.prefix(10).joined(separator: ", ") + (names.count > 10 ? ", …" : "")
                throw Refusal(
                    .conflict, "not drained: others reach \(list) through this node only",
                    hint: "plug in another cable first, or drain with --force and cut them off")
            }
        }
        await setDrained(request.enabled)
        // The cluster or a stop may still drain the node after the operator has ended the drain.
        if await !snapshot().isDrained { await transit.end() }
        return try .json(request)
    }

    /// The answer to `GET /v1/drain`. While the node is drained, it has the number of transit packets, or why they cannot be
    /// counted.
    private func drainState() async -> DrainDocument {
        let snapshot = await detachedSnapshot()
        var document = DrainDocument(
            node: snapshot.node.name, drained: snapshot.isDrained, reasons: snapshot.node.drainReasons.names,
            transitPackets: nil,
            problem: nil)
        guard snapshot.isDrained else { return document }
        do {
            document.transitPackets = try await transit.packets(between: snapshot.interfaces.activePorts)
        } catch {
            document.problem = error.description
        }
        return document
    }

    private func list<Item: ListItem>(_ items: (AgentSnapshot) throws -> [Item]) async throws -> HTTPResponse {
        let snapshot = await detachedSnapshot()
        return try .json(ListDocument(node: snapshot.node.name, time: Timestamp.now, items: try items(snapshot)))
    }

    private func routes(_ query: Query) async throws -> HTTPResponse {
        let family = query["family"]
        guard [nil, "ipv4", "ipv6"].contains(family) else {
            throw Refusal(.badRequest, "there is no address family \(family ?? "")", hint: "ipv4 or ipv6")
        }
        guard let text = query["prefix"] else {
            return try await list { $0.routeList.filter { family == nil || $0.family == family } }
        }
        guard let target = RouteTargetQuery(text) else {
            throw Refusal(
                .badRequest, "\(text) is neither a prefix nor an address",
                hint: "for example 2001:db8::/64, 2001:db8::1 or 192.0.2.1")
        }
        return try await list { snapshot in
            if let route = snapshot.explainedRoute(to: target) { return [route] }
            throw Refusal(
                .notFound, "there is no route to \(text)",
                hint: snapshot.isOwn(target) ? "this node announces it itself" : nil)
        }
    }

    private func database(_ query: Query) async throws -> HTTPResponse {
        var type: LSAType?
        if let text = query["type"] {
            type = LSAType(name: text)
            if type == nil {
                throw Refusal(
                    .badRequest, "there is no LSA type \(text)",
                    hint: LSAType.names.map(\.key).joined(separator: " ") + ", or a number as in 0x2001")
            }
        }
        return try await list { $0.lsaList(of: type, withDetail: query["detail"] == "true") }
    }

    private func unknown(_ path: String) -> Refusal {
        Refusal(
            .notFound, "there is nothing at \(path)",
            hint: Self.readable.joined(separator: " ")
                + ", on the control socket also /v1/drain, and POST to /v1/stub-router and /v1/drain"
        )
    }
}

/// Why a request is refused.
private struct Refusal: Error {
    var status: HTTPResponseStatus
    var message: String
    var hint: String?

    init(_ status: HTTPResponseStatus, _ message: String, hint: String? = nil) {
        self.status = status
        self.message = message
        self.hint = hint
    }

    static let needsPrivilege = Refusal(
        .methodNotAllowed, "this socket is read-only", hint: "use the control socket")
}

/// The query of a URL.
struct Query {
    private var values: [String: String] = [:]

    /// Parses `a=1&b=2`, with `%xx` for any octet; the last value of a name counts. `nil` if it is malformed.
    init?(_ text: String) {
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decoded(parts[0]), let value = Self.decoded(parts.count > 1 ? parts[1] : "") else {
                return nil
            }
            values[name] = value
        }
    }

    subscript(name: String) -> String? { values[name] }

    private static func decoded(_ text: Substring) -> String? {
        var octets: [UInt8] = []
        var rest = text.utf8
        while let octet = rest.popFirst() {
            guard octet == UInt8(ascii: "%") else {
                octets.append(octet)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                return nil
            }
            octets.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: octets, as: UTF8.self)
    }
}

extension HTTPResponse {
    fileprivate static func json(_ value: some Encodable) throws -> HTTPResponse {
        HTTPResponse(status: .ok, body: try JSON.encode(value))
    }

    fileprivate static func text(_ status: HTTPResponseStatus, _ text: String) -> HTTPResponse {
        HTTPResponse(status: status, contentType: "text/plain; charset=utf-8", body: Array(text.utf8))
    }

    fileprivate static func error(_ status: HTTPResponseStatus, _ message: String, hint: String? = nil) -> HTTPResponse
    {
        let document = ErrorDocument(status: Int(status.code), message: message, hint: hint)
        return HTTPResponse(status: status, body: (try? JSON.encode(document)) ?? [])
    }
}
