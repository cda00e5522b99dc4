/// A VIP of the configuration, or a service address.
public struct VIP: ListItem, Hashable {
    /// `VIPList`.
    public static let listKind = "VIPList"

    /// The name in the configuration, or the services that have the address, as `namespace/name` separated by commas.
    public var name: String
    public var address: String
    /// The state of the service behind the address.
    public var state: State
    /// Whether this node announces the address.
    public var announced: Bool
    /// The metric with which it is announced, or would be: 0, or 65534 as last resort.
    public var metric: Int
    /// Seconds in this state, where `unhealthy` after `stalled` counts as the same state; for a service address, since it
    /// became or stopped being a last resort, or was first wanted.
    public var age: Double
    /// The check, as in `tcp [::1]:6443`; `nil` without one.
    public var check: String?
    /// Why the last check failed or, if it did not, why the address cannot be put on `lo`; `nil` if neither is so.
    public var lastError: String?
    /// Seconds since the last check; `nil` if there was none.
    public var lastCheck: Double?
    /// Check results in a row that contradict the current state; `rise` or `fall` of them change it. 0 for a service address.
    public var streak: Int
    /// Check results since the VIP was configured or last changed; 0 for a service address.
    public var checks: Int
    /// How many of the ``checks`` failed.
    public var failures: Int
    /// Other announcers of the address, by name or router ID.
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

    /// The state of the service behind a VIP or service address. Of the VIPs with a check, only `healthy` ones are announced.
    public enum State: String, Codable, Sendable {
        /// A VIP without a check: announced while it is on `lo`.
        case unchecked
        /// A service address that a service wants here; the service's endpoints decide whether as last resort.
        case service
        /// A service address whose endpoints come and go: last resort until they are stable.
        case flapping
        /// A service address that no service wants here any more: last resort, and withdrawn within seconds.
        case leaving
        /// Not checked yet.
        case unknown
        /// The check passes.
        case healthy
        /// The check fails.
        case unhealthy
        /// No result of the check has come for too long.
        case stalled
    }
}
