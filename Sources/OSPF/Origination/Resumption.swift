import Addressing
import OSPFPacket
internal import Timing

/// The start of a router after an earlier process of the same node, whose routes the kernel has kept: nobody shall notice.
/// RFC 3623 has the neighbors told and asked to wait. Here the router keeps its LSAs back instead, but for those of its
/// links, and takes up those that are known of its earlier life until its adjacencies are what they were.
struct Resumption: Sendable {
    /// When it ends at the latest.
    var deadline: Instant
    /// What there would have been to bring up to date.
    var withheld: Origination.Changes = []
}

extension Router {
    /// Ends the resumption when its time has come. LSAs of the earlier life that say what is to be said stay as they are,
    /// the others are outlived or flushed.
    mutating func endResumption(at now: Instant) {
        guard let resumption, resumption.deadline <= now || hasResumed(at: now) else { return }
        self.resumption = nil
        origination.changes.formUnion(resumption.withheld)
        originateOwn(at: now)
        for key in ownKeys where origination.own[key]?.body == nil { expire(key, at: now) }
    }

    /// Everything in the database that this router or an earlier life of it has said, in order.
    var ownKeys: [DatabaseKey] {
        database.entries.keys.filter { $0.lsa.advertisingRouter == routerID }.sorted()
    }

    /// Whether the adjacencies of the earlier life are back. Only those are waited for that still carry packets: on cables
    /// whose port is up, and which the other end has not given up. Links with a designated router are lost to us when its
    /// hellos miss us, so there is nothing to keep.
    private func hasResumed(at now: Instant) -> Bool {
        let neighbors = interfaces.lazy.flatMap(\.neighbors)
        guard neighbors.contains(where: { $0.state == .full }) else { return false }
        guard calculation.hasRouterLSA(of: routerID) else {
            // Who is full knows of none. It may have been replaced as well, and another, who comes next, know.
            return !neighbors.contains { $0.state != .full && $0.state != .twoWay && now - $0.since < Self.linkHold }
        }
        return calculation.pointToPointLinks(of: routerID).allSatisfy { link in
            let index = link.interfaceID
            guard interfaces.contains(index), interfaces[index].isPointToPoint else { return true }
            let isFull = interfaces[index].neighbors.contains {
                $0.routerID == link.neighborRouterID && $0.state == .full
            }
            return isFull || !isToldLink(link.neighborRouterID, link.neighborInterfaceID, on: link.interfaceID)
        }
    }
}
