public import Addressing

/// What others did to our routes in the kernel, or the kernel by itself.
public enum RouteEvent: Hashable, Sendable {
    /// Somebody removed a route of ours, or put one of theirs in its place.
    case routeDeleted(IPv6Prefix)
    /// The kernel removed a route of ours because what it pointed to is gone.
    case routeLost(IPv6Prefix)
    /// Somebody removed or changed a next-hop object of ours, or made one in our name.
    case nextHopsChanged
    /// The kernel dropped notifications.
    case overflow
}
