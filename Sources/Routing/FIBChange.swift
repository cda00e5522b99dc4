public import Addressing

/// Where a route points.
public enum RouteTarget: Hashable, Sendable {
    /// To a next-hop group.
    case group(NextHopID)
    /// To next hops of its own, in order; for kernels without next-hop objects.
    case nextHops([NextHop])
}

/// One change of the kernel's state. Each states whether it creates or replaces, so that it fails exactly when the
/// kernel differs from the model, and never touches what others made.
public enum FIBChange: Hashable, Sendable {
    /// Make a single next-hop object.
    case addNextHop(NextHopID, NextHop)
    /// Make a group of next-hop objects, in order.
    case addGroup(NextHopID, [NextHopID])
    /// Give a group other members. All routes that point to it follow at once.
    case replaceGroup(NextHopID, [NextHopID])
    /// Make a route.
    case addRoute(IPv6Prefix, RouteTarget)
    /// Point a route of ours somewhere else.
    case replaceRoute(IPv6Prefix, RouteTarget)
    /// Remove a route of ours.
    case removeRoute(IPv6Prefix)
    /// Remove a group, and with it all routes that point to it.
    case removeGroup(NextHopID)
    /// Remove a single next-hop object.
    case removeNextHop(NextHopID)
}

/// Why the kernel did not take a change.
public struct FIBFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// What a failure shows about the kernel.
    public enum Reason: String, Hashable, Sendable {
        /// The link of a next hop is down, without carrier or gone.
        case linkUnusable
        /// The object or route exists already.
        case exists
        /// The object or route to replace or remove does not exist.
        case missing
        /// The change makes no sense to the kernel; mostly because something it refers to does not exist.
        case invalid
        /// The bound of ``FIB/Configuration/maximumRoutes`` or the range of next-hop IDs is used up.
        case limit
        /// Something else.
        case refused
    }

    /// What it shows about the kernel.
    public var reason: Reason
    /// The error number; 0 where the failure is not the kernel's.
    public var code: Int32
    /// The kernel's words.
    public var message: String

    public init(_ reason: Reason, code: Int32 = 0, message: String) {
        self.reason = reason
        self.code = code
        self.message = message
    }

    /// The kernel's words.
    public var description: String { message }
}
