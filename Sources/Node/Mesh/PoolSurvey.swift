internal import Links
internal import Timing

/// The routes of other programs that overlap the IPv4 pools, as last read from the kernel. They are read before the node
/// assigns itself a range, and again while it cannot, because the kernel's notifications of such routes are not followed.
struct PoolSurvey: Sendable {
    /// The last answer; its routes are `nil` if they could not be read.
    private var answer: (routes: [ForeignRoute]?, moment: Instant)?
    /// Whether the answer to a request is outstanding.
    private var isAsked = false

    /// How long an answer is valid, and so how often the routes are read while the node cannot assign itself a range.
    private static let validity = Duration.seconds(30)

    private func isValid(at now: Instant) -> Bool { answer.map { now < $0.moment + Self.validity } ?? false }

    /// The routes, if they are known.
    func routes(at now: Instant) -> [ForeignRoute]? { isValid(at: now) ? answer?.routes : nil }

    /// When the answer that is valid at `now` expires.
    func end(at now: Instant) -> Instant? { isValid(at: now) ? answer.map { $0.moment + Self.validity } : nil }

    /// Whether to read the routes now. The caller does that.
    mutating func ask(at now: Instant) -> Bool {
        guard !isValid(at: now), !isAsked else { return false }
        isAsked = true
        return true
    }

    /// Records the answer.
    mutating func record(_ routes: [ForeignRoute]?, at now: Instant) {
        answer = (routes, now)
        isAsked = false
    }
}
