internal import Links
internal import Timing

/// The routes of other programs that overlap the IPv4 pools, as last read from the kernel. They are read before the node
/// assigns itself a range, and again while it cannot, because the kernel's notifications of such routes are not followed.
struct PoolSurvey: Sendable {
    /// The last outcome; its routes are `nil` if they could not be read.
    private var outcome: (routes: [ForeignRoute]?, moment: Instant)?
    /// Whether the routes are being read.
    private var isReading = false

    /// How long an outcome is valid, and so how often the routes are read while the node cannot assign itself a range.
    private static let validity = Duration.seconds(30)

    private func isValid(at now: Instant) -> Bool { outcome.map { now < $0.moment + Self.validity } ?? false }

    /// The routes; `nil` if there is no valid outcome, or they could not be read.
    func routes(at now: Instant) -> [ForeignRoute]? { isValid(at: now) ? outcome?.routes : nil }

    /// When the outcome that is valid at `now` expires; `nil` if none is.
    func end(at now: Instant) -> Instant? { isValid(at: now) ? outcome.map { $0.moment + Self.validity } : nil }

    /// Whether to read the routes now. The caller does that.
    mutating func ask(at now: Instant) -> Bool {
        guard !isValid(at: now), !isReading else { return false }
        isReading = true
        return true
    }

    /// Records the outcome; `nil` if the routes could not be read.
    mutating func record(_ routes: [ForeignRoute]?, at now: Instant) {
        outcome = (routes, now)
        isReading = false
    }
}
