import Addressing
import Kubernetes
import Services
import TestAPIServer
import Testing

@testable import Cluster

/// An allocator, and the services as the API server has them.
struct PoolFixture {
    var allocator: PoolAllocator
    var services: [ObjectKey: Service] = [:]
    /// The last `resourceVersion`.
    private var version = 100
    /// Services whose `status` the allocator has decided to change.
    private var unwritten: Set<ObjectKey> = []

    init(_ pools: [AddressPool] = [.lan]) {
        allocator = PoolAllocator(pools: pools, loadBalancerClass: "kubermesh.io/anycast")
    }

    static func key(_ name: String) -> ObjectKey { ObjectKey(namespace: "default", name: name) }

    /// Creates or changes a service, and writes decisions until there are no more. `ingress`, if given, is what its `status`
    /// contains.
    mutating func apply(
        _ name: String, ingress: [String]? = nil, _ change: (inout Service) -> Void = { _ in }
    ) throws {
        try put(name, ingress: ingress, change)
        write()
    }

    /// Creates or changes a service. Nothing is decided yet.
    mutating func put(
        _ name: String, ingress: [String]? = nil, _ change: (inout Service) -> Void = { _ in }
    ) throws {
        var service = try services[Self.key(name)] ?? Self.service(name)
        if let ingress { service.ingressIPs = ingress.compactMap { IPv6Address($0) } }
        change(&service)
        store(service)
    }

    /// An IPv4 service of type `LoadBalancer` with TCP port 80.
    static func service(_ name: String) throws -> Service {
        var service: Service = try Objects.value(Objects.service(name, clusterIPs: ["10.0.0.1"]))
        service.metadata.uid = "uid-\(name)"
        service.families = [.ipv4]
        service.ports = try [port(80)]
        return service
    }

    static func port(_ number: UInt16, _ transport: String = "TCP") throws -> ServicePort {
        try Objects.decode("{\"port\": \(number), \"protocol\": \"\(transport)\"}")
    }

    /// Stores a service with a new version, and gives it to the allocator.
    mutating func store(_ service: Service) {
        version += 1
        var service = service
        service.metadata.resourceVersion = "\(version)"
        services[service.key] = service
        allocator.update(service)
    }

    mutating func delete(_ name: String) {
        guard let service = services.removeValue(forKey: Self.key(name)) else { return }
        allocator.remove(service.key, uid: service.metadata.uid)
        write()
    }

    /// Decides, and writes nothing yet.
    mutating func settle() { unwritten.formUnion(allocator.settle().toWrite) }

    /// Decides and writes until there is nothing to write, which must be after at most 1000 rounds.
    mutating func write() {
        for _ in 0..<1000 {
            settle()
            if unwritten.isEmpty { return }
            for key in unwritten.sorted() {
                unwritten.remove(key)
                guard let target = allocator.target(of: key) else { continue }
                var service = target.service
                service.ingressIPs = target.addresses
                service.ingressNames = []
                store(service)
            }
        }
        Issue.record("the allocator still changes services after 1000 rounds")
    }

    /// The addresses in the `status` of a service.
    func ingress(_ name: String) -> [String] { services[Self.key(name)]?.ingressIPs.map(\.description) ?? [] }

    func problem(_ name: String) -> PoolProblem? { allocator.problem(of: Self.key(name)) }
}

extension AddressPool {
    /// Eleven addresses, as in the example of docs/kubernetes.md.
    static let lan = AddressPool(name: "lan", ranges: [AddressRange("192.168.4.10-192.168.4.20")!])
    static let six = AddressPool(name: "six", ranges: [AddressRange("2001:db8::/120")!])
    static let reserved = AddressPool(
        name: "reserved", ranges: [AddressRange("172.30.2.0/24")!], assignsAutomatically: false)
}

struct PoolAllocatorTests {
    @Test func rangesAreRead() {
        #expect(AddressRange("172.30.2.0/24")?.count == 256)
        #expect(AddressRange("192.168.4.10-192.168.4.20")?.count == 11)
        #expect(AddressRange("2001:db8::/64")?.count == .max)
        #expect(AddressRange("2001:db8::/65")?.count == 1 << 63)
        #expect(AddressRange("2001:db8::/120")?.last == "2001:db8::ff")
        #expect(AddressRange("2001:db8::1-2001:db8::9")?.contains("2001:db8::9") == true)
        for text in ["", "-", "192.0.2.1", "192.0.2.9-192.0.2.1", "192.0.2.1-2001:db8::1", "192.0.2.1/24", "1-2-3"] {
            #expect(AddressRange(text) == nil, "\(text)")
        }
    }

    @Test func addressesAreAssignedUntilNoneIsFree() throws {
        var fixture = PoolFixture()
        for number in 10...20 { try fixture.apply("s\(number)") }
        #expect((10...20).allSatisfy { fixture.ingress("s\($0)") == ["192.168.4.\($0)"] })
        try fixture.apply("late")
        #expect(fixture.ingress("late").isEmpty && fixture.problem("late") == .exhausted(.ipv4, pool: nil))
        try fixture.apply("later")
        fixture.delete("s14")
        #expect(fixture.ingress("late") == ["192.168.4.14"] && fixture.problem("late") == nil)
        #expect(fixture.ingress("later").isEmpty)
        // A new allocator with the same services changes nothing.
        var next = PoolAllocator(pools: [.lan], loadBalancerClass: "kubermesh.io/anycast")
        for service in fixture.services.values { next.update(service) }
        let decisions = next.settle()
        #expect(decisions.toWrite.isEmpty && decisions.problems == [PoolFixture.key("later")])
    }

    @Test func aServiceKeepsItsAddress() throws {
        var fixture = PoolFixture([.lan, .reserved])
        try fixture.put("a")
        try fixture.put("b", ingress: ["192.168.4.10"])
        try fixture.put("c", ingress: ["172.30.2.77"])
        fixture.write()
        #expect(fixture.ingress("b") == ["192.168.4.10"] && fixture.ingress("a") == ["192.168.4.11"])
        #expect(
            fixture.ingress("c") == ["172.30.2.77"],
            "a service keeps an address of a pool that is not assigned automatically")
        // Of two services with the same address the first by name keeps it, and the other gets another.
        var twice = PoolFixture()
        try twice.put("a", ingress: ["192.168.4.10"])
        try twice.put("b", ingress: ["192.168.4.10"])
        twice.write()
        #expect(twice.ingress("a") == ["192.168.4.10"] && twice.ingress("b") == ["192.168.4.11"])
    }

    @Test func familiesFollowThePolicy() throws {
        var fixture = PoolFixture([.lan, .six])
        try fixture.apply("four")
        try fixture.apply("six") { $0.families = [.ipv6] }
        #expect(fixture.ingress("four") == ["192.168.4.10"] && fixture.ingress("six") == ["2001:db8::"])
        try fixture.apply("both") {
            $0.families = [.ipv6, .ipv4]
            $0.familyPolicy = .requireDual
        }
        #expect(fixture.ingress("both") == ["2001:db8::1", "192.168.4.11"])
        try fixture.apply("both") {
            $0.families = [.ipv6]
            $0.familyPolicy = .single
        }
        #expect(fixture.ingress("both") == ["2001:db8::1"])
        try fixture.apply("unspecified") {
            $0.families = []
            $0.clusterIPs = ["fd00::1"]
        }
        #expect(fixture.ingress("unspecified") == ["2001:db8::2"])
        try fixture.apply("nothing") {
            $0.families = []
            $0.clusterIPs = []
        }
        #expect(fixture.problem("nothing") == .noFamilies)
    }

    @Test func preferDualStackAcceptsOneFamily() throws {
        var fixture = PoolFixture([.six, AddressPool(name: "one", ranges: [AddressRange("192.0.2.1/32")!])])
        try fixture.apply("first")
        try fixture.apply("prefers") {
            $0.families = [.ipv4, .ipv6]
            $0.familyPolicy = .preferDual
        }
        try fixture.apply("requires") {
            $0.families = [.ipv4, .ipv6]
            $0.familyPolicy = .requireDual
        }
        #expect(fixture.ingress("prefers") == ["2001:db8::"] && fixture.problem("prefers") == nil)
        #expect(fixture.ingress("requires").isEmpty && fixture.problem("requires") == .exhausted(.ipv4, pool: nil))
        fixture.delete("first")
        #expect(
            fixture.ingress("prefers") == ["192.0.2.1", "2001:db8::"],
            "the second family is added when an address is free")
        fixture.delete("prefers")
        #expect(fixture.ingress("requires") == ["192.0.2.1", "2001:db8::"])
    }

    @Test func requestedAddressesAndPoolsAreAssigned() throws {
        var fixture = PoolFixture([.lan, .reserved])
        // A service that requests an address comes before those that take any, even if its name is later.
        try fixture.put("any")
        try fixture.put("asks") { $0.metadata.annotations["kubermesh.io/addresses"] = "192.168.4.10" }
        fixture.write()
        #expect(fixture.ingress("asks") == ["192.168.4.10"] && fixture.ingress("any") == ["192.168.4.11"])
        try fixture.apply("pool") { $0.metadata.annotations["kubermesh.io/pool"] = "reserved" }
        #expect(fixture.ingress("pool") == ["172.30.2.0"])
        try fixture.apply("old") { $0.loadBalancerIP = "172.30.2.99" }
        #expect(fixture.ingress("old") == ["172.30.2.99"])
        // A service that requests another address or pool is moved.
        try fixture.apply("old") { $0.loadBalancerIP = "192.168.4.20" }
        #expect(fixture.ingress("old") == ["192.168.4.20"])
        try fixture.apply("any") { $0.metadata.annotations["kubermesh.io/pool"] = "reserved" }
        #expect(fixture.ingress("any") == ["172.30.2.1"])
        // Two services swap their addresses.
        try fixture.put("asks") { $0.metadata.annotations["kubermesh.io/addresses"] = "192.168.4.20" }
        try fixture.put("old") { $0.loadBalancerIP = "192.168.4.10" }
        fixture.write()
        #expect(fixture.ingress("asks") == ["192.168.4.20"] && fixture.ingress("old") == ["192.168.4.10"])
    }

    @Test(
        arguments: [
            ("kubermesh.io/pool", "lann", .unknownPool("lann", known: ["lan", "six"])),
            ("kubermesh.io/addresses", "home", .notAnAddress("home")),
            ("kubermesh.io/addresses", "192.168.4.10,192.168.4.11", .twoOfAFamily(.ipv4)),
            ("kubermesh.io/addresses", "2001:db8::1", .otherFamily("2001:db8::1")),
            ("kubermesh.io/addresses", " 198.51.100.1 ", .inNoPool("198.51.100.1")),
            ("kubermesh.io/addresses", "192.168.4.19", .inUse("192.168.4.19", by: PoolFixture.key("other"))),
            ("kubermesh.io/pool", "six", .noAddresses(.ipv4, pool: "six")),
        ] as [(String, String, PoolProblem)])
    func impossibleRequestsAreReported(annotation: String, value: String, expected: PoolProblem) throws {
        var fixture = PoolFixture([.lan, .six])
        try fixture.apply("other", ingress: ["192.168.4.19"])
        try fixture.apply("web") { $0.metadata.annotations[annotation] = value }
        #expect(fixture.problem("web") == expected && fixture.ingress("web").isEmpty)
        #expect(!"\(expected)".isEmpty && expected.isWarning)
        // The annotation is corrected.
        try fixture.apply("web") { $0.metadata.annotations = [:] }
        #expect(fixture.problem("web") == nil && fixture.ingress("web") == ["192.168.4.10"])
    }

    @Test func contradictoryRequestsAreReported() throws {
        var fixture = PoolFixture([.lan, .reserved])
        try fixture.apply("web") {
            $0.metadata.annotations["kubermesh.io/addresses"] = "192.168.4.10"
            $0.loadBalancerIP = "192.168.4.10"
        }
        #expect(fixture.problem("web") == .conflictingRequests)
        try fixture.apply("web") {
            $0.metadata.annotations["kubermesh.io/pool"] = "reserved"
            $0.loadBalancerIP = nil
        }
        #expect(fixture.problem("web") == .inOtherPool("192.168.4.10", "reserved"))
    }

    @Test func servicesShareAnAddressIfTheirTermsAgree() throws {
        var fixture = PoolFixture()
        func add(_ name: String, _ port: UInt16, key: String? = "k", local: [String: String]? = nil) throws {
            try fixture.apply(name) {
                $0.metadata.annotations["kubermesh.io/allow-shared-address"] = key
                $0.ports = try! [PoolFixture.port(port)]
                $0.externalTrafficPolicy = local == nil ? .cluster : .local
                $0.selector = local ?? ["app": name]
            }
        }
        try add("a", 80)
        try add("b", 443)
        try add("c", 80)
        try add("d", 444, key: "other")
        try add("e", 445, key: nil)
        #expect(fixture.ingress("a") == ["192.168.4.10"] && fixture.ingress("b") == ["192.168.4.10"])
        #expect(fixture.ingress("c") == ["192.168.4.11"], "services with the same port do not share an address")
        #expect(fixture.ingress("d") == ["192.168.4.12"] && fixture.ingress("e") == ["192.168.4.13"])
        // With the policy `Local`, only services with the same selector share: their pods are on the same nodes. An empty
        // selector selects no pods.
        try add("f", 1, local: ["app": "f"])
        try add("g", 2, local: ["app": "f"])
        try add("h", 3, local: ["app": "h"])
        try add("i", 4, local: [:])
        #expect(fixture.ingress("f") == ["192.168.4.14"] && fixture.ingress("g") == ["192.168.4.14"])
        #expect(fixture.ingress("h") == ["192.168.4.15"] && fixture.ingress("i") == ["192.168.4.16"])
        // b changes to the port that a uses: only b moves.
        try add("b", 80)
        #expect(fixture.ingress("a") == ["192.168.4.10"] && fixture.ingress("b") == ["192.168.4.17"])
        // A requested address is shared too. UDP 80 is another port than TCP 80.
        try fixture.apply("j") {
            $0.metadata.annotations["kubermesh.io/allow-shared-address"] = "k"
            $0.metadata.annotations["kubermesh.io/addresses"] = "192.168.4.10"
            $0.ports = try! [PoolFixture.port(80, "UDP")]
        }
        #expect(fixture.ingress("j") == ["192.168.4.10"])
        fixture.delete("a")
        #expect(fixture.ingress("j") == ["192.168.4.10"], "a shared address stays with the remaining service")
        try fixture.apply("k")
        #expect(fixture.ingress("k") == ["192.168.4.18"])
    }

    @Test func servicesOfOtherControllersAreLeftAlone() throws {
        var fixture = PoolFixture()
        try fixture.apply("cloud", ingress: ["198.51.100.7"])
        #expect(fixture.ingress("cloud") == ["198.51.100.7"] && fixture.problem("cloud") == .foreign)
        try fixture.apply("named") { $0.ingressNames = ["lb.example.com"] }
        #expect(fixture.services[PoolFixture.key("named")]?.ingressNames == ["lb.example.com"])
        try fixture.apply("other") { $0.loadBalancerClass = "example.com/other" }
        #expect(fixture.ingress("other").isEmpty)
        try fixture.apply("other", ingress: ["192.168.4.10"])
        #expect(fixture.ingress("other") == ["192.168.4.10"], "an address that another controller assigned is kept")
        try fixture.apply("ours") { $0.loadBalancerClass = "kubermesh.io/anycast" }
        #expect(
            fixture.ingress("ours") == ["192.168.4.11"],
            "an address that another controller assigned is not assigned again")
        // With an annotation or the class of the pools, a service is ours, whatever address it has.
        try fixture.apply("cloud") { $0.metadata.annotations["kubermesh.io/pool"] = "lan" }
        #expect(fixture.ingress("cloud") == ["192.168.4.12"] && fixture.problem("cloud") == nil)
        try fixture.apply("renumbered", ingress: ["10.9.9.9"]) { $0.loadBalancerClass = "kubermesh.io/anycast" }
        #expect(fixture.ingress("renumbered") == ["192.168.4.13"])
        try fixture.apply("plain", ingress: ["10.9.9.9"]) { $0.type = "ClusterIP" }
        #expect(fixture.ingress("plain") == ["10.9.9.9"])
    }

    @Test func anAddressTakenFromAServiceIsFreeOnceTheStatusIsWritten() throws {
        var fixture = PoolFixture([AddressPool(name: "one", ranges: [AddressRange("192.0.2.1/32")!])])
        try fixture.apply("a")
        try fixture.apply("b")
        #expect(fixture.problem("b") == .exhausted(.ipv4, pool: nil))
        try fixture.put("a") { $0.type = "ClusterIP" }
        #expect(fixture.allocator.settle().toWrite == [PoolFixture.key("a")])
        #expect(
            fixture.allocator.addresses(of: PoolFixture.key("b")).isEmpty,
            "an address is not assigned while the status of another service has it")
        #expect(fixture.allocator.target(of: PoolFixture.key("a"))?.addresses == [])
        try fixture.put("a", ingress: [])
        fixture.write()
        #expect(fixture.ingress("b") == ["192.0.2.1"] && fixture.problem("b") == nil)
        // A service that is being deleted, but exists because of a finalizer, has its address taken away.
        try fixture.apply("a") { $0.type = "LoadBalancer" }
        try fixture.apply("b") { $0.metadata.deletionTimestamp = "2026-01-01T00:00:00Z" }
        #expect(fixture.ingress("b").isEmpty && fixture.ingress("a") == ["192.0.2.1"])
    }

    @Test func anOlderVersionChangesNothing() throws {
        var fixture = PoolFixture()
        try fixture.apply("a")
        let old = try #require(fixture.services[PoolFixture.key("a")])
        try fixture.apply("a") { $0.metadata.annotations["kubermesh.io/addresses"] = "192.168.4.20" }
        fixture.allocator.update(old)
        #expect(fixture.allocator.settle() == PoolAllocator.Decisions())
        #expect(fixture.allocator.addresses(of: PoolFixture.key("a")) == ["192.168.4.20"])
        // Nor does the removal of another service that had its name.
        fixture.allocator.remove(PoolFixture.key("a"), uid: "another")
        #expect(fixture.allocator.addresses(of: PoolFixture.key("a")) == ["192.168.4.20"])
    }

    @Test func theLowestFreeAddressesOfALargePoolAreAssigned() throws {
        var fixture = PoolFixture([
            AddressPool(name: "large", ranges: [AddressRange("2001:db8::/112")!, AddressRange("2001:db8:1::/64")!])
        ])
        for number in 0..<1000 { try fixture.put("s\(number)") { $0.families = [.ipv6] } }
        fixture.write()
        let all = Set(fixture.services.values.flatMap(\.ingressIPs))
        // The lowest 1000 addresses; 0x3e7 is 999.
        #expect(all.count == 1000 && all.max() == "2001:db8::3e7")
        // Addresses that became free are assigned again before higher ones.
        let names = fixture.services.keys.map(\.name).sorted()
        for name in names.prefix(500) { fixture.delete(name) }
        for number in 1000..<1500 { try fixture.put("s\(number)") { $0.families = [.ipv6] } }
        fixture.write()
        #expect(Set(fixture.services.values.flatMap(\.ingressIPs)) == all)
    }
}
