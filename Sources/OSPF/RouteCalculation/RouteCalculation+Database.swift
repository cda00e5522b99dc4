import Addressing
public import OSPFPacket
import ShortestPath

extension RouteCalculation {
    /// Applies an LSA with new contents, or (`nil`) the removal of one that is gone or has reached MaxAge. Calls for
    /// refreshes without new contents are unnecessary but harmless. A body that cannot be decoded counts as absent.
    public mutating func databaseChanged(_ key: LSAKey, to lsa: LSA?) {
        guard key.type.scope != .linkLocal, key.advertisingRouter != .none else { return }
        switch lsa.flatMap({ try? $0.body() }) {
        case .router(let body): add(body, as: key)
        case .network(let body): add(body, as: key)
        case .intraAreaPrefix(let body): add(body, as: key)
        case .interAreaPrefix(let body): add(body, as: key)
        case .interAreaRouter(let body): add(body, as: key)
        case .asExternal(let body): add(body, as: key)
        case .routerInformation(let body): add(body, as: key)
        case .ipv4Prefix(let body): add(body.prefixes, of: .router(key.advertisingRouter), in: .ipv4, as: key)
        case .nssa, .link, .grace, .autoConfiguration, .unknown, nil: withdraw(key)
        }
    }

    private mutating func add(_ body: RouterLSA, as key: LSAKey) {
        let vertex: Vertex
        if case .router(let known) = contributions[key] {
            vertex = known
        } else {
            vertex = topology.retain(.router(key.advertisingRouter))
            contributions[key] = .router(vertex)
        }
        topology.setRouterLSA(of: vertex, linkStateID: key.linkStateID, to: body)
    }

    private mutating func add(_ body: NetworkLSA, as key: LSAKey) {
        let vertex: Vertex
        if case .network(let known) = contributions[key] {
            vertex = known
        } else {
            vertex = topology.retain(.network(key.advertisingRouter, interfaceID: key.linkStateID))
            contributions[key] = .network(vertex)
        }
        topology.setNetworkLSA(of: vertex, to: body)
    }

    private mutating func add(_ body: IntraAreaPrefixLSA, as key: LSAKey) {
        // A router attaches prefixes only to itself and to networks whose designated router it is (RFC 5340 §4.4.3.9).
        guard body.referencedAdvertisingRouter == key.advertisingRouter else { return withdraw(key) }
        let name: Topology.Name
        switch body.referencedType {
        case .router: name = .router(key.advertisingRouter)
        case .network: name = .network(key.advertisingRouter, interfaceID: body.referencedLinkStateID)
        default: return withdraw(key)
        }
        add(body.prefixes, of: name, in: .ipv6, as: key)
    }

    /// Adds prefixes that belong to a router or a network.
    private mutating func add(
        _ prefixes: [LSAPrefix], of name: Topology.Name, in family: LSAPrefix.Family, as key: LSAKey
    ) {
        let vertex = topology.retain(name)
        let list = Self.cheapest(of: prefixes.filter { $0.isUsable(in: family) })
        guard
            case .intraArea(let oldVertex, let oldList) = contributions.updateValue(
                .intraArea(vertex, list), forKey: key)
        else { return exchange([], at: vertex, for: list[...], at: vertex) }
        // Usually a few prefixes in the middle are new: the equal ones at both ends need no work.
        var old = oldList[...]
        var new = list[...]
        if oldVertex == vertex {
            while let first = old.first, first == new.first {
                old = old.dropFirst()
                new = new.dropFirst()
            }
            while let last = old.last, last == new.last {
                old = old.dropLast()
                new = new.dropLast()
            }
        }
        exchange(old, at: oldVertex, for: new, at: vertex)
        topology.release(oldVertex)
    }

    /// Each prefix once, at its lowest metric. Most LSAs have each once and in order; an LSA that repeats a prefix thousands of
    /// times must not cost more than its size.
    static func cheapest(of list: [LSAPrefix]) -> [LSAPrefix] {
        if zip(list, list.dropFirst()).allSatisfy({ $0.prefix < $1.prefix }) { return list }
        var places: [IPv6Prefix: Int] = [:]
        var result: [LSAPrefix] = []
        for entry in list {
            if let place = places[entry.prefix] {
                if entry.metric < result[place].metric { result[place] = entry }
            } else {
                places[entry.prefix] = result.count
                result.append(entry)
            }
        }
        return result
    }

    /// Replaces announcements. The new ones are added first, so that a prefix in both is a repeat and does not lose its group.
    private mutating func exchange(
        _ old: ArraySlice<LSAPrefix>, at oldVertex: Vertex, for new: ArraySlice<LSAPrefix>, at vertex: Vertex
    ) {
        for entry in new { prefixes.add(Candidate(entry, at: vertex), to: entry.prefix) }
        for entry in old { prefixes.remove(Candidate(entry, at: oldVertex), from: entry.prefix) }
    }

    /// Adds all announcements again if some were refused because of a limit and there may be room now.
    mutating func announceRefused() {
        guard prefixes.mayHaveRoom else { return }
        prefixes.removeAllAnnouncements()
        for key in contributions.keys.sorted() {
            switch contributions[key] {
            case .intraArea(let vertex, let list): exchange([], at: vertex, for: list[...], at: vertex)
            case .prefix(let prefix, let candidate): prefixes.add(candidate, to: prefix)
            case .router, .network, .interAreaRouter, .information, nil: break
            }
        }
    }

    private mutating func add(_ body: InterAreaPrefixLSA, as key: LSAKey) {
        guard body.metric < LSAPrefix.infinity, body.prefix.isUsable(in: .ipv6) else { return withdraw(key) }
        let border = topology.retain(.router(key.advertisingRouter))
        let candidate = Candidate(kind: .interArea, announcer: border, metric: body.metric)
        add(body.prefix.prefix, candidate, as: key)
    }

    private mutating func add(_ body: ASExternalLSA, as key: LSAKey) {
        guard body.metric < LSAPrefix.infinity, body.prefix.isUsable(in: .ipv6) else { return withdraw(key) }
        let forwardingAddress = body.forwardingAddress ?? .unspecified
        // Link-local and multicast forwarding addresses are not allowed. A link-local address has no meaning outside of its
        // link (RFC 5340 §A.4.7).
        guard !forwardingAddress.isLinkLocal, !forwardingAddress.isMulticast else { return withdraw(key) }
        let candidate = Candidate(
            kind: body.isType2 ? .externalType2 : .externalType1,
            announcer: topology.retain(.router(key.advertisingRouter)), metric: body.metric,
            forwardingAddress: forwardingAddress)
        add(body.prefix.prefix, candidate, as: key)
    }

    private mutating func add(_ prefix: IPv6Prefix, _ candidate: Candidate, as key: LSAKey) {
        let old = contributions.updateValue(.prefix(prefix, candidate), forKey: key)
        prefixes.add(candidate, to: prefix)
        if let old { withdraw(old, of: key) }
    }

    private mutating func add(_ body: InterAreaRouterLSA, as key: LSAKey) {
        guard body.metric < LSAPrefix.infinity else { return withdraw(key) }
        // Retained before the old contribution releases them, so that the vertices stay.
        let border = topology.retain(.router(key.advertisingRouter))
        let boundary = topology.retain(.router(body.destination))
        withdraw(key)
        contributions[key] = .interAreaRouter(border: border, boundary: boundary)
        interAreaRouters[boundary, default: []].append(InterAreaRouter(key: key, border: border, metric: body.metric))
        hasNewInterAreaRouters = true
    }

    private mutating func add(_ body: RouterInformationLSA, as key: LSAKey) {
        withdraw(key)
        contributions[key] = .information
        information[key.advertisingRouter, default: []].append(
            Information(
                key: key, hostname: body.hostname, smallestMTU: body.smallestMTU, portNames: body.portNames))
    }

    /// Removes the contribution of an LSA, if it has one.
    private mutating func withdraw(_ key: LSAKey) {
        guard let old = contributions.removeValue(forKey: key) else { return }
        withdraw(old, of: key)
    }

    /// Removes a contribution that is no longer in ``contributions``.
    private mutating func withdraw(_ old: Contribution, of key: LSAKey) {
        switch old {
        case .router(let vertex):
            topology.setRouterLSA(of: vertex, linkStateID: key.linkStateID, to: nil)
            topology.release(vertex)
        case .network(let vertex):
            topology.setNetworkLSA(of: vertex, to: nil)
            topology.release(vertex)
        case .intraArea(let vertex, let list):
            exchange(list[...], at: vertex, for: [], at: vertex)
            topology.release(vertex)
        case .prefix(let prefix, let candidate):
            prefixes.remove(candidate, from: prefix)
            topology.release(candidate.announcer)
        case .interAreaRouter(let border, let boundary):
            interAreaRouters[boundary]?.removeAll { $0.key == key }
            if interAreaRouters[boundary]?.isEmpty == true { interAreaRouters[boundary] = nil }
            hasNewInterAreaRouters = true
            topology.release(border)
            topology.release(boundary)
        case .information:
            if let name = hostname(of: key.advertisingRouter) {
                if formerNames.count >= Self.mostFormerNames { formerNames.removeAll(keepingCapacity: true) }
                formerNames[key.advertisingRouter] = name
            }
            information[key.advertisingRouter]?.removeAll { $0.key == key }
            if information[key.advertisingRouter]?.isEmpty == true { information[key.advertisingRouter] = nil }
        }
    }
}

extension LSAPrefix {
    /// LSInfinity, the metric of inter-area and external LSAs for unreachable (RFC 2328 §B). Intra-area prefixes have
    /// 16-bit metrics without such a value.
    fileprivate static let infinity: UInt32 = 0xff_ffff

    /// Whether there can be a unicast route to the prefix: not with the NU-bit, and not if it is link-local, multicast or, in
    /// IPv4, reserved. IPv4 prefixes in other LSAs than ``IPv4PrefixLSA`` are ignored.
    fileprivate func isUsable(in family: Family) -> Bool {
        guard !options.contains(.noUnicast) else { return false }
        switch family {
        case .ipv4: return prefix.ipv4.map { !$0.isReserved } ?? false
        case .ipv6:
            return prefix.ipv4 == nil
                && !(prefix.length >= 8 && prefix.address.isMulticast
                    || prefix.length >= 10 && prefix.address.isLinkLocal)
        }
    }
}

extension Candidate {
    fileprivate init(_ entry: LSAPrefix, at vertex: Vertex) {
        self.init(kind: .intraArea, announcer: vertex, metric: UInt32(entry.metric))
    }
}
