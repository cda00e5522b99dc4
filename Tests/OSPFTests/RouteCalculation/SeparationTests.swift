import Addressing
import OSPFPacket
import Testing

@testable import OSPF

struct SeparationTests {
    /// 1–2, 2–3, 3–1, 3–4, 4–5.
    private func triangleWithATail() -> Area {
        var area = Area()
        area.router(1, [cable(2, to: 2, 1), cable(3, to: 3, 1)])
        area.router(2, [cable(1, to: 1, 2), cable(3, to: 3, 2)])
        area.router(3, [cable(1, to: 1, 3), cable(2, to: 2, 3), cable(4, to: 4, 3)])
        area.router(4, [cable(3, to: 3, 4), cable(5, to: 5, 4)])
        area.router(5, [cable(4, to: 4, 5)])
        area.run(1, [neighbor(2, 2, 1), neighbor(3, 3, 1)])
        return area
    }

    @Test(arguments: [(1, []), (2, []), (3, [4, 5]), (4, [5]), (5, []), (9, [])] as [(RouterID, [RouterID])])
    func whoHangsOnARouter(_ router: RouterID, _ expected: [RouterID]) {
        #expect(triangleWithATail().calculation.routersSeparated(without: router) == expected)
    }

    @Test func whoCarriesNothingForOthersIsNoWay() {
        var area = triangleWithATail()
        area.router(2, [cable(1, to: 1, 2), cable(3, to: 3, 2)], options: [.v6, .e])
        area.run(1, [neighbor(2, 2, 1), neighbor(3, 3, 1)])
        #expect(area.calculation.routersSeparated(without: 1) == [])
        #expect(area.calculation.routersSeparated(without: 3).isEmpty == false)
    }

    @Test func aSegmentHoldsItsRoutersTogether() {
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
