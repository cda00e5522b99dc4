/// What came of one try of a service.
public enum CheckOutcome: Hashable, Sendable {
    /// It worked.
    case success
    /// It did not, and why.
    case failure(String)
}

/// What a node believes of a service, and how shaken that belief is. The first outcome decides at once, so that a node
/// that starts does not wait; from then on it takes `rise` successes or `fall` failures in a row to change the mind.
public enum Health: Hashable, Sendable {
    /// Not tried yet.
    case unknown
    /// It works; the latest so many tries did not.
    case healthy(failures: Int)
    /// It does not work; the latest so many tries did.
    case unhealthy(successes: Int)
    /// Nothing has been heard of its checker for longer than an outcome lasts.
    case stalled

    /// Whether the service counts as working.
    public var isHealthy: Bool { if case .healthy = self { true } else { false } }

    /// Outcomes in a row that speak against the belief.
    public var streak: Int {
        switch self {
        case .healthy(let count), .unhealthy(let count): count
        case .unknown, .stalled: 0
        }
    }

    /// Takes an outcome in.
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
