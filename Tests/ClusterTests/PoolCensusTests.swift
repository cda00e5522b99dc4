import Addressing
import Kubernetes
import Services
import Testing

@testable import Cluster

struct PoolCensusTests {
    @Test func addressesInUseAreCounted() throws {
        let mixed = AddressPool(
            name: "mixed", ranges: ["192.0.2.0/28", "2001:db8::/64", "2001:db8:1::/64"].map { AddressRange($0)! })
        var census = PoolCensus([.lan, mixed])
        func set(_ name: String, _ ingress: [IPv6Address]?) throws {
            var service = try PoolFixture.service(name)
            service.ingressIPs = ingress ?? []
            census.set(service.key, ingress == nil ? nil : service)
        }
        func used() -> [Int] { census.uses.map(\.used) }
        #expect(census.uses.map(\.pool) == ["lan", "mixed", "mixed"])
        #expect(census.uses.map(\.family) == [.ipv4, .ipv6, .ipv4])
        // The size of a /64 does not fit into an Int.
        #expect(census.uses.map(\.addresses) == [11, .max, 16] && used() == [0, 0, 0])
        try set("a", ["192.168.4.10", "2001:db8::1", "198.51.100.1"])
        try set("b", ["192.168.4.10", "2001:db8:1::1"])
        #expect(used() == [1, 2, 0], "an address that two services share counts once")
        try set("a", ["192.0.2.1"])
        #expect(used() == [1, 1, 1])
        try set("b", nil)
        #expect(used() == [0, 0, 1])
        try set("a", [])
        #expect(used() == [0, 0, 0])
    }
}
