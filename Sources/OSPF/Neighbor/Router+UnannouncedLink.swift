import Addressing
import OSPFPacket
internal import Timing

/// A neighbor that is Full for us must announce the link with us. If it does not, the exchange is not over for it.
extension Router {
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
}

extension Interface {
    /// Notes that a neighbor has become Full, or is Full no longer.
    mutating func expectAnnouncement(by router: RouterID, isFull: Bool, at now: Instant) {
        guard let index = neighborIndex(of: router) else { return }
        let patience = configuration.deadInterval * AdjacencyContext.exchangePatienceInDeadIntervals
        neighbors[index].announcementDeadline = isFull && !isBroadcast ? now + patience : nil
    }
}
