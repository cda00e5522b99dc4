import Addressing
import Kubernetes
import Services
import Testing

@testable import Cluster

/// Thousands of random changes, with checks after each group of up to three.
struct PoolRandomTests {
    private typealias Random = RandomNumbers

    private static let pools = [
        AddressPool(
            name: "small", ranges: [AddressRange("192.0.2.1-192.0.2.3")!, AddressRange("2001:db8::/126")!]),
        AddressPool(name: "other", ranges: [AddressRange("198.51.100.0/30")!]),
        AddressPool(name: "chosen", ranges: [AddressRange("203.0.113.0/31")!], assignsAutomatically: false),
    ]

    /// Replaces everything that the allocator looks at by random values.
    private static func change(_ service: inout Service, _ random: inout Random) throws {
        var annotations: [String: String] = [:]
        if random.below(3) == 0 { annotations["kubermesh.io/allow-shared-address"] = "k\(random.below(2))" }
        if random.below(6) == 0 { annotations["kubermesh.io/pool"] = ["small", "chosen", "none"][random.below(3)] }
        if random.below(6) == 0 {
            annotations["kubermesh.io/addresses"] =
                ["192.0.2.2", "2001:db8::1", "203.0.113.1, 2001:db8::2", "8.8.8.8"][random.below(4)]
        }
        service.metadata.annotations = annotations
        service.type = random.below(5) == 0 ? "ClusterIP" : "LoadBalancer"
        service.loadBalancerClass = [nil, nil, "kubermesh.io/anycast", "example.com/other"][random.below(4)]
        service.families = [[.ipv4], [.ipv6], [.ipv4, .ipv6], [.ipv6, .ipv4]][random.below(4)]
        service.familyPolicy = [.single, .preferDual, .requireDual][random.below(3)]
        service.ports = try (0..<1 + random.below(2)).map { _ in try PoolFixture.port(UInt16(80 + random.below(3))) }
        service.externalTrafficPolicy = random.below(4) == 0 ? .local : .cluster
        service.selector = ["app": "\(random.below(2))"]
        if random.below(20) == 0 { service.ingressIPs = [["192.0.2.1", "8.8.4.4", "2001:db8::3"][random.below(3)]] }
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>) func invariantsHoldAfterRandomChanges(seed: UInt64) throws {
        var random = Random(state: seed)
        var fixture = PoolFixture(Self.pools)
        for step in 0..<400 {
            for _ in 0..<1 + random.below(3) {
                let name = "s\(random.below(14))"
                if random.below(4) == 0 {
                    fixture.delete(name)
                } else {
                    var failure: (any Error)?
                    try fixture.put(name) { service in
                        do { try Self.change(&service, &random) } catch { failure = error }
                    }
                    if let failure { throw failure }
                }
            }
            // In a third of the steps, decisions wait while services change again.
            if random.below(3) == 0 { fixture.settle() } else { fixture.write() }
            checkHolders(fixture, "seed \(seed), step \(step)")
        }
        fixture.write()
        checkFinalState(fixture, "seed \(seed)")
    }

    /// Services that should have the same address agree to share it.
    private func checkHolders(_ fixture: PoolFixture, _ comment: Comment) {
        for (address, holders) in fixture.allocator.holders {
            let list = holders.sorted { $0.key < $1.key }
            for (index, one) in list.enumerated() {
                for other in list[(index + 1)...] {
                    #expect(one.value.agree(with: other.value), "\(address) of \(one.key), \(other.key): \(comment)")
                }
            }
        }
    }

    /// When all is written, a new allocator with the same services decides the same, and a service without an address only
    /// because none is left finds every address of its pools taken.
    private func checkFinalState(_ fixture: PoolFixture, _ comment: Comment) {
        var next = PoolAllocator(pools: Self.pools, loadBalancerClass: "kubermesh.io/anycast")
        for service in fixture.services.values { next.update(service) }
        #expect(next.settle().toWrite.isEmpty, comment)
        for key in fixture.services.keys {
            #expect(next.addresses(of: key) == fixture.allocator.addresses(of: key), "\(key): \(comment)")
            #expect(next.problem(of: key) == fixture.allocator.problem(of: key), "\(key): \(comment)")
        }
        let taken = Set(fixture.services.values.flatMap(\.ingressIPs))
        for service in fixture.services.values {
            guard let demand = try? service.poolDemand(),
                case .exhausted(let family, _)? = next.problem(of: service.key)
            else { continue }
            let pools = Self.pools.filter { demand.pool == nil ? $0.assignsAutomatically : $0.name == demand.pool }
            for range in pools.flatMap(\.ranges) where range.family == family {
                for number in range.first.number...range.last.number {
                    #expect(taken.contains(IPv6Address(number: number)), "\(service.key): \(comment)")
                }
            }
        }
    }
}
