import Addressing
import OSPFPacket
internal import Timing

/// A link that stays in our router-LSA although the neighbor has left Full.
struct HeldLink: Hashable, Sendable {
    /// When the neighbor left Full.
    var since: Instant
    /// Until when the link stays announced and in use.
    var until: Instant
}

/// A neighbor that was Full and restarts the adjacency is usually a new process, while the kernel there forwards as before.
/// The link with it is held: it stays in our router-LSA and in use for a short time, in which the two routers synchronize, so
/// that no other router notices. Flooding and everything else depend on the neighbor's actual state.
extension Router {
    /// The maximum time for which a link is held without an announcement: a new process needs milliseconds. RFC 2328 §12.4 allows to delay the
    /// origination of a change for 5 s.
    static let linkHold = Duration.seconds(1)

    /// Holds the link with a neighbor that leaves Full, for ``linkHold`` or for the grace period that the neighbor has announced
    /// (`Router+Helper.swift`), if it is point-to-point and the neighbor announces it too: a neighbor
    /// that stops has flushed its LSAs before, and one that no longer receives our hellos has removed the link.
    mutating func holdLink(_ neighbor: NeighborKey, at now: Instant) {
        guard !interfaces[neighbor.interface].isBroadcast,
            isAdvertisedLink(neighbor.router, interfaces[neighbor].interfaceID, on: neighbor.interface)
        else { return endHelping(neighbor, because: .replaced, at: now) }
        let until = max(now + Self.linkHold, interfaces[neighbor].restart?.until ?? now)
        interfaces[neighbor].held = HeldLink(since: now, until: until)
    }

    /// Whether the router-LSAs of a router have a point-to-point link from its interface `interfaceID` to our `interface`.
    func isAdvertisedLink(_ router: RouterID, _ interfaceID: UInt32, on interface: UInt32) -> Bool {
        calculation.pointToPointLinks(of: router).contains {
            $0.interfaceID == interfaceID && $0.neighborInterfaceID == interface && $0.neighborRouterID == routerID
        }
    }

    /// Stops holding the link, if it is held: its time is over, or the neighbor has another interface ID.
    mutating func releaseLink(_ neighbor: NeighborKey, at now: Instant) {
        interfaces[neighbor].held = nil
        origination.interfacesChanged()
        topologyChanged(at: now)
    }
}
