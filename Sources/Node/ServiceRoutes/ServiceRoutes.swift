internal import Addressing
internal import Timing

/// The service routes that the node wants (``FIBInstaller/setServiceRoutes(_:)``).
struct ServiceRoutes: Sendable {
    /// Each with the time since when it is wanted.
    private(set) var wanted: [IPv6Prefix: Instant] = [:]
    /// Whether something has changed that they depend on.
    private var mustReview = true

    /// Something has changed that they depend on.
    mutating func invalidate() { mustReview = true }

    /// Whether a review is due; the caller then does it.
    mutating func takeReview() -> Bool {
        defer { mustReview = false }
        return mustReview
    }

    /// Makes exactly these wanted. Returns what is new and what is not wanted any more, each in order.
    mutating func set(_ prefixes: Set<IPv6Prefix>, at now: Instant) -> (new: [IPv6Prefix], gone: [IPv6Prefix]) {
        let new = prefixes.filter { wanted[$0] == nil }.sorted()
        let gone = wanted.keys.filter { !prefixes.contains($0) }.sorted()
        for prefix in new { wanted[prefix] = now }
        for prefix in gone { wanted[prefix] = nil }
        return (new, gone)
    }
}
