public import Addressing

/// A change of the kernel's routes or next-hop objects that we did not make and that may concern ours, or the loss of
/// notifications. IPv4 prefixes are in their IPv4-mapped form. Events about routes concern only our table and our metric.
public enum RouteEvent: Hashable, Sendable {
    /// Another program removed our route, or replaced a route to this prefix that may have been ours: the notification does
    /// not describe the replaced route, so ``FIB/routeDeleted(_:)`` decides by the model.
    case routeDeleted(IPv6Prefix)
    /// The kernel itself removed our route, because its next hops are gone, for example with their interface.
    case routeLost(IPv6Prefix)
    /// Another program removed or replaced our service route (``FIB/setServiceRoutes(_:)``).
    case serviceRouteDeleted(IPv6Prefix)
    /// The kernel itself removed our service route, because `lo` is down or the route's source address is gone.
    case serviceRouteLost(IPv6Prefix)
    /// A route of another program was removed. It may have been the reason why our route to the prefix was refused.
    case foreignRouteRemoved(IPv6Prefix)
    /// Another program removed or changed a next-hop object of ours, or made or removed one that looks like ours: with our
    /// protocol number, or with an ID in our range and any protocol number.
    case nextHopsChanged
    /// The kernel dropped notifications, because they were not read fast enough.
    case overflow
}
