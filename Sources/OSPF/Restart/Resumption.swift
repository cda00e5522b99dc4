import Addressing
import OSPFPacket
internal import Timing

/// The start of a router after an earlier run of the same node, whose routes are still in the kernel. Other routers should
/// not notice the restart. The router originates only its link-LSAs and grace-LSAs (`Router+Restart.swift`), and keeps the other LSAs of its earlier run, which its neighbors still have,
/// until its adjacencies are as before.
struct Resumption: Sendable {
    /// When the resumption ends at the latest, whatever the state of the adjacencies.
    var deadline: Instant
    /// What has changed since the start. The LSAs that depend on it are updated at the end.
    var withheld: Origination.Changes = []
}

extension Router {
    /// Ends the resumption when it is due. LSAs of the earlier run that are still correct are kept. The others are
    /// replaced or flushed.
    mutating func endResumption(at now: Instant) {
        guard let resumption, resumption.deadline <= now || hasResumed(at: now) else { return }
        self.resumption = nil
        adoptLayout(at: now)
        origination.changes.formUnion(resumption.withheld)
        originateOwn(at: now)
        for key in ownKeys where origination.own[key]?.body == nil { flush(key, at: now) }
        scheduleEndOfGrace(at: now)
    }

    /// Keeps prefixes and links in the LSAs in which the earlier run announced them. If a prefix moved to another LSA, other
    /// routers would lose it if they received the LSA without it first, until they receive the other one.
    private mutating func adoptLayout(at now: Instant) {
        // The values are numbers of fragments, which are the link state IDs of their LSAs.
        var links: [Origination.LinkKey: Int] = [:]
        var prefixes: [IPv6Prefix: Int] = [:]
        var ipv4Prefixes: [IPv6Prefix: Int] = [:]
        var externals: [IPv6Prefix: UInt32] = [:]
        for key in ownKeys {
            guard let entry = database[key], entry.age(at: now) < LSAHeader.maxAge else { continue }
            let fragment = Int(key.lsa.linkStateID)
            switch try? entry.lsa.body() {
            case .router(let body)?:
                for link in body.links {
                    links[Origination.LinkKey(interface: link.interfaceID, neighbor: link.neighborRouterID)] = fragment
                }
            case .intraAreaPrefix(let body)? where body.referencedType == .router:
                for entry in body.prefixes { prefixes[entry.prefix] = fragment }
            case .ipv4Prefix(let body)?:
                for entry in body.prefixes { ipv4Prefixes[entry.prefix] = fragment }
            case .asExternal(let body)?: externals[body.prefix.prefix] = key.lsa.linkStateID
            default: break
            }
        }
        origination.links.adopt(links)
        origination.prefixes.fragments.adopt(prefixes)
        origination.ipv4Prefixes.fragments.adopt(ipv4Prefixes)
        origination.adoptExternalIDs(externals)
    }

    /// All LSAs in the database with our router ID as advertising router, in order.
    var ownKeys: [DatabaseKey] {
        database.entries.keys.filter { $0.lsa.advertisingRouter == routerID }.sorted()
    }

    /// Whether the adjacencies of the earlier run are full again. Only the point-to-point links of our earlier router-LSA that
    /// still carry packets are checked: those that the other end announces, on interfaces that are up and point-to-point. Links
    /// with a designated router are not: our restart has ended their adjacencies, and the network-LSA no longer lists us.
    private func hasResumed(at now: Instant) -> Bool {
        let neighbors = interfaces.lazy.flatMap(\.neighbors)
        guard neighbors.contains(where: { $0.state == .full }) else { return false }
        guard calculation.hasRouterLSA(of: routerID) else {
            // No full neighbor had our earlier router-LSA; these neighbors may have restarted as well. A neighbor that is not
            // full yet may have the LSA, so it gets `linkHold` for each state on the way; in 2-Way, no adjacency is wanted.
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
