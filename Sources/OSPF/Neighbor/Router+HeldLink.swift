import Addressing
import OSPFPacket
internal import Timing

/// A neighbor that was Full and restarts the adjacency is usually a new process, while the kernel there forwards as before.
/// The link with it is held: it stays in our router-LSA and in use for a short time, in which the two routers synchronize, so
/// that no other router notices. Flooding and everything else depend on the neighbor's actual state.
extension Interface {
    /// Notes that a neighbor has become Full, or is Full no longer.
    mutating func expectAnnouncement(by router: RouterID, isFull: Bool, at now: Instant) {
        guard let index = neighborIndex(of: router) else { return }
        let patience = configuration.deadInterval * AdjacencyContext.exchangePatienceInDeadIntervals
        neighbors[index].announcementDeadline = isFull && !isBroadcast ? now + patience : nil
    }
}

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

    /// Restarts the adjacency with a neighbor that is Full for us and does not announce the link: for it the exchange is not
    /// over, and no route can use the link. (ospf6d of FRR waits forever as slave if it reads a repeated description before it has
    /// answered the first copy.)
    mutating func checkAnnouncement(of neighbor: NeighborKey, at now: Instant) {
        guard let deadline = interfaces[neighbor].announcementDeadline, deadline <= now else { return }
        interfaces[neighbor].announcementDeadline = nil
        let isAnnounced = calculation.pointToPointLinks(of: neighbor.router).contains {
            $0.neighborInterfaceID == neighbor.interface && $0.neighborRouterID == routerID
        }
        guard !isAnnounced else { return }
        let patience = adjacencyContext(of: neighbor, at: now).exchangePatience
        notify(.exchangeStalled(interface: neighbor.interface, neighbor: neighbor.router, state: .full))
        neighborEvent(neighbor, .stalled, because: .linkNotAnnounced(for: patience), at: now)
    }

    /// Stops holding the link, if it is held: its time is over, or the neighbor has another interface ID.
    mutating func releaseLink(_ neighbor: NeighborKey, at now: Instant) {
        interfaces[neighbor].heldUntil = nil
        origination.interfacesChanged()
        topologyChanged(at: now)
    }
}
