import Addressing
import OSPFPacket
internal import Timing

/// The start of a router after an earlier run of the same node, whose routes the kernel has kept: no other router
/// should notice. With RFC 3623, neighbors are informed and asked to wait. Here the router withholds its LSAs instead,
/// except those of its links, and takes over those of its earlier run until its adjacencies are as before.
struct Resumption: Sendable {
    /// When it ends at the latest.
    var deadline: Instant
    /// What there would have been to bring up to date.
    var withheld: Origination.Changes = []
}

extension Router {
    /// Ends the resumption when it is due. LSAs of the earlier run that are still right stay, the others are replaced
    /// or flushed.
    mutating func endResumption(at now: Instant) {
        guard let resumption, resumption.deadline <= now || hasResumed(at: now) else { return }
        self.resumption = nil
        origination.changes.formUnion(resumption.withheld)
        originateOwn(at: now)
        for key in ownKeys where origination.own[key]?.body == nil { flush(key, at: now) }
    }

    /// All LSAs in the database that this router or an earlier run of it has originated, in order.
    var ownKeys: [DatabaseKey] {
        database.entries.keys.filter { $0.lsa.advertisingRouter == routerID }.sorted()
    }

    /// Whether the adjacencies of the earlier run are back. Only those count that still carry packets: on ports that
    /// are up, and announced by the other end. Links with a designated router are lost when it misses our hellos, so
    /// they do not count.
    private func hasResumed(at now: Instant) -> Bool {
        let neighbors = interfaces.lazy.flatMap(\.neighbors)
        guard neighbors.contains(where: { $0.state == .full }) else { return false }
        guard calculation.hasRouterLSA(of: routerID) else {
            // No full neighbor has our router-LSA. It may have restarted as well, and the next neighbor may have it.
            return !neighbors.contains { $0.state != .full && $0.state != .twoWay && now - $0.since < Self.linkHold }
        }
        return calculation.pointToPointLinks(of: routerID).allSatisfy { link in
            let index = link.interfaceID
            guard interfaces.contains(index), interfaces[index].isPointToPoint else { return true }
            let isFull = interfaces[index].neighbors.contains {
                $0.routerID == link.neighborRouterID && $0.state == .full
            }
            return isFull || !isAdvertisedLink(link.neighborRouterID, link.neighborInterfaceID, on: link.interfaceID)
        }
    }
}
