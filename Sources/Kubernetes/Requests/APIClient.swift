public import Addressing
internal import AsyncHTTPClient
public import CoreMetrics
public import NIOCore
internal import NIOHTTP1
public import Timing

/// A client of one API server, over HTTP/1.1 and TLS. Every watch has its own connection, so that one that does not progress
/// delays nothing else. Everything runs on one event loop. Decoding the first list of a large cluster blocks it for a while, so
/// probes of the agent must be answered on another loop.
public final class APIClient: Sendable {
    /// The event loop on which everything of this client runs.
    public let loop: any EventLoop
    /// Where the description of the connection was first read, for messages.
    public let origin: String
    private let source: ConnectionSource
    /// The factory of the metrics of requests.
    let metrics: any MetricsFactory
    private let session: NIOLoopBoundBox<Session>
    /// The addresses of recent connections, the latest first. Used on the loop only.
    private let peers: NIOLoopBoundBox<[IPv6Address]>
    /// Called on the loop when ``serverAddresses`` have changed.
    private let serverAddressesChanged: @Sendable () -> Void

    /// The maximum number of ``peers``. A server name may have many addresses; the oldest are forgotten.
    private static let mostPeers = 16

    private struct Session {
        var connection: APIConnection
        var http: HTTPClient
        /// When the files of the connection were last read again; zero if never.
        var reloadedAt = Instant.zero
        /// The last token, used while its file cannot be read, for example because it is being replaced.
        var token: String?
        var isShutDown = false
    }

    /// Reads the description of the connection and does not connect yet. ``shutdown()`` must be called at the end.
    /// `serverAddressesChanged` is called on the loop when ``serverAddresses`` have changed.
    public init(
        _ source: ConnectionSource, on loop: any EventLoop, metrics: any MetricsFactory = MetricsSystem.factory,
        serverAddressesChanged: @escaping @Sendable () -> Void = {}
    ) throws(ConnectionProblem) {
        let connection = try source.load()
        self.loop = loop
        self.metrics = metrics
        origin = connection.origin
        self.source = source
        self.serverAddressesChanged = serverAddressesChanged
        let peers = NIOLoopBoundBox<[IPv6Address]>.makeBoxSendingValue([], eventLoop: loop)
        self.peers = peers
        let http = try connection.makeClient(on: loop) { Self.note($0, in: peers, serverAddressesChanged) }
        session = .makeBoxSendingValue(Session(connection: connection, http: http), eventLoop: loop)
    }

    /// The addresses by which the server is reached: the address in its URL, and those of recent connections. Empty while the
    /// URL has a name and there was no connection yet. Call it on the loop.
    public var serverAddresses: Set<IPv6Address> {
        Set(peers.value).union(session.value.connection.serverAddress.map { [$0] } ?? [])
    }

    /// Notes the address of a new connection.
    private static func note(
        _ peer: IPv6Address, in peers: NIOLoopBoundBox<[IPv6Address]>, _ serverAddressesChanged: @Sendable () -> Void
    ) {
        guard peers.value.first != peer else { return }
        let isNew = !peers.value.contains(peer)
        peers.value = [peer] + peers.value.filter { $0 != peer }.prefix(mostPeers - 1)
        if isNew { serverAddressesChanged() }
    }

    /// The server and the credentials in use.
    public var connection: EventLoopFuture<APIConnection> {
        loop.submit { [session] in session.value.connection }
    }

    /// Ends all requests and connections.
    public func shutdown() -> EventLoopFuture<Void> {
        loop.flatSubmit { [session] in
            session.value.isShutDown = true
            return session.value.http.shutdown()
        }
    }

    /// Starts a request. Call it on the loop. `receive` is called there too; an error that `receive` throws ends the request.
    func start(
        _ request: APIRequest, deadline: Duration, receive: @escaping @Sendable (ResponsePart) throws -> Void
    ) -> HTTPClient.Task<Void> {
        var headers: HTTPHeaders = ["Accept": "application/json", "User-Agent": "kubermesh"]
        if let type = request.contentType { headers.add(name: "Content-Type", value: type) }
        if let token = session.value.connection.token() ?? session.value.token {
            session.value.token = token
            headers.add(name: "Authorization", value: "Bearer \(token)")
        }
        let connection = session.value.connection
        // The base URL was checked, and what follows it is percent-encoded.
        let http = try! HTTPClient.Request(
            url: connection.requestBase + request.target, method: request.method, headers: headers,
            body: request.body.map { .byteBuffer(ByteBuffer(bytes: $0)) })
        return session.value.http.execute(
            request: http, delegate: ResponseReader(loop: loop, receive: receive),
            eventLoop: .delegateAndChannel(on: loop), deadline: .now() + .nanoseconds(deadline.nanoseconds))
    }

    /// Reads the files of the connection again if another address or other credentials may solve the failure; at most once a
    /// minute, because an outage makes many requests fail. Files that cannot be used change nothing. Call it on the loop.
    func reload(after failure: RequestFailure) {
        guard failure.mayNeedNewConnection, !session.value.isShutDown else { return }
        let now = Instant.now
        guard now - session.value.reloadedAt >= .seconds(60) || session.value.reloadedAt == .zero else { return }
        session.value.reloadedAt = now
        guard let connection = try? source.load(), connection != session.value.connection,
            let http = try? connection.makeClient(
                on: loop,
                opened: { [peers, serverAddressesChanged] in Self.note($0, in: peers, serverAddressesChanged) })
        else { return }
        session.value.http.shutdown().whenComplete { _ in }
        let isElsewhere = connection.server != session.value.connection.server
        session.value.connection = connection
        session.value.http = http
        session.value.token = nil
        if isElsewhere {
            peers.value = []
            serverAddressesChanged()
        }
    }

    /// Sends a request and collects the response, at most `limit` octets. The default limit is above the 1.5 MiB that etcd
    /// stores of an object by default. The default deadline is half of the 10 s after which the holder of a lease must give up
    /// leadership without a successful renewal (``LeaseElection/Times/renewal``), so that a renewal that times out can be tried
    /// again before that.
    func send(
        _ request: APIRequest, limit: Int = 2 << 20, deadline: Duration = .seconds(5)
    ) -> EventLoopFuture<ByteBuffer> {
        loop.flatSubmit { [self] in
            let answer = NIOLoopBoundBox(Answer(limit: limit), eventLoop: loop)
            let begun = Instant.now
            let task = start(request, deadline: deadline) { try answer.value.receive($0) }
            return task.futureResult.flatMapThrowing { [self] in
                let body = try answer.value.result()
                count(request, since: begun, nil)
                return body
            }.flatMapErrorThrowing { [self] error in
                let failure = RequestFailure(error)
                count(request, since: begun, failure)
                reload(after: failure)
                throw failure
            }
        }
    }
}

/// The variable parts of a request.
struct APIRequest: Sendable {
    /// The verb, as in Kubernetes roles.
    enum Verb: String { case get, list, watch, create, patch }

    var verb: Verb
    /// The plural of the kind of object.
    var resource: String
    var method = HTTPMethod.GET
    /// Path and query, percent-encoded.
    var target: String
    var contentType: String?
    var body: [UInt8]?
}

extension Instant {
    /// This moment on NIO's clock, which is monotonic.
    public static var now: Instant { Instant(nanoseconds: Int64(NIODeadline.now().uptimeNanoseconds)) }
}
