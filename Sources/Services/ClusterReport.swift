public import Addressing

/// What is new of the cluster.
public struct ClusterReport: Sendable {
    /// How it stands now.
    public var view: ClusterView
    /// Addresses of which something else is wanted than before; `nil` is nothing.
    public var changes: [IPv6Address: ServiceDemand?]
    /// What people should be told.
    public var notices: [String]

    public init(view: ClusterView, changes: [IPv6Address: ServiceDemand?] = [:], notices: [String] = []) {
        self.view = view
        self.changes = changes
        self.notices = notices
    }

    /// Adds what was reported later.
    public mutating func append(_ later: ClusterReport) {
        view = later.view
        changes.merge(later.changes) { $1 }
        notices += later.notices
    }
}
