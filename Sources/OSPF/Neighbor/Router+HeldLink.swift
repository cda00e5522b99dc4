import Addressing
import OSPFPacket
internal import Timing

/// A neighbor that was full and restarts the adjacency usually runs a new process, while its kernel forwards as before.
/// The link with it stays in the router-LSA and in use for a short time, in which the two routers synchronize, so that
/// no other router notices. Everything else depends on the neighbor's actual state.
extension Router {
    /// The maximum time for which a link is held. RFC 2328 §12.4 allows 5 s before a change is originated.
    static let linkHold = Duration.seconds(1)

    /// Called when a neighbor leaves Full. Only a point-to-point link is held, and only while the neighbor announces it
    /// too. A neighbor that stopped has flushed its LSAs, and one that no longer receives our hellos has removed the
    /// link.
    mutating func holdLink(_ neighbor: NeighborKey, at now: Instant) {
        guard !interfaces[neighbor.interface].isBroadcast,
            isAdvertisedLink(neighbor.router, interfaces[neighbor].interfaceID, on: neighbor.interface)
        else { return }
        interfaces[neighbor].heldUntil = now + Self.linkHold
    }

    /// Whether a router announces a link with an interface of ours.
    func isAdvertisedLink(_ router: RouterID, _ interfaceID: UInt32, on interface: UInt32) -> Bool {
        calculation.pointToPointLinks(of: router).contains {
            $0.interfaceID == interfaceID && $0.neighborInterfaceID == interface && $0.neighborRouterID == routerID
        }
    }

    /// Stops holding the link: its time is over, or the neighbor has another interface ID.
    mutating func releaseLink(_ neighbor: NeighborKey, at now: Instant) {
        interfaces[neighbor].heldUntil = nil
        origination.interfacesChanged()
        topologyChanged(at: now)
    }
}
