/// A Status: the response of the API server to a request that it refuses, or the error with which it ends a watch.
public struct Status: Hashable, Sendable, Decodable {
    /// The HTTP status; 0 if missing.
    public var code: Int
    /// The reason, for programs: `Expired`, `Conflict`, `Forbidden`, …; its first 40 characters, as it goes into log lines.
    public var reason: String
    /// The message, for people; its first 300 characters.
    public var message: String
    /// The seconds to wait before a retry; 0 if missing.
    public var retryAfterSeconds: Int

    private enum CodingKeys: CodingKey { case kind, code, reason, message, details }
    private enum DetailKeys: CodingKey { case retryAfterSeconds }

    public init(code: Int, reason: String = "", message: String = "", retryAfterSeconds: Int = 0) {
        self.code = code
        self.reason = reason
        self.message = message
        self.retryAfterSeconds = retryAfterSeconds
    }

    /// Decodes a Status; an object of another kind is rejected.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        guard try fields.value(.kind, else: "") == "Status" else {
            throw DecodingError.dataCorruptedError(forKey: .kind, in: fields, debugDescription: "is not a Status")
        }
        code = try fields.value(.code, else: 0)
        reason = String(try fields.value(.reason, else: "").prefix(40))
        message = String(try fields.value(.message, else: "").prefix(300))
        retryAfterSeconds = try fields.fields(.details, DetailKeys.self)?.value(.retryAfterSeconds, else: 0) ?? 0
    }
}
