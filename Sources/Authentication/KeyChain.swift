/// The keys that a router knows, in the order in which they are preferred for sending.
public struct KeyChain: Hashable, Sendable {
    /// The keys; their identifiers differ.
    public let keys: [AuthenticationKey]

    /// The maximum number of keys.
    public static let mostKeys = 64

    /// No keys: nothing is authenticated.
    public init() { keys = [] }

    public init(_ keys: [AuthenticationKey]) {
        precondition(keys.count <= Self.mostKeys && Set(keys.map(\.id)).count == keys.count)
        self.keys = keys
    }

    public var isEmpty: Bool { keys.isEmpty }

    /// Whether a key has times, so that a clock is needed.
    public var hasTimes: Bool { keys.contains { $0.sending != .init() || $0.acceptance != .init() } }

    /// Whether which key to send with depends on the clock.
    var needsClockForSending: Bool { keys.count > 1 && keys.contains { $0.sending != .init() } }

    /// The key to send with, and whether it is valid. Of the valid ones it is the one whose time began last, and of those that began at the
    /// same time the first. If the last one is no longer valid, it stays in use (RFC 7166 §3: packets are never sent without). `second`
    /// is `nil` if the clock is not set: then it is the key whose time begins first, on which all nodes without a clock agree.
    func keyForSending(at second: Int64?) -> (key: AuthenticationKey, isValid: Bool)? {
        guard let second else {
            return Self.best(keys) { ($0.sending.from ?? .min) < ($1.sending.from ?? .min) }.map { ($0, true) }
        }
        if let key = newest(of: keys.filter { $0.sending.contains(second) }) { return (key, true) }
        return Self.best(keys) { ($0.sending.until ?? .max) > ($1.sending.until ?? .max) }.map { ($0, false) }
    }

    /// The first of the keys with these identifiers whose time began last.
    func newest(of ids: [UInt16]) -> AuthenticationKey? { newest(of: keys.filter { ids.contains($0.id) }) }

    private func newest(of keys: [AuthenticationKey]) -> AuthenticationKey? {
        Self.best(keys) { ($0.sending.from ?? .min) > ($1.sending.from ?? .min) }
    }

    /// The first of the keys than which no other is better.
    private static func best(
        _ keys: [AuthenticationKey], _ isBetter: (AuthenticationKey, AuthenticationKey) -> Bool
    ) -> AuthenticationKey? {
        var best: AuthenticationKey?
        for key in keys where best.map({ isBetter(key, $0) }) ?? true { best = key }
        return best
    }

    /// When the next key begins or ceases to be used or accepted; `nil` if none does.
    func nextChange(after second: Int64) -> Int64? {
        keys.flatMap { [$0.sending.from, $0.sending.until, $0.acceptance.from, $0.acceptance.until] }
            .compactMap(\.self).filter { $0 > second }.min()
    }
}

/// Whether packets must be authentic.
public enum AuthenticationPolicy: String, Hashable, Sendable {
    /// They are sent without a trailer, and trailers are ignored.
    case off
    /// They are sent with a trailer, and accepted without; for the time in which not all routers have the key.
    case optional
    /// They are sent with a trailer, and accepted only with a valid one.
    case required
}
