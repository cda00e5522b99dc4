/// The outcome of a check.
public enum CheckOutcome: Hashable, Sendable {
    case success
    /// The check failed, and why.
    case failure(String)
}

/// The health of a service. The first outcome decides at once, so that a node that starts does not wait; from then on `rise`
/// successes or `fall` failures in a row change it. After the checker has stalled, one failure makes the service unhealthy, and
/// `rise` successes make it healthy.
public enum Health: Hashable, Sendable {
    /// Not checked yet.
    case unknown
    /// It works; this many of the last checks in a row have failed, fewer than `fall`.
    case healthy(failures: Int)
    /// It does not work; this many of the last checks in a row have passed, fewer than `rise`.
    case unhealthy(successes: Int)
    /// The checker has not reported for longer than an outcome is valid.
    case stalled

    /// Whether the service works.
    public var isHealthy: Bool { if case .healthy = self { true } else { false } }

    /// The number of consecutive outcomes that contradict the current state.
    public var streak: Int {
        switch self {
        case .healthy(let count), .unhealthy(let count): count
        case .unknown, .stalled: 0
        }
    }

    /// Records an outcome.
    public mutating func record(_ outcome: CheckOutcome, rise: Int, fall: Int) {
        switch (self, outcome) {
        case (.unknown, .success), (.healthy, .success): self = .healthy(failures: 0)
        case (.unknown, .failure), (.unhealthy, .failure): self = .unhealthy(successes: 0)
        case (.healthy(let failures), .failure):
            self = failures + 1 >= fall ? .unhealthy(successes: 0) : .healthy(failures: failures + 1)
        case (.unhealthy(let successes), .success):
            self = successes + 1 >= rise ? .healthy(failures: 0) : .unhealthy(successes: successes + 1)
        case (.stalled, .success): self = rise <= 1 ? .healthy(failures: 0) : .unhealthy(successes: 1)
        case (.stalled, .failure): self = .unhealthy(successes: 0)
        }
    }
}
