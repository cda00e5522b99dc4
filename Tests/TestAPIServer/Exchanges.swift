internal import ControlAPI
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOHTTP1

/// A complete request.
struct Request: Sendable {
    var channel: any Channel
    var method: HTTPMethod
    var target: String
    var token: String?
    var contentType: String?
    var body: [UInt8]

    var path: String { String(target.prefix { $0 != "?" }) }

    var query: [String: String] {
        var query: [String: String] = [:]
        for field in target.drop(while: { $0 != "?" }).dropFirst().split(separator: "&") {
            let parts = field.split(separator: "=", maxSplits: 1).map { Self.decoded($0) }
            if parts.count == 2 { query[parts[0]] = parts[1] }
        }
        return query
    }

    /// The name in a field selector `metadata.name=NAME`, which is the only kind of selector; `nil` without one.
    var selectedName: String? {
        query["fieldSelector"].flatMap { $0.hasPrefix("metadata.name=") ? String($0.dropFirst(14)) : nil }
    }

    var json: JSONValue {
        get throws {
            do {
                return try JSON.decode(JSONValue.self, from: body)
            } catch {
                throw Refusal(code: 400, reason: "BadRequest", message: "no JSON")
            }
        }
    }

    private static func decoded(_ text: Substring) -> String {
        var octets: [UInt8] = []
        var rest = text.utf8[...]
        while let octet = rest.popFirst() {
            if octet == UInt8(ascii: "%"), let value = UInt8(String(Substring(rest.prefix(2))), radix: 16) {
                octets.append(value)
                rest = rest.dropFirst(2)
            } else {
                octets.append(octet)
            }
        }
        return String(decoding: octets, as: UTF8.self)
    }

    func answer(_ code: Int, _ json: JSONValue, headers: [String: String] = [:]) {
        let body = (try? JSON.encode(json)) ?? []
        send(code, type: "application/json", body: ByteBuffer(bytes: body), length: body.count, headers: headers)
        channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
    }

    /// Sends the head and the beginning of the body; without a length, the body is chunked.
    private func send(
        _ code: Int, type: String, body: ByteBuffer, length: Int?, headers: [String: String] = [:]
    ) {
        var head = HTTPResponseHead(version: .http1_1, status: HTTPResponseStatus(statusCode: code))
        head.headers.add(name: "Content-Type", value: type)
        for (name, value) in headers { head.headers.add(name: name, value: value) }
        if let length { head.headers.add(name: "Content-Length", value: "\(length)") }
        channel.write(HTTPServerResponsePart.head(head), promise: nil)
        channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(body)), promise: nil)
    }

    /// Sends a wrong response.
    func send(_ wrongResponse: TestAPIServer.WrongResponse) {
        switch wrongResponse {
        case .closeConnections: channel.close(promise: nil)
        case .body(let type, let text):
            send(200, type: type, body: ByteBuffer(string: text), length: text.utf8.count)
            channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
        case .endless(let octets):
            send(200, type: "application/json", body: ByteBuffer(string: #"{"kind":""#), length: nil)
            sendRepeatedly(ByteBuffer(repeating: UInt8(ascii: "x"), count: 1 << 16), times: octets >> 16)
        case .manyHeaders:
            var head = HTTPResponseHead(version: .http1_1, status: .ok)
            for number in 0..<100_000 { head.headers.add(name: "X-\(number)", value: "for ever and ever") }
            channel.writeAndFlush(HTTPServerResponsePart.head(head), promise: nil)
        }
    }

    /// Sends pieces one after the other, so that no more is buffered than the client has read.
    private func sendRepeatedly(_ piece: ByteBuffer, times: Int) {
        guard times > 0, channel.isActive else { return }
        channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(piece))).whenSuccess {
            sendRepeatedly(piece, times: times - 1)
        }
    }
}

/// An open watch.
final class Watch: Sendable {
    let path: ObjectPath
    private let channel: any Channel
    private let name: String?
    /// The version that it was requested from. The server may not have reached it: then nothing is sent before it has.
    private let version: Int
    private let ended = NIOLockedValueBox(false)

    init(channel: any Channel, path: ObjectPath, name: String?, after version: Int) {
        self.channel = channel
        self.path = path
        self.name = name
        self.version = version
    }

    /// Whether the response is complete.
    var isEnded: Bool { ended.withLockedValue { $0 } }

    /// Sends the head. The watch ends after this time.
    func begin(forSeconds seconds: Int64) {
        var head = HTTPResponseHead(version: .http1_1, status: .ok)
        head.headers.add(name: "Content-Type", value: "application/json")
        channel.writeAndFlush(HTTPServerResponsePart.head(head), promise: nil)
        let timeout = channel.eventLoop.scheduleTask(in: .seconds(seconds)) { [self] in end() }
        channel.closeFuture.whenComplete { _ in timeout.cancel() }
    }

    /// Sends a bookmark.
    func bookmark(_ version: Int) {
        guard version > self.version else { return }
        send([
            "type": "BOOKMARK",
            "object": [
                "kind": .string(path.kind.kind), "apiVersion": .string(path.kind.apiVersion),
                "metadata": ["resourceVersion": .string("\(version)")],
            ],
        ])
    }

    /// Sends a change if it is of the watched kind, namespace and name.
    func send(_ change: ClusterState.Change) {
        guard change.version > version, change.plural == path.kind.plural,
            ClusterState.matches(change.object, path, name: name)
        else { return }
        send(["type": .string(change.type), "object": change.object])
    }

    func send(_ event: JSONValue) { send(ByteBuffer(bytes: (try? JSON.encode(event)) ?? [])) }

    func send(_ octets: ByteBuffer) {
        ended.withLockedValue { ended in
            if !ended { channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(octets)), promise: nil) }
        }
    }

    func end() {
        ended.withLockedValue { ended in
            if !ended { channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil) }
            ended = true
        }
    }
}

/// Collects the parts of one request at a time, and answers it.
final class RequestCollector: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    private let answer: @Sendable (Request) -> Void
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []

    init(answer: @escaping @Sendable (Request) -> Void) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = []
        case .body(let piece): body += piece.readableBytesView
        case .end:
            guard let head else { return }
            let bearer = head.headers.first(name: "Authorization") ?? ""
            answer(
                Request(
                    channel: context.channel, method: head.method, target: head.uri,
                    token: bearer.hasPrefix("Bearer ") ? String(bearer.dropFirst(7)) : nil,
                    contentType: head.headers.first(name: "Content-Type"), body: body))
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
