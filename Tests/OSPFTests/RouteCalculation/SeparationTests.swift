import Addressing
import OSPFPacket
import Testing

@testable import OSPF

struct SeparationTests {
    /// The triangle 1–2–3 and the branch 3–4–5. The root is router 1.
    private func triangleWithBranch() -> Area {
        var area = Area()
        area.router(1, [cable(2, to: 2, 1), cable(3, to: 3, 1)])
        area.router(2, [cable(1, to: 1, 2), cable(3, to: 3, 2)])
        area.router(3, [cable(1, to: 1, 3), cable(2, to: 2, 3), cable(4, to: 4, 3)])
        area.router(4, [cable(3, to: 3, 4), cable(5, to: 5, 4)])
        area.router(5, [cable(4, to: 4, 5)])
        area.run(1, [neighbor(2, 2, 1), neighbor(3, 3, 1)])
        return area
    }

    /// The routers that would be cut off from the largest part without `router`. Router 9 does not exist.
    @Test(arguments: [(1, []), (2, []), (3, [4, 5]), (4, [5]), (5, []), (9, [])] as [(RouterID, [RouterID])])
    func theRoutersCutOffWithoutARouterAreFound(_ router: RouterID, _ expected: [RouterID]) {
        #expect(triangleWithBranch().calculation.routersSeparated(without: router) == expected)
    }

    /// Router 2 is a stub router, so it connects no others: without router 3, the parts 1–2 and 4–5 are equally large, and
    /// either may be the result.
    @Test func aStubRouterConnectsNoOtherRouters() {
        var area = triangleWithBranch()
        area.router(2, [cable(1, to: 1, 2), cable(3, to: 3, 2)], options: [.v6, .e])
        area.run(1, [neighbor(2, 2, 1), neighbor(3, 3, 1)])
        #expect(area.calculation.routersSeparated(without: 1) == [])
        #expect(area.calculation.routersSeparated(without: 3).isEmpty == false)
    }

    /// Only the network is between the routers: they stay together without any one of them, even the designated router.
    @Test func routersOfASegmentStayConnectedWithoutAnyOneOfThem() {
        var area = Area()
        for router in 1...4 as ClosedRange<UInt32> {
            area.router(RouterID(router), [transit(1, designated: 4, 1)])
        }
        area.network(4, interface: 1, [1, 2, 3, 4])
        area.run(1, [neighbor(1, 2, 1), neighbor(1, 3, 1), neighbor(1, 4, 1)])
        #expect(area.calculation.routersSeparated(without: 1) == [])
        #expect(area.calculation.routersSeparated(without: 4) == [])
    }
}
