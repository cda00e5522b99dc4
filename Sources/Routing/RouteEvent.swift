public import Addressing

/// A change of our routes or next-hop objects that we did not make.
public enum RouteEvent: Hashable, Sendable {
    /// Another process removed or replaced a route of ours.
    case routeDeleted(IPv6Prefix)
    /// The kernel removed a route of ours because its next hop was removed.
    case routeLost(IPv6Prefix)
    /// A route of another process with our metric was removed, so that a route of ours that was refused may succeed
    /// now.
    case foreignRouteRemoved(IPv6Prefix)
    /// Another process removed or changed a next-hop object of ours, under any protocol number, or made one with our
    /// protocol number or an ID in our range.
    case nextHopsChanged
    /// The kernel dropped notifications.
    case overflow
}
