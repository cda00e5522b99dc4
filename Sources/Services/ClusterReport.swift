public import Addressing

/// The changes of the cluster since an earlier report.
public struct ClusterReport: Sendable {
    /// The current view of the cluster.
    public var view: ClusterView
    /// Addresses whose demand has changed; `nil` means no demand.
    public var changes: [IPv6Address: ServiceDemand?]
    /// Log lines.
    public var notices: [String]

    public init(view: ClusterView, changes: [IPv6Address: ServiceDemand?] = [:], notices: [String] = []) {
        self.view = view
        self.changes = changes
        self.notices = notices
    }

    /// Merges a later report.
    public mutating func append(_ later: ClusterReport) {
        view = later.view
        changes.merge(later.changes) { $1 }
        notices += later.notices
    }
}
