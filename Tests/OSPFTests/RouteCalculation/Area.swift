public import Addressing
import OSPFPacket

@testable import OSPF

/// An area as a test describes it: the bodies of the LSAs in the database, a route calculation that is notified of each change,
/// and the route table after its updates.
struct Area {
    private(set) var bodies: [LSAKey: LSABody] = [:]
    var calculation: RouteCalculation
    private(set) var table = RouteTable()

    init(limits: RouterLimits = RouterLimits(), isBackbone: Bool = true) {
        calculation = RouteCalculation(limits: limits, isBackbone: isBackbone)
    }

    /// Adds or replaces an LSA; removes it if `body` is `nil`.
    mutating func set(_ key: LSAKey, _ body: LSABody?) {
        guard bodies[key] != body else { return }
        bodies[key] = body
        calculation.databaseChanged(key, to: body.map { LSA(key: key, sequenceNumber: 1, body: $0) })
    }

    /// Runs the calculation as seen from `root` with these usable neighbors, and applies its update to the table.
    @discardableResult
    mutating func run(
        _ root: RouterID, _ neighbors: [UsableNeighbor], maximumPaths: Int = 64, findsAlternates: Bool = false
    ) -> RouteTableUpdate {
        let update = calculation.run(
            root: root, neighbors: neighbors, maximumPaths: maximumPaths, findsAlternates: findsAlternates)
        table.apply(update)
        return update
    }

    /// The destination of the route to a prefix; `nil` if there is no route.
    func route(_ prefix: IPv6Prefix) -> Destination? { table.routes[prefix].flatMap { table.destinations[$0] } }

    // MARK: LSAs in short

    /// A router-LSA. Here and below, a router has several LSAs of a type if `linkStateID` differs.
    mutating func router(
        _ router: RouterID, _ links: [RouterLSA.Link], flags: RouterLSA.Flags = [],
        options: OSPFOptions = [.v6, .r, .e], linkStateID: UInt32 = 0
    ) {
        set(
            LSAKey(type: .router, linkStateID: linkStateID, advertisingRouter: router),
            .router(RouterLSA(flags: flags, options: options, links: links)))
    }

    mutating func network(_ designatedRouter: RouterID, interface: UInt32, _ routers: [RouterID]) {
        set(
            LSAKey(type: .network, linkStateID: interface, advertisingRouter: designatedRouter),
            .network(NetworkLSA(options: [.v6, .r, .e], attachedRouters: routers)))
    }

    /// An intra-area-prefix-LSA: prefixes of the router itself, or of the network with that link state ID.
    mutating func prefixes(_ router: RouterID, _ prefixes: [LSAPrefix], linkStateID: UInt32 = 0, network: UInt32? = nil)
    {
        set(
            LSAKey(type: .intraAreaPrefix, linkStateID: linkStateID, advertisingRouter: router),
            .intraAreaPrefix(
                IntraAreaPrefixLSA(
                    referencedType: network == nil ? .router : .network, referencedLinkStateID: network ?? 0,
                    referencedAdvertisingRouter: router, prefixes: prefixes)))
    }

    mutating func ipv4Prefixes(_ router: RouterID, _ prefixes: [LSAPrefix]) {
        let key = LSAKey(type: .ipv4Prefix, linkStateID: 0, advertisingRouter: router)
        set(key, .ipv4Prefix(IPv4PrefixLSA(prefixes: prefixes)))
    }

    mutating func interAreaPrefix(_ border: RouterID, _ prefix: IPv6Prefix, metric: UInt32, linkStateID: UInt32 = 0) {
        set(
            LSAKey(type: .interAreaPrefix, linkStateID: linkStateID, advertisingRouter: border),
            .interAreaPrefix(InterAreaPrefixLSA(metric: metric, prefix: LSAPrefix(prefix: prefix))))
    }

    mutating func interAreaRouter(_ border: RouterID, to router: RouterID, metric: UInt32, linkStateID: UInt32 = 0) {
        set(
            LSAKey(type: .interAreaRouter, linkStateID: linkStateID, advertisingRouter: border),
            .interAreaRouter(InterAreaRouterLSA(options: [.v6, .r, .e], metric: metric, destination: router)))
    }

    mutating func external(
        _ router: RouterID, _ prefix: IPv6Prefix, type2: Bool = true, metric: UInt32, forwarding: IPv6Address? = nil,
        linkStateID: UInt32 = 0
    ) {
        set(
            LSAKey(type: .asExternal, linkStateID: linkStateID, advertisingRouter: router),
            .asExternal(
                ASExternalLSA(
                    isType2: type2, metric: metric, prefix: LSAPrefix(prefix: prefix), forwardingAddress: forwarding)))
    }

    mutating func remove(_ type: LSAType, _ router: RouterID, linkStateID: UInt32 = 0) {
        set(LSAKey(type: type, linkStateID: linkStateID, advertisingRouter: router), nil)
    }
}

/// A point-to-point link: the interface of the router that announces it, the neighbor, and the neighbor's interface.
func cable(_ interface: UInt32, to router: RouterID, _ neighborInterface: UInt32, cost: UInt16 = 10) -> RouterLSA.Link {
    RouterLSA.Link(
        type: .pointToPoint, metric: cost, interfaceID: interface, neighborInterfaceID: neighborInterface,
        neighborRouterID: router
    )
}

/// A link to a transit network: the interface of the router that announces it, the designated router, and that router's
/// interface.
func transit(_ interface: UInt32, designated router: RouterID, _ designatedInterface: UInt32, cost: UInt16 = 10)
    -> RouterLSA.Link
{
    RouterLSA.Link(
        type: .transit, metric: cost, interfaceID: interface, neighborInterfaceID: designatedInterface,
        neighborRouterID: router)
}

/// `fe80::ROUTER:INTERFACE`, the link-local address of that router on that interface.
func linkLocal(_ router: RouterID, _ interface: UInt32) -> IPv6Address {
    IPv6Address(high: 0xfe80 << 48, low: UInt64(router.rawValue) << 16 | UInt64(interface))
}

/// A usable neighbor of the root: the root's interface, the neighbor, and the neighbor's interface.
func neighbor(_ interface: UInt32, _ router: RouterID, _ neighborInterface: UInt32) -> UsableNeighbor {
    UsableNeighbor(
        interface: interface, routerID: router, interfaceID: neighborInterface,
        address: linkLocal(router, neighborInterface))
}

/// The next hop to the ``neighbor(_:_:_:)`` with the same arguments.
func hop(_ interface: UInt32, _ router: RouterID, _ neighborInterface: UInt32) -> NextHop {
    NextHop(interface: interface, gateway: linkLocal(router, neighborInterface))
}

/// The next hop for addresses on the link of an interface itself: no gateway.
func onLink(_ interface: UInt32) -> NextHop { NextHop(onLink: interface) }

extension RouterID: ExpressibleByIntegerLiteral {
    /// Makes a router ID from a number.
    public init(integerLiteral value: UInt32) { self.init(value) }
}

extension IPv6Prefix: ExpressibleByStringLiteral {
    /// Makes a prefix from its text, which must be valid.
    public init(stringLiteral value: String) { self.init(value)! }
}

extension LSAPrefix {
    init(_ prefix: IPv6Prefix, _ metric: UInt16 = 0) { self.init(prefix: prefix, metric: metric) }
}
