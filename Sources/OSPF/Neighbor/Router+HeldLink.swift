import Addressing
import OSPFPacket
internal import Timing

/// A neighbor that was full and begins the conversation anew has mostly just been replaced by its next process, while its
/// kernel forwards as before. The link with it stays in the router-LSA and in use for a moment, in which the two
/// synchronize; so nobody else hears of it. Everything else follows the neighbor's real state.
extension Router {
    /// For so long at most. RFC 2328 §12.4 lets 5 s pass before a change is told.
    static let linkHold = Duration.seconds(1)

    /// To be called when a neighbor leaves Full. Only a point-to-point link is held, and only as long as the neighbor
    /// tells it too: who takes leave has flushed its LSAs, who does not hear us any more has withdrawn the link.
    mutating func holdLink(_ neighbor: NeighborKey, at now: Instant) {
        guard !interfaces[neighbor.interface].isBroadcast,
            isToldLink(neighbor.router, interfaces[neighbor].interfaceID, on: neighbor.interface)
        else { return }
        interfaces[neighbor].heldUntil = now + Self.linkHold
    }

    /// Whether a router tells a link with an interface of ours.
    func isToldLink(_ router: RouterID, _ interfaceID: UInt32, on interface: UInt32) -> Bool {
        calculation.pointToPointLinks(of: router).contains {
            $0.interfaceID == interfaceID && $0.neighborInterfaceID == interface && $0.neighborRouterID == routerID
        }
    }

    /// It has taken too long, or it is another neighbor that came.
    mutating func releaseLink(_ neighbor: NeighborKey, at now: Instant) {
        interfaces[neighbor].heldUntil = nil
        origination.interfacesChanged()
        topologyChanged(at: now)
    }
}
