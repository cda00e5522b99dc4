/// Why a request came to nothing.
public enum RequestFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The server said no.
    case refused(Status)
    /// There was no answer, or it broke off.
    case unreachable(String)
    /// What came is no answer.
    case rubbish(String)
    /// What came, or would have come, is larger than anything that is taken.
    case tooLarge(String)

    /// Somebody else changed the object in between, or made it first.
    public var isConflict: Bool { code == 409 }
    /// There is no such object.
    public var isNotFound: Bool { code == 404 }
    /// It is not allowed.
    public var isForbidden: Bool { code == 403 }
    /// What was asked about is too long ago.
    var isExpired: Bool {
        guard case .refused(let status) = self else { return false }
        return status.code == 410 || status.reason == "Expired" || status.reason == "Gone"
    }
    /// The version asked about is one the server has not reached: it was set back, say from a backup.
    var isOfTheFuture: Bool {
        guard case .refused(let status) = self else { return false }
        return status.code == 504 && status.message.contains("Too large resource version")
    }

    /// The HTTP status, if the server gave one.
    public var code: Int? { if case .refused(let status) = self { status.code } else { nil } }

    /// Whether another address or other credentials might mend it.
    var isOfTheConnection: Bool {
        switch kind {
        case .unreachable, .unauthorized, .forbidden, .notFound, .rubbish: true
        case .conflict, .expired, .throttled, .serverError, .refused, .tooLarge: false
        }
    }

    /// How long the server wants to be left alone.
    public var retryAfter: Duration {
        guard case .refused(let status) = self else { return .zero }
        return .seconds(min(max(status.retryAfterSeconds, 0), 3600))
    }

    /// The kind of failure, of few: for counters, and for telling one outage once.
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
        case .rubbish: .rubbish
        case .tooLarge: .tooLarge
        }
    }

    /// Kinds of failures.
    public enum Kind: String, CaseIterable, Hashable, Sendable {
        /// No answer.
        case unreachable
        /// 401
        case unauthorized
        /// 403
        case forbidden
        /// 404
        case notFound = "not_found"
        /// 409
        case conflict
        /// 410, or the reason `Expired`
        case expired
        /// 429
        case throttled
        /// 5xx
        case serverError = "server_error"
        /// Any other status.
        case refused
        /// What came is no answer.
        case rubbish
        /// What came is too large.
        case tooLarge = "too_large"
    }

    /// For people.
    public var description: String {
        switch self {
        case .refused(let status):
            "the API server refuses (\(status.code)"
                + "\(status.reason.isEmpty ? "" : " \(status.reason)"))\(status.message.isEmpty ? "" : ": \(status.message)")"
                + advice
        case .unreachable(let reason): "no answer from the API server: \(reason)"
        case .rubbish(let what): "the API server answers rubbish: \(what); is it one?"
        case .tooLarge(let what): "the API server sends too much: \(what)"
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
