internal import Addressing
internal import OSPF
internal import OSPFPacket

extension MeshModel {
    /// The mesh after changes, made in this order.
    public func applying(_ changes: [Change]) throws(ChangeError) -> MeshModel {
        var model = self
        for change in changes { try model.apply(change) }
        return model
    }

    private mutating func apply(_ change: Change) throws(ChangeError) {
        switch change {
        case .failPorts(let ports): for port in ports { fail(port) }
        case .failRouter(let router): fail(router)
        case .cost(let ports, let cost): setCost(Set(ports), cost)
        case .drain(let router): drain(router)
        case .addLink(let one, let other, let cost): try addLink(one, other, cost: cost)
        }
    }

    // MARK: - Failures

    /// A port loses its link, and the other end of a cable does, too.
    private mutating func fail(_ port: PortID) {
        for link in links(of: port.router) where link.interfaceID == port.interfaceID {
            switch link.peer {
            case .router(let peer, let interfaceID):
                removeLinks(of: peer) { $0.type != .transit && $0.interfaceID == interfaceID }
            case .network(let designated, let interfaceID):
                leave(PortID(router: designated, interfaceID: interfaceID), port.router)
            }
        }
        removeLinks(of: port.router) { $0.interfaceID == port.interfaceID }
    }

    private mutating func fail(_ router: RouterID) {
        for link in links(of: router) {
            switch link.peer {
            case .router(let peer, _): removeLinks(of: peer) { $0.type != .transit && $0.neighborRouterID == router }
            case .network(let designated, let interfaceID):
                leave(PortID(router: designated, interfaceID: interfaceID), router)
            }
        }
        let own = lsas.keys.filter { $0.advertisingRouter == router }
        replace(Dictionary(uniqueKeysWithValues: own.map { ($0, nil) }))
    }

    /// A router is no longer on a segment. If it was the designated router, another takes its place, with the prefixes of the
    /// segment: the member with the lowest port, as which of them is elected is not in the database, and routes do not depend
    /// on it. Where only one is left, the segment is a stub network of that router.
    private mutating func leave(_ network: PortID, _ router: RouterID) {
        let left = members(ofNetwork: network.router, interfaceID: network.interfaceID).filter { $0.router != router }
            .map { PortID(router: $0.router, interfaceID: $0.interfaceID) }.sorted()
        let key = LSAKey(type: .network, linkStateID: network.interfaceID, advertisingRouter: network.router)
        guard case .network(var body)? = lsas[key].flatMap({ try? $0.body() }) else { return }
        guard network.router == router || left.count < 2 else {
            body.attachedRouters.removeAll { $0 == router }
            edit([key: .network(body)])
            return
        }
        edit([key: nil])
        guard let heir = left.first else { return }
        for member in left {
            changeLinks(of: member.router) { link in
                guard link.type == .transit, link.neighborRouterID == network.router,
                    link.neighborInterfaceID == network.interfaceID
                else { return link }
                guard left.count > 1 else { return nil }
                var link = link
                (link.neighborRouterID, link.neighborInterfaceID) = (heir.router, heir.interfaceID)
                return link
            }
        }
        if left.count > 1 {
            body.attachedRouters = left.map(\.router)
            edit([LSAKey(type: .network, linkStateID: heir.interfaceID, advertisingRouter: heir.router): .network(body)]
            )
        }
        movePrefixes(of: network, to: heir, isStub: left.count == 1)
    }

    /// The prefixes of a segment are announced by its new designated router or, if that is alone, as its own.
    private mutating func movePrefixes(of network: PortID, to heir: PortID, isStub: Bool) {
        let key = LSAKey(
            type: .intraAreaPrefix, linkStateID: freeLinkStateID(of: heir.router), advertisingRouter: heir.router)
        for (old, lsa) in lsas where old.type == .intraAreaPrefix && old.advertisingRouter == network.router {
            guard case .intraAreaPrefix(var body)? = try? lsa.body(), body.referencedType == .network,
                body.referencedLinkStateID == network.interfaceID, body.referencedAdvertisingRouter == network.router
            else { continue }
            body.referencedType = isStub ? .router : .network
            body.referencedLinkStateID = isStub ? 0 : heir.interfaceID
            body.referencedAdvertisingRouter = heir.router
            edit([old: nil, key: .intraAreaPrefix(body)])
            return
        }
    }

    private func freeLinkStateID(of router: RouterID) -> UInt32 {
        let used = lsas.keys.filter { $0.type == .intraAreaPrefix && $0.advertisingRouter == router }
        return (used.map(\.linkStateID).max() ?? 0) &+ 1
    }

    // MARK: - Other changes

    private mutating func setCost(_ ports: Set<PortID>, _ cost: UInt16) {
        for router in Set(ports.map(\.router)) {
            changeLinks(of: router) { link in
                guard ports.contains(PortID(router: router, interfaceID: link.interfaceID)) else { return link }
                var link = link
                link.metric = cost
                return link
            }
        }
    }

    /// As agents do: R-bit clear, links at the largest metric, VIPs as the last resort. A VIP is an address that is not the router's own
    /// (LA-bit, RFC 5340 §A.4.1.1).
    private mutating func drain(_ router: RouterID) {
        var changes: [LSAKey: LSABody?] = [:]
        for (key, lsa) in lsas where key.advertisingRouter == router {
            switch try? lsa.body() {
            case .router(var body):
                body.options.remove(.r)
                for place in body.links.indices { body.links[place].metric = .max }
                changes[key] = .router(body)
            case .intraAreaPrefix(var body) where body.referencedType == .router:
                body.prefixes = body.prefixes.map(Self.asLastResort)
                changes[key] = .intraAreaPrefix(body)
            case .ipv4Prefix(var body):
                body.prefixes = body.prefixes.map(Self.asLastResort)
                changes[key] = .ipv4Prefix(body)
            default: break
            }
        }
        edit(changes)
    }

    private static func asLastResort(_ entry: LSAPrefix) -> LSAPrefix {
        var entry = entry
        if entry.prefix.isHost, !entry.options.contains(.localAddress) { entry.metric = AdvertisedPrefix.lastResort }
        return entry
    }

    private mutating func addLink(_ one: RouterID, _ other: RouterID, cost: UInt16) throws(ChangeError) {
        let ports = [one, other].map { PortID(router: $0, interfaceID: freeInterfaceID(of: $0)) }
        for (port, peer) in [(ports[0], ports[1]), (ports[1], ports[0])] {
            let keys = lsas.keys.filter { $0.type == .router && $0.advertisingRouter == port.router }.sorted()
            let bodies = keys.compactMap { key -> (LSAKey, RouterLSA)? in
                guard case .router(let body)? = try? lsas[key]!.body() else { return nil }
                return (key, body)
            }
            guard let first = bodies.first?.1, let last = keys.last else {
                throw ChangeError("\(name(of: port.router)) has no router-LSA")
            }
            // Where all are full, a further one (RFC 5340 §4.4.3.2).
            let free = LSAKey(type: .router, linkStateID: last.linkStateID &+ 1, advertisingRouter: port.router)
            let fresh = (free, RouterLSA(flags: first.flags, options: first.options, links: []))
            var (key, body) = bodies.first { $0.1.links.count < Self.mostLinks } ?? fresh
            // A stub router announces all links at the largest metric.
            let isStub = !body.options.contains(.r)
            body.links.append(
                RouterLSA.Link(
                    type: .pointToPoint, metric: isStub ? .max : cost, interfaceID: port.interfaceID,
                    neighborInterfaceID: peer.interfaceID, neighborRouterID: peer.router))
            edit([key: .router(body)])
        }
    }

    /// How many links a router-LSA gets at most. 4,000 have room.
    private static let mostLinks = 1000

    /// An interface ID that a router does not use, far from those that kernels assign.
    private func freeInterfaceID(of router: RouterID) -> UInt32 {
        var used: Set<UInt32> = []
        for (key, lsa) in lsas where key.type == .router && key.advertisingRouter == router {
            if case .router(let body)? = try? lsa.body() { used.formUnion(body.links.map(\.interfaceID)) }
        }
        return (UInt32(0x4000_0000)...).first { !used.contains($0) }!
    }

    // MARK: - LSAs

    private mutating func removeLinks(of router: RouterID, where isGone: (RouterLSA.Link) -> Bool) {
        changeLinks(of: router) { isGone($0) ? nil : $0 }
    }

    /// Changes or removes (`nil`) links in the router-LSAs of a router.
    private mutating func changeLinks(of router: RouterID, _ change: (RouterLSA.Link) -> RouterLSA.Link?) {
        var changes: [LSAKey: LSABody?] = [:]
        for (key, lsa) in lsas where key.type == .router && key.advertisingRouter == router {
            guard case .router(var body)? = try? lsa.body() else { continue }
            let links = body.links.compactMap(change)
            guard links != body.links else { continue }
            body.links = links
            changes[key] = .router(body)
        }
        edit(changes)
    }

    /// Originates LSAs with new bodies, or removes them (`nil`).
    private mutating func edit(_ changes: [LSAKey: LSABody?]) {
        guard !changes.isEmpty else { return }
        replace(
            Dictionary(
                uniqueKeysWithValues: changes.map { key, body in
                    (key, body.map { LSA(key: key, sequenceNumber: LSAHeader.initialSequenceNumber, body: $0) })
                }))
    }
}
