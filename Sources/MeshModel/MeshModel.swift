public import Addressing
internal import OSPF
public import OSPFPacket

/// A mesh as its link-state database describes it, to be asked and changed without touching the mesh: the routes of any router,
/// all ways between two places, and what a change would do.
///
/// The answers come from the calculation that the routers themselves use (``OSPF/RouteCalculation``), with each router in turn as
/// the root. A change edits LSAs as the routers would originate them.
public struct MeshModel: Sendable {
    /// The LSAs, without those of link-local scope, which describe single links to their own routers.
    public private(set) var lsas: [LSAKey: LSA] = [:]
    /// All routers that have a router-LSA, in order.
    public private(set) var routers: [RouterID] = []

    /// Its last root is ``root``.
    private(set) var calculation: RouteCalculation
    /// The router that the last run of the calculation had as its root; `.none` before the first and after a change.
    private var root = RouterID.none
    /// The routes of the root.
    private var table = RouteTable()

    /// The number of next hops of a route at most, as in agents.
    private static let maximumPaths = RouterConfiguration(routerID: RouterID(1)).maximumPaths

    /// Makes a model of LSAs, each of a key once. Those at MaxAge are left out.
    public init(_ lsas: some Sequence<LSA>) {
        calculation = RouteCalculation()
        for lsa in lsas where lsa.key.type.scope != .linkLocal && lsa.age < LSAHeader.maxAge {
            self.lsas[lsa.key] = lsa
            calculation.databaseChanged(lsa.key, to: lsa)
        }
        findRouters()
    }

    /// Replaces LSAs; `nil` removes one.
    mutating func replace(_ changes: [LSAKey: LSA?]) {
        for (key, lsa) in changes.sorted(by: { $0.key < $1.key }) {
            lsas[key] = lsa
            calculation.databaseChanged(key, to: lsa)
        }
        root = .none
        findRouters()
    }

    private mutating func findRouters() { routers = calculation.areaGraph().routers.keys.sorted() }

    /// The routers and links as a graph.
    mutating func graph() -> AreaGraph { calculation.areaGraph() }

    /// The links of a router that both their ends announce.
    mutating func links(of router: RouterID) -> [AnnouncedLink] { calculation.announcedLinks(of: router) }

    /// The routers on a network.
    mutating func members(
        ofNetwork designatedRouter: RouterID, interfaceID: UInt32
    ) -> [(router: RouterID, interfaceID: UInt32, cost: UInt16)] {
        calculation.announcedMembers(ofNetwork: designatedRouter, interfaceID: interfaceID)
    }

    /// Makes a router the root of ``calculation``. Link-local addresses are not in the database, so each neighbor has one that
    /// tells its router ID and interface ID (``PortID/init(_:)``).
    mutating func calculate(as router: RouterID) {
        guard root != router else { return }
        root = router
        table.apply(
            calculation.run(root: router, neighbors: neighbors(of: router), maximumPaths: Self.maximumPaths))
    }

    /// The routes of a router, by prefix.
    public mutating func routes(of router: RouterID) -> [IPv6Prefix: ModelRoute] {
        calculate(as: router)
        var result: [IPv6Prefix: ModelRoute] = [:]
        for (prefix, id) in table.routes {
            guard let destination = table.destinations[id] else { continue }
            result[prefix] = ModelRoute(destination, of: router)
        }
        return result
    }

    private mutating func neighbors(of router: RouterID) -> [UsableNeighbor] {
        func neighbor(_ interface: UInt32, _ port: PortID) -> UsableNeighbor {
            UsableNeighbor(
                interface: interface, routerID: port.router, interfaceID: port.interfaceID, address: port.address)
        }
        return links(of: router).flatMap { link in
            switch link.peer {
            case .router(let peer, let interfaceID):
                return [neighbor(link.interfaceID, PortID(router: peer, interfaceID: interfaceID))]
            case .network(let designatedRouter, let interfaceID):
                return members(ofNetwork: designatedRouter, interfaceID: interfaceID).filter { $0.router != router }.map
                {
                    neighbor(link.interfaceID, PortID(router: $0.router, interfaceID: $0.interfaceID))
                }
            }
        }
    }

    /// Whether a router wants no transit traffic (RFC 6987).
    public func isStub(_ router: RouterID) -> Bool {
        let key = lsas.keys.filter { $0.type == .router && $0.advertisingRouter == router }.min()
        guard case .router(let body)? = key.flatMap({ try? lsas[$0]!.body() }) else { return false }
        return !body.options.contains(.r)
    }

    /// The name that a router announces (RFC 5642), or its router ID.
    public func name(of router: RouterID) -> String { calculation.hostname(of: router) ?? router.description }

    /// The name of a port, if its router announces it: agents do.
    public func name(of port: PortID) -> String? {
        calculation.portName(of: port.router, interfaceID: port.interfaceID)
    }

    /// The router with this name or router ID; `nil` if there is none. Of several with one name, the first.
    public func router(named name: String) -> RouterID? {
        if let router = RouterID(name), routers.contains(router) { return router }
        return routers.first { calculation.hostname(of: $0) == name }
    }
}

/// A route of a router.
public struct ModelRoute: Hashable, Sendable {
    /// The cost, as in the router's own table.
    public var metric: UInt32
    /// The routers that announce the prefix and that packets may reach.
    public var announcers: [RouterID]
    /// The ports that packets leave by, each with the next port; `nil` where the destination itself or a gateway outside of the
    /// mesh is on the link. In order.
    public var nextHops: [Hop]

    public struct Hop: Hashable, Sendable {
        public var port: PortID
        public var next: PortID?
    }

    init(_ destination: Destination, of router: RouterID) {
        metric = destination.metric
        announcers = destination.announcers
        nextHops = destination.nextHops.map { hop in
            Hop(
                port: PortID(router: router, interfaceID: hop.interface),
                next: hop.gateway.isLinkLocal ? PortID(hop.gateway) : nil)
        }
    }
}

/// One end of a link: an interface of a router.
public struct PortID: Hashable, Comparable, Sendable {
    public var router: RouterID
    /// The kernel's index of the interface, which is its OSPF interface ID.
    public var interfaceID: UInt32

    public init(router: RouterID, interfaceID: UInt32) {
        self.router = router
        self.interfaceID = interfaceID
    }

    /// By router, then by interface.
    public static func < (left: PortID, right: PortID) -> Bool {
        (left.router, left.interfaceID) < (right.router, right.interfaceID)
    }

    /// A link-local address that stands for the port in a calculation.
    var address: IPv6Address {
        IPv6Address(high: 0xfe80 << 48, low: UInt64(router.rawValue) << 32 | UInt64(interfaceID))
    }

    /// The port for which an address stands.
    init(_ address: IPv6Address) {
        router = RouterID(UInt32(address.low >> 32))
        interfaceID = UInt32(truncatingIfNeeded: address.low)
    }
}
