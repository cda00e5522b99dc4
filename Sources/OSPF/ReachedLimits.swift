public import Timing

/// The limits that were reached, each with the last time at which something was refused because of it.
struct ReachedLimits: Sendable {
    private var lastRefusals: [Notice.Limit: Instant] = [:]

    /// The time after the last refusal for which a limit counts as reached. An LSA that a full database refuses is
    /// acknowledged, so it is received and refused again only when it is refreshed, after 1800 s (RFC 2328 §B, LSRefreshTime);
    /// the rest is a margin. What the other limits refuse is refused again with the next hello or calculation.
    private static func lifetime(of limit: Notice.Limit) -> Duration {
        limit == .database ? .seconds(2000) : .seconds(60)
    }

    /// Something was refused. Returns whether the limit did not count as reached before.
    mutating func refuse(_ limit: Notice.Limit, at now: Instant) -> Bool {
        let wasReached = isReached(limit, at: now)
        lastRefusals[limit] = now
        return !wasReached
    }

    /// Marks a limit as no longer reached.
    mutating func end(_ limit: Notice.Limit) { lastRefusals[limit] = nil }

    /// Whether something was refused because of `limit` recently.
    func isReached(_ limit: Notice.Limit, at now: Instant) -> Bool {
        lastRefusals[limit].map { now - $0 < Self.lifetime(of: limit) } ?? false
    }
}

extension Router {
    /// Records that something was refused because of `limit`. Sends a notice unless the limit counts as reached already.
    mutating func refuse(because limit: Notice.Limit, at now: Instant) {
        if limits.refuse(limit, at: now) { notify(.limitReached(limit)) }
    }

    /// The limits that are reached now.
    public func reachedLimits(at now: Instant) -> [Notice.Limit] {
        Notice.Limit.allCases.filter { limit in
            limits.isReached(limit, at: now) || limit == .prefixes && calculation.prefixes.hasRefused
        }
    }
}
