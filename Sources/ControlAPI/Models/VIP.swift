/// An address that this node shares with others.
public struct VIP: ListItem, Hashable {
    /// `VIPList`.
    public static let listKind = "VIPList"

    /// What the configuration calls it.
    public var name: String
    public var address: String
    /// How the service is.
    public var state: State
    /// Whether this node holds and announces the address now.
    public var announced: Bool
    /// What it is announced at: 0, or 65534 on a drained node, the last that is taken.
    public var metric: Int
    /// Seconds in this state.
    public var age: Double
    /// What is tried, as in `tcp [::1]:6443`; `nil` for a VIP without a check.
    public var check: String?
    /// Why the latest try failed, if it did.
    public var lastError: String?
    /// Seconds since the latest try.
    public var lastCheck: Double?
    /// Outcomes in a row that speak against the state; as many as `rise` or `fall` change it.
    public var streak: Int
    /// Tries so far.
    public var checks: Int
    /// Failed tries so far.
    public var failures: Int
    /// Who else announces the address now, by name or router ID.
    public var others: [String]

    public init(
        name: String, address: String, state: State, announced: Bool, metric: Int, age: Double, check: String?,
        lastError: String?,
        lastCheck: Double?, streak: Int, checks: Int, failures: Int, others: [String]
    ) {
        self.name = name
        self.address = address
        self.state = state
        self.announced = announced
        self.metric = metric
        self.age = age
        self.check = check
        self.lastError = lastError
        self.lastCheck = lastCheck
        self.streak = streak
        self.checks = checks
        self.failures = failures
        self.others = others
    }

    /// How the service behind a VIP is.
    public enum State: String, Codable, Sendable {
        /// No check is configured: always announced.
        case unchecked
        /// It is that of a service of the cluster, whose endpoints decide.
        case service
        /// It is that of a service whose endpoints come and go: the last that is taken, until they have stayed for a while.
        case flapping
        /// It is that of a service, and no endpoint wants it any more: it is withdrawn in a moment.
        case leaving
        /// Not tried yet.
        case unknown
        /// The check passes.
        case healthy
        /// The check fails.
        case unhealthy
        /// The checker has said nothing for too long.
        case stalled
    }
}
