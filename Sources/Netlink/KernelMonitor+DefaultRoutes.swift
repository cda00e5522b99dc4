internal import Addressing
internal import CNetlink
internal import Glibc
internal import Links
internal import Linux
internal import Routing

// Default routes that are not ours: those of other programs and of the kernel.

extension KernelMonitor {
    /// Accepts everything except routes. Of routes, accepts default routes that others made, and a default route of ours that
    /// replaced another, because the replaced one may be of others.
    static func filter(protocolNumber: UInt8) -> SocketFilter {
        typealias Offset = SocketFilter.Offset
        var filter = SocketFilter()
        filter.load16(at: Offset.messageType)
        filter.jump(ifEqual: SocketFilter.inMemory(Int(RTM_NEWROUTE)), to: .label("route"))
        filter.jump(ifEqual: SocketFilter.inMemory(Int(RTM_DELROUTE)), to: .label("route"), else: .accept)

        filter.label("route")
        filter.loadOctet(at: Offset.body + 1)  // rtm_dst_len
        filter.jump(ifEqual: 0, to: .next, else: .drop)
        filter.loadOctet(at: Offset.body + 5)  // rtm_protocol
        filter.jump(ifEqual: UInt32(protocolNumber), to: .next, else: .accept)
        filter.load16(at: Offset.messageFlags)
        filter.jump(ifAnyBitOf: SocketFilter.inMemory(Flag.replace), to: .accept, else: .drop)
        return filter
    }

    /// Whether a route is not ours and leads to a next hop.
    private func isForeign(_ route: KernelRoute) -> Bool {
        route.protocolNumber != configuration.protocolNumber && route.isUnicast
    }

    /// Whether a route is in a table that we monitor: ours, or main.
    private func isInTable(_ route: KernelRoute) -> Bool {
        route.table == configuration.table || route.table == UInt32(RT_TABLE_MAIN.rawValue)
    }

    /// Applies a notification of a route that was added (`isNew`), possibly in place of another (`replaces`), or removed.
    func process(_ message: KernelRoute, isNew: Bool, replaces: Bool) throws(SystemError) {
        guard isInTable(message), let route = DefaultRouteTable.Route(message) else { return }
        let isKnown: Bool
        if isNew {
            let isForeign = isForeign(message)
            isKnown = defaultRouteTable.add(
                route, interfaces: isForeign ? try interfaces(of: message) : [], replaces: replaces,
                isForeign: isForeign)
        } else {
            isKnown = defaultRouteTable.remove(route)
        }
        if !isKnown { mustReadDefaultRoutes = true }
    }

    func forgetDefaultRoutes(over interface: UInt32, of family: IPFamily? = nil, isGone: Bool = false) {
        if !defaultRouteTable.removeRoutes(over: interface, of: family, isGone: isGone) { mustReadDefaultRoutes = true }
    }

    /// The differences of ``DefaultRouteTable/kinds`` since the last call.
    func defaultRouteEvents() -> [KernelEvent] {
        let kinds = defaultRouteTable.kinds
        guard kinds != defaultRoutes else { return [] }
        let gone = defaultRoutes.subtracting(kinds).sorted { $0.order < $1.order }
        let new = kinds.subtracting(defaultRoutes).sorted { $0.order < $1.order }
        defaultRoutes = kinds
        return gone.map { .defaultRouteRemoved($0) } + new.map { .defaultRoute($0) }
    }

    /// Reads all default routes of others anew. The next ``defaultRouteEvents()`` reports the differences.
    func readDefaultRoutes() throws(SystemError) {
        var found: [KernelRoute] = []
        for table in Set([configuration.table, UInt32(RT_TABLE_MAIN.rawValue)]) {
            for family in [AF_INET6, AF_INET] { found += try readDefaultRoutes(of: family, in: table) }
        }
        var fresh = DefaultRouteTable()
        for message in found {
            guard let route = DefaultRouteTable.Route(message) else { continue }
            fresh.insert(route, try interfaces(of: message))
        }
        defaultRouteTable = fresh
        mustReadDefaultRoutes = false
    }

    private func readDefaultRoutes(of family: CInt, in table: UInt32) throws(SystemError) -> [KernelRoute] {
        var found: [KernelRoute] = []
        var fixed = rtmsg()
        fixed.rtm_family = UInt8(family)
        do {
            try requests.dump(
                Int(RTM_GETROUTE), fixed, of: "routes", { $0.attribute(Int(RTA_TABLE.rawValue), table) },
                restart: { found = [] }
            ) { message in
                // Kernels before 4.20 ignore the table in a request. The length alone excludes most routes.
                guard let length = message.fixed(rtmsg.self)?.rtm_dst_len, length == 0,
                    let route = KernelRoute(message), route.table == table, isForeign(route)
                else { return }
                found.append(route)
            }
        } catch let error {
            // The table does not exist until the first route is added to it.
            guard error.code == ENOENT else { throw error }
        }
        return found
    }

    /// The usable interfaces of a route. Those of a next-hop object must be requested if the route's message has
    /// only its ID.
    private func interfaces(of route: KernelRoute) throws(SystemError) -> Set<UInt32> {
        guard route.hops.isEmpty, case .group(let id) = route.target else {
            return Set(route.hops.map(\.interface)).subtracting(route.deadInterfaces)
        }
        guard let object = try nextHop(id) else { return [] }
        var result = Set([object.interface].compactMap(\.self))
        for member in object.memberIDs.prefix(Self.membersOfGroup) {
            if let interface = try nextHop(member)?.interface { result.insert(interface) }
        }
        return result
    }

    /// The maximum number of members of one group that are looked up, with one request each.
    private static let membersOfGroup = 64

    private func nextHop(_ id: NextHopID) throws(SystemError) -> NextHopObject? {
        var object: NextHopObject?
        // If it was removed meanwhile, its routes were removed with it.
        _ = try requests.get(Int(RTM_GETNEXTHOP), nhmsg(), { $0.attribute(Int(NHA_ID), id.rawValue) }) {
            object = NextHopObject($0)
        }
        return object
    }
}

extension DefaultRoute {
    /// Any fixed order, so that events do not depend on the order of a set.
    fileprivate var order: (UInt32, Int, Int) { (interface, family == .ipv4 ? 0 : 1, isAdvertised ? 1 : 0) }
}
