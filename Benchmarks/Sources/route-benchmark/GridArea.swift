import Addressing
import OSPF
import OSPFPacket

/// Routers in a square grid that is closed to a ring in both directions, so that each has four cables and there are
/// many equal ways. Interface 1 goes east, 2 south, 3 west, 4 north.
struct GridArea {
    let side: UInt32

    private func neighbor(_ router: RouterID, _ direction: UInt32) -> RouterID {
        let (row, column) = ((router.rawValue - 1) / side, (router.rawValue - 1) % side)
        let (down, right) = [(0, 1), (1, 0), (0, side - 1), (side - 1, 0)][Int(direction) - 1] as (UInt32, UInt32)
        return RouterID((row + down) % side * side + (column + right) % side + 1)
    }

    private func opposite(_ direction: UInt32) -> UInt32 { (direction + 1) % 4 + 1 }

    func routerLSA(of router: RouterID, cost: UInt16 = 10) -> LSA {
        let links = (1...4 as ClosedRange<UInt32>).map { direction in
            RouterLSA.Link(
                type: .pointToPoint, metric: cost, interfaceID: direction, neighborInterfaceID: opposite(direction),
                neighborRouterID: neighbor(router, direction))
        }
        return LSA(
            key: LSAKey(type: .router, linkStateID: 0, advertisingRouter: router), sequenceNumber: 1,
            body: .router(RouterLSA(options: [.v6, .r, .e], links: links)))
    }

    func routerLSAs() -> [LSA] { (1...side * side).map { routerLSA(of: RouterID($0)) } }

    /// A /128 and a /64 of each router.
    func ownPrefixes() -> [LSA] {
        (1...side * side).map { router in
            let host = IPv6Prefix(host: IPv6Address(high: 0xfd00 << 48, low: UInt64(router)))
            let pods = IPv6Prefix(IPv6Address(high: 0xfd01 << 48 | UInt64(router), low: 0), length: 64)
            return prefixLSA(of: RouterID(router), part: 0, [host, pods], metric: 0)
        }
    }

    /// `count` /128 of one router, as many to an LSA as fit a link of 1,280 octets.
    func prefixLSAs(of router: RouterID, count: Int, metric: UInt16) -> [LSA] {
        stride(from: 0, to: count, by: 55).map { start in
            let prefixes = (start..<min(start + 55, count)).map {
                IPv6Prefix(host: IPv6Address(high: 0xfd02 << 48, low: UInt64($0)))
            }
            return prefixLSA(of: router, part: UInt32(start / 55 + 1), prefixes, metric: metric)
        }
    }

    private func prefixLSA(of router: RouterID, part: UInt32, _ prefixes: [IPv6Prefix], metric: UInt16) -> LSA {
        let body = IntraAreaPrefixLSA(
            referencedType: .router, referencedLinkStateID: 0, referencedAdvertisingRouter: router,
            prefixes: prefixes.map { LSAPrefix(prefix: $0, metric: metric) })
        return LSA(
            key: LSAKey(type: .intraAreaPrefix, linkStateID: part, advertisingRouter: router), sequenceNumber: 1,
            body: .intraAreaPrefix(body))
    }

    func neighbors(of router: RouterID) -> [UsableNeighbor] {
        (1...4 as ClosedRange<UInt32>).map { direction in
            let other = neighbor(router, direction)
            return UsableNeighbor(
                interface: direction, routerID: other, interfaceID: opposite(direction),
                address: IPv6Address(high: 0xfe80 << 48, low: UInt64(other.rawValue)))
        }
    }
}
