import Addressing
import OSPFPacket
internal import Timing

/// A neighbor that was Full and restarts the adjacency is usually a new process, while the kernel there forwards as before.
/// The link with it is held: it stays in our router-LSA and in use for a short time, in which the two routers synchronize, so
/// that no other router notices. Flooding and everything else depend on the neighbor's actual state.
extension Router {
    /// The maximum time for which a link is held: a new process needs milliseconds. RFC 2328 §12.4 allows to delay the
    /// origination of a change for 5 s.
    static let linkHold = Duration.seconds(1)

    /// Holds the link with a neighbor that leaves Full, if it is point-to-point and the neighbor announces it too: a neighbor
    /// that stops has flushed its LSAs before, and one that no longer receives our hellos has removed the link.
    mutating func holdLink(_ neighbor: NeighborKey, at now: Instant) {
        guard !interfaces[neighbor.interface].isBroadcast,
            isAdvertisedLink(neighbor.router, interfaces[neighbor].interfaceID, on: neighbor.interface)
        else { return }
        interfaces[neighbor].heldUntil = now + Self.linkHold
    }

    /// Whether the router-LSAs of a router have a point-to-point link from its interface `interfaceID` to our `interface`.
    func isAdvertisedLink(_ router: RouterID, _ interfaceID: UInt32, on interface: UInt32) -> Bool {
        calculation.pointToPointLinks(of: router).contains {
            $0.interfaceID == interfaceID && $0.neighborInterfaceID == interface && $0.neighborRouterID == routerID
        }
    }

    /// Stops holding the link, if it is held: its time is over, or the neighbor has another interface ID.
    mutating func releaseLink(_ neighbor: NeighborKey, at now: Instant) {
        interfaces[neighbor].heldUntil = nil
        origination.interfacesChanged()
        topologyChanged(at: now)
    }
}
