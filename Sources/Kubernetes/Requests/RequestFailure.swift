/// Why a request failed.
public enum RequestFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The server answered with another status than 2xx, or ended a watch with an error.
    case refused(Status)
    /// No response, or an incomplete one.
    case unreachable(String)
    /// The response is not one of an API server.
    case unexpected(String)
    /// The response is larger than the limit.
    case tooLarge(String)

    /// Whether the object was changed in between, or exists already.
    public var isConflict: Bool { code == 409 }
    /// Whether the object, or the kind of object, does not exist.
    public var isNotFound: Bool { code == 404 }
    /// Whether the credentials do not allow the request.
    public var isForbidden: Bool { code == 403 }
    /// Whether the requested version is too old.
    var isExpired: Bool {
        guard case .refused(let status) = self else { return false }
        return status.code == 410 || status.reason == "Expired" || status.reason == "Gone"
    }
    /// Whether the server has not reached the requested version, for example because it was restored from a backup. The API
    /// has no reason of its own for this: the status is that of a timeout.
    var isVersionTooNew: Bool {
        guard case .refused(let status) = self else { return false }
        return status.code == 504 && status.message.contains("Too large resource version")
    }

    /// The HTTP status of ``refused(_:)``, 0 if a watch ended with an error without one; `nil` for the other cases.
    public var code: Int? { if case .refused(let status) = self { status.code } else { nil } }

    /// Whether another address or other credentials might help: also after 404 and responses that are not those of the API,
    /// because another server may have the old address now.
    var mayNeedNewConnection: Bool {
        switch kind {
        case .unreachable, .unauthorized, .forbidden, .notFound, .unexpected: true
        case .conflict, .expired, .throttled, .serverError, .refused, .tooLarge: false
        }
    }

    /// How long the server asks to wait (`Retry-After` or `retryAfterSeconds`), at most an hour; zero if it does not.
    public var retryAfter: Duration {
        guard case .refused(let status) = self else { return .zero }
        return .seconds(min(max(status.retryAfterSeconds, 0), 3600))
    }

    /// The kind of failure: for counters, and to log an outage once.
    public var kind: Kind {
        switch self {
        case .refused(let status):
            switch status.code {
            case 401: .unauthorized
            case 403: .forbidden
            case 404: .notFound
            case 409: .conflict
            case 410: .expired
            case 429: .throttled
            case 500...: .serverError
            default: isExpired ? .expired : .refused
            }
        case .unreachable: .unreachable
        case .unexpected: .unexpected
        case .tooLarge: .tooLarge
        }
    }

    /// Kinds of failures.
    public enum Kind: String, CaseIterable, Hashable, Sendable {
        /// No response, or an incomplete one.
        case unreachable
        /// 401
        case unauthorized
        /// 403
        case forbidden
        /// 404
        case notFound = "not_found"
        /// 409
        case conflict
        /// 410, or any other status that is not listed here, with the reason `Expired` or `Gone`
        case expired
        /// 429
        case throttled
        /// 5xx
        case serverError = "server_error"
        /// Any other status.
        case refused
        /// Not a response of an API server.
        case unexpected = "unexpected_response"
        /// The response is too large.
        case tooLarge = "too_large"
    }

    /// The reason, and what may help.
    public var description: String {
        switch self {
        case .refused(let status):
            "the API server refused the request (\(status.code)"
                + "\(status.reason.isEmpty ? "" : " \(status.reason)"))\(status.message.isEmpty ? "" : ": \(status.message)")"
                + advice
        case .unreachable(let reason): "no answer from the API server: \(reason)"
        case .unexpected(let what): "unexpected response: \(what); is this an API server?"
        case .tooLarge(let what): "the response of the API server is too large: \(what)"
        }
    }

    private var advice: String {
        switch code {
        case 401: " (the token or certificate is not accepted)"
        case 403: " (a ClusterRole must allow it)"
        default: ""
        }
    }
}
