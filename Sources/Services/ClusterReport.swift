public import Addressing

/// The state of the cluster, and what has changed since the last report.
public struct ClusterReport: Sendable {
    /// The current view of the cluster.
    public var view: ClusterView
    /// Addresses whose demand has changed; `nil` means no demand.
    public var changes: [IPv6Address: ServiceDemand?]
    /// Lines for the log.
    public var notices: [String]

    public init(view: ClusterView, changes: [IPv6Address: ServiceDemand?] = [:], notices: [String] = []) {
        self.view = view
        self.changes = changes
        self.notices = notices
    }

    /// Merges the next report into this one, which has not been fetched yet.
    public mutating func append(_ later: ClusterReport) {
        view = later.view
        changes.merge(later.changes) { $1 }
        notices += later.notices
    }
}
