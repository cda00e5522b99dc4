public import Addressing

/// The target of a route.
public enum RouteTarget: Hashable, Sendable {
    /// A next-hop group.
    case group(NextHopID)
    /// Next hops of its own, in order; for kernels without next-hop objects.
    case nextHops([NextHop])
}

/// One change of the kernel's state. Each change specifies whether it creates, replaces or removes, so that it fails if the
/// kernel differs from the model, instead of changing what others made. IPv4 prefixes are in their IPv4-mapped form.
public enum FIBChange: Hashable, Sendable {
    /// Make a single next-hop object.
    case addNextHop(NextHopID, NextHop)
    /// Make a group of next-hop objects.
    case addGroup(NextHopID, NextHopGroup)
    /// Replace the members of a group by those of one of the same kind. All routes that point to it follow at once.
    case replaceGroup(NextHopID, NextHopGroup)
    /// Make a route.
    case addRoute(IPv6Prefix, RouteTarget)
    /// Write a route of ours again, with this target.
    case replaceRoute(IPv6Prefix, RouteTarget)
    /// Remove a route of ours.
    case removeRoute(IPv6Prefix)
    /// Make a service route (``FIB/setServiceRoutes(_:)``).
    case addServiceRoute(IPv6Prefix)
    /// Write a service route again.
    case replaceServiceRoute(IPv6Prefix)
    /// Remove a service route.
    case removeServiceRoute(IPv6Prefix)
    /// Remove a group, and with it all routes that point to it.
    case removeGroup(NextHopID)
    /// Remove a single next-hop object.
    case removeNextHop(NextHopID)
}

/// Why a change was refused: by the kernel, or because of a limit of the ``FIB``.
public struct FIBFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The cause of a failure, as far as the error shows it.
    public enum Reason: String, Hashable, Sendable {
        /// The link of a next hop is down, without carrier or gone.
        case linkUnusable
        /// The object or route exists already.
        case exists
        /// The object or route to replace or remove does not exist.
        case missing
        /// The kernel rejects the arguments of the change, usually because something it refers to does not exist.
        case invalid
        /// ``FIB/Configuration/maximumRoutes`` is reached, or the range of next-hop IDs is used up.
        case limit
        /// Something else.
        case refused
    }

    /// The cause of the failure.
    public var reason: Reason
    /// The kernel's error number (`errno`, positive); 0 if the kernel did not refuse the change.
    public var code: Int32
    /// The error message, of the kernel or of the ``FIB``.
    public var message: String

    public init(_ reason: Reason, code: Int32 = 0, message: String) {
        self.reason = reason
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
