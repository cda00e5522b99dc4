internal import AsyncHTTPClient
internal import FoundationEssentials
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Timing

internal import struct Linux.SystemError

/// A part of a response, in the order of arrival.
enum ResponsePart {
    case head(HTTPResponseHead)
    case body(ByteBuffer)
}

/// Passes on the parts of one response.
final class ResponseReader: HTTPClientResponseDelegate {
    private let loop: any EventLoop
    private let receive: @Sendable (ResponsePart) throws -> Void

    init(loop: any EventLoop, receive: @escaping @Sendable (ResponsePart) throws -> Void) {
        self.loop = loop
        self.receive = receive
    }

    func didReceiveHead(task: HTTPClient.Task<Void>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        hand(.head(head))
    }

    func didReceiveBodyPart(task: HTTPClient.Task<Void>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
        hand(.body(buffer))
    }

    func didFinishRequest(task: HTTPClient.Task<Void>) {}

    private func hand(_ part: ResponsePart) -> EventLoopFuture<Void> {
        do {
            try receive(part)
            return loop.makeSucceededVoidFuture()
        } catch {
            return loop.makeFailedFuture(error)
        }
    }
}

/// A response that is collected as a whole, within a limit.
struct Answer {
    /// The limit for the body of an error, in octets: a Status is much smaller, and what a proxy answers is not needed.
    private static let refusalLimit = 64 << 10

    /// The maximum size of the body, in octets.
    private var limit: Int
    private(set) var head: HTTPResponseHead?
    private var body = ByteBuffer()

    init(limit: Int) { self.limit = limit }

    /// Appends a part.
    mutating func receive(_ part: ResponsePart) throws(RequestFailure) {
        switch part {
        case .head(let head):
            self.head = head
            if !isAccepted { limit = min(limit, Self.refusalLimit) }
            guard (head.headers.first(name: "Content-Length").flatMap { Int($0) } ?? 0) <= limit else {
                throw excess
            }
        case .body(let piece):
            guard body.readableBytes + piece.readableBytes <= limit else { throw excess }
            body.writeImmutableBuffer(piece)
        }
    }

    /// An error status counts even if its body is incomplete or too large.
    private var excess: RequestFailure { isAccepted ? .tooLarge("a response of more than \(limit) octets") : refusal }

    /// Whether the status is 2xx.
    var isAccepted: Bool { head.map { (200..<300).contains($0.status.code) } ?? false }

    /// The body of a successful response.
    func result() throws(RequestFailure) -> ByteBuffer {
        guard let head else { throw .unreachable("the connection closed before a response") }
        guard isAccepted else { throw refusal }
        try Self.check(head)
        return body
    }

    /// Checks that a 2xx response is JSON, as those of the API are.
    static func check(_ head: HTTPResponseHead) throws(RequestFailure) {
        let type = head.headers.first(name: "Content-Type") ?? "nothing"
        guard type.hasPrefix("application/json") else { throw .unexpected("\(type.prefix(60)) instead of JSON") }
    }

    /// The failure for a response without a 2xx status: the Status in its body or, if there is none, its status line.
    private var refusal: RequestFailure {
        guard let head else { return .unreachable("the connection closed before a response") }
        var status =
            (try? JSONDecoder().decode(Status.self, from: Data(body.readableBytesView)))
            ?? Status(code: 0, reason: String(head.status.reasonPhrase.prefix(40)))
        status.code = Int(head.status.code)
        if let seconds = head.headers.first(name: "Retry-After").flatMap({ Int($0) }) {
            status.retryAfterSeconds = max(status.retryAfterSeconds, seconds)
        }
        return .refused(status)
    }
}

extension RequestFailure {
    /// Translates an error of the HTTP client.
    init(_ error: any Error) {
        switch error {
        case let failure as RequestFailure: self = failure
        case HTTPParserError.invalidEOFState: self = .unreachable("the connection broke off")
        case let error as HTTPParserError: self = .unexpected("not HTTP (\(error))")
        case let error where Self.tlsReason(error) != nil: self = .unreachable(Self.tlsReason(error)!)
        case let error as IOError: self = .unreachable(SystemError.message(for: error.errnoCode))
        case let error as NIOConnectionError
        where error.connectionErrors.first.map { $0.error is IOError || Self.tlsReason($0.error) != nil } ?? false:
            self.init(error.connectionErrors[0].error)
        case let error as HTTPClientError where error == .deadlineExceeded: self = .unreachable("the request timed out")
        case let error as HTTPClientError: self = .unreachable(error.shortDescription)
        case is DecodingError: self = .unexpected("JSON without the expected fields")
        default: self = .unreachable(String(String(describing: error).prefix(200)))
        }
    }
}
