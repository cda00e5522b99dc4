import Addressing
import OSPF
import Routing
import Testing

@Suite struct FIBTests {
    @Test func aNewDestinationMakesItsObjectsBeforeItsRoutes() throws {
        var fib = FIB()
        let hop = NextHop(interface: 2, gateway: IPv6Address(0xfe80, 0, 0, 0, 0, 0, 0, 1))
        let prefix = try #require(IPv6Prefix("2001:db8::1/128"))
        let id = DestinationID(rawValue: 0)
        let destination = Destination(kind: .intraArea, metric: 10, announcers: [RouterID(rawValue: 1)], nextHops: [hop])
        fib.update(RouteTableUpdate(destinations: [(id, destination)], routes: [(prefix, id)]))
        #expect(fib.state(of: prefix) == .pending)
        let first = NextHopID(rawValue: 71_000_001)
        let group = NextHopID(rawValue: 71_000_000)
        #expect(
            fib.changes() == [
                .addNextHop(first, hop), .addGroup(group, [first]), .addRoute(prefix, .group(group)),
            ])
        #expect(fib.state(of: prefix) == .installed)
        #expect(fib.changes().isEmpty)
    }
}
