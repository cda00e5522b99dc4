internal import Links
internal import Timing

/// What the kernel last said of routes of others that overlap the IPv4 pools. It is asked before a range is taken, and while
/// none can be, now and then: such routes come and go without a word.
struct PoolSurvey: Sendable {
    private var answer: (routes: [ForeignRoute], moment: Instant)?
    private var isAsked = false

    /// For so long an answer counts.
    private static let validity = Duration.seconds(30)

    /// The routes, if they are known.
    func routes(at now: Instant) -> [ForeignRoute]? {
        guard let answer, now < answer.moment + Self.validity else { return nil }
        return answer.routes
    }

    /// When what is known at `now` counts no more.
    func end(at now: Instant) -> Instant? {
        routes(at: now) == nil ? nil : answer.map { $0.moment + Self.validity }
    }

    /// Whether to ask now; whoever asks does so.
    mutating func ask(at now: Instant) -> Bool {
        guard routes(at: now) == nil, !isAsked else { return false }
        isAsked = true
        return true
    }

    mutating func take(_ routes: [ForeignRoute], at now: Instant) {
        answer = (routes, now)
        isAsked = false
    }
}
