import Addressing
import Kubernetes
import Services
import TestAPIServer
import Testing

@testable import Cluster

/// An allocator, and the services as the API server has them.
struct PoolStage {
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

    /// Gives a service a new version and tells the allocator.
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
        Issue.record("it never comes to rest")
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

    @Test func addressesAreGivenUntilNoneIsLeft() throws {
        var stage = PoolStage()
        for number in 10...20 { try stage.apply("s\(number)") }
        #expect((10...20).allSatisfy { stage.ingress("s\($0)") == ["192.168.4.\($0)"] })
        try stage.apply("late")
        #expect(stage.ingress("late").isEmpty && stage.problem("late") == .exhausted(.ipv4, pool: nil))
        try stage.apply("later")
        stage.delete("s14")
        #expect(stage.ingress("late") == ["192.168.4.14"] && stage.problem("late") == nil)
        #expect(stage.ingress("later").isEmpty)
        // A new allocator with the same services changes nothing.
        var next = PoolAllocator(pools: [.lan], loadBalancerClass: "kubermesh.io/anycast")
        for service in stage.services.values { next.update(service) }
        let decisions = next.settle()
        #expect(decisions.toWrite.isEmpty && decisions.problems == [PoolStage.key("later")])
    }

    @Test func whatAServiceHasIsKept() throws {
        var stage = PoolStage([.lan, .reserved])
        try stage.put("a")
        try stage.put("b", ingress: ["192.168.4.10"])
        try stage.put("c", ingress: ["172.30.2.77"])
        stage.write()
        #expect(stage.ingress("b") == ["192.168.4.10"] && stage.ingress("a") == ["192.168.4.11"])
        #expect(stage.ingress("c") == ["172.30.2.77"], "also of a pool that is not assigned automatically")
        // Of two services with the same address the first by name keeps it, and the other gets another.
        var twice = PoolStage()
        try twice.put("a", ingress: ["192.168.4.10"])
        try twice.put("b", ingress: ["192.168.4.10"])
        twice.write()
        #expect(twice.ingress("a") == ["192.168.4.10"] && twice.ingress("b") == ["192.168.4.11"])
    }

    @Test func familiesFollowThePolicy() throws {
        var stage = PoolStage([.lan, .six])
        try stage.apply("four")
        try stage.apply("six") { $0.families = [.ipv6] }
        #expect(stage.ingress("four") == ["192.168.4.10"] && stage.ingress("six") == ["2001:db8::"])
        try stage.apply("both") {
            $0.families = [.ipv6, .ipv4]
            $0.familyPolicy = .requireDual
        }
        #expect(stage.ingress("both") == ["2001:db8::1", "192.168.4.11"])
        try stage.apply("both") {
            $0.families = [.ipv6]
            $0.familyPolicy = .single
        }
        #expect(stage.ingress("both") == ["2001:db8::1"])
        try stage.apply("unsaid") {
            $0.families = []
            $0.clusterIPs = ["fd00::1"]
        }
        #expect(stage.ingress("unsaid") == ["2001:db8::2"])
        try stage.apply("nothing") {
            $0.families = []
            $0.clusterIPs = []
        }
        #expect(stage.problem("nothing") == .noFamilies)
    }

    @Test func someAreBetterThanNoneWherePreferred() throws {
        var stage = PoolStage([.six, AddressPool(name: "one", ranges: [AddressRange("192.0.2.1/32")!])])
        try stage.apply("first")
        try stage.apply("prefers") {
            $0.families = [.ipv4, .ipv6]
            $0.familyPolicy = .preferDual
        }
        try stage.apply("requires") {
            $0.families = [.ipv4, .ipv6]
            $0.familyPolicy = .requireDual
        }
        #expect(stage.ingress("prefers") == ["2001:db8::"] && stage.problem("prefers") == nil)
        #expect(stage.ingress("requires").isEmpty && stage.problem("requires") == .exhausted(.ipv4, pool: nil))
        stage.delete("first")
        #expect(stage.ingress("prefers") == ["192.0.2.1", "2001:db8::"], "the other is added when there is one")
        stage.delete("prefers")
        #expect(stage.ingress("requires") == ["192.0.2.1", "2001:db8::"])
    }

    @Test func whatIsAskedForIsGiven() throws {
        var stage = PoolStage([.lan, .reserved])
        // A service that requests an address comes before those that take any, even if its name is later.
        try stage.put("any")
        try stage.put("asks") { $0.metadata.annotations["kubermesh.io/addresses"] = "192.168.4.10" }
        stage.write()
        #expect(stage.ingress("asks") == ["192.168.4.10"] && stage.ingress("any") == ["192.168.4.11"])
        try stage.apply("pool") { $0.metadata.annotations["kubermesh.io/pool"] = "reserved" }
        #expect(stage.ingress("pool") == ["172.30.2.0"])
        try stage.apply("old") { $0.loadBalancerIP = "172.30.2.99" }
        #expect(stage.ingress("old") == ["172.30.2.99"])
        // A service that requests another address or pool is moved.
        try stage.apply("old") { $0.loadBalancerIP = "192.168.4.20" }
        #expect(stage.ingress("old") == ["192.168.4.20"])
        try stage.apply("any") { $0.metadata.annotations["kubermesh.io/pool"] = "reserved" }
        #expect(stage.ingress("any") == ["172.30.2.1"])
        // Two services swap their addresses.
        try stage.put("asks") { $0.metadata.annotations["kubermesh.io/addresses"] = "192.168.4.20" }
        try stage.put("old") { $0.loadBalancerIP = "192.168.4.10" }
        stage.write()
        #expect(stage.ingress("asks") == ["192.168.4.20"] && stage.ingress("old") == ["192.168.4.10"])
    }

    @Test(
        arguments: [
            ("kubermesh.io/pool", "lann", .unknownPool("lann", known: ["lan", "six"])),
            ("kubermesh.io/addresses", "home", .notAnAddress("home")),
            ("kubermesh.io/addresses", "192.168.4.10,192.168.4.11", .twoOfAFamily(.ipv4)),
            ("kubermesh.io/addresses", "2001:db8::1", .otherFamily("2001:db8::1")),
            ("kubermesh.io/addresses", " 198.51.100.1 ", .inNoPool("198.51.100.1")),
            ("kubermesh.io/addresses", "192.168.4.19", .inUse("192.168.4.19", by: PoolStage.key("other"))),
            ("kubermesh.io/pool", "six", .noAddresses(.ipv4, pool: "six")),
        ] as [(String, String, PoolProblem)])
    func whatCannotBeGivenIsSaid(annotation: String, value: String, expected: PoolProblem) throws {
        var stage = PoolStage([.lan, .six])
        try stage.apply("other", ingress: ["192.168.4.19"])
        try stage.apply("web") { $0.metadata.annotations[annotation] = value }
        #expect(stage.problem("web") == expected && stage.ingress("web").isEmpty)
        #expect(!"\(expected)".isEmpty && expected.isWarning)
        // The annotation is corrected.
        try stage.apply("web") { $0.metadata.annotations = [:] }
        #expect(stage.problem("web") == nil && stage.ingress("web") == ["192.168.4.10"])
    }

    @Test func contradictionsAreSaid() throws {
        var stage = PoolStage([.lan, .reserved])
        try stage.apply("web") {
            $0.metadata.annotations["kubermesh.io/addresses"] = "192.168.4.10"
            $0.loadBalancerIP = "192.168.4.10"
        }
        #expect(stage.problem("web") == .conflictingRequests)
        try stage.apply("web") {
            $0.metadata.annotations["kubermesh.io/pool"] = "reserved"
            $0.loadBalancerIP = nil
        }
        #expect(stage.problem("web") == .inOtherPool("192.168.4.10", "reserved"))
    }

    @Test func addressesAreSharedByThoseWhoAgree() throws {
        var stage = PoolStage()
        func add(_ name: String, _ port: UInt16, key: String? = "k", local: [String: String]? = nil) throws {
            try stage.apply(name) {
                $0.metadata.annotations["kubermesh.io/allow-shared-address"] = key
                $0.ports = try! [PoolStage.port(port)]
                $0.externalTrafficPolicy = local == nil ? .cluster : .local
                $0.selector = local ?? ["app": name]
            }
        }
        try add("a", 80)
        try add("b", 443)
        try add("c", 80)
        try add("d", 444, key: "other")
        try add("e", 445, key: nil)
        #expect(stage.ingress("a") == ["192.168.4.10"] && stage.ingress("b") == ["192.168.4.10"])
        #expect(stage.ingress("c") == ["192.168.4.11"], "a port can be had once")
        #expect(stage.ingress("d") == ["192.168.4.12"] && stage.ingress("e") == ["192.168.4.13"])
        // With the policy `Local`, only services with the same selector share: their pods are on the same nodes. An empty
        // selector selects no pods.
        try add("f", 1, local: ["app": "f"])
        try add("g", 2, local: ["app": "f"])
        try add("h", 3, local: ["app": "h"])
        try add("i", 4, local: [:])
        #expect(stage.ingress("f") == ["192.168.4.14"] && stage.ingress("g") == ["192.168.4.14"])
        #expect(stage.ingress("h") == ["192.168.4.15"] && stage.ingress("i") == ["192.168.4.16"])
        // b changes to the port that a uses: only b moves.
        try add("b", 80)
        #expect(stage.ingress("a") == ["192.168.4.10"] && stage.ingress("b") == ["192.168.4.17"])
        // A requested address is shared too. UDP 80 is another port than TCP 80.
        try stage.apply("j") {
            $0.metadata.annotations["kubermesh.io/allow-shared-address"] = "k"
            $0.metadata.annotations["kubermesh.io/addresses"] = "192.168.4.10"
            $0.ports = try! [PoolStage.port(80, "UDP")]
        }
        #expect(stage.ingress("j") == ["192.168.4.10"])
        stage.delete("a")
        #expect(stage.ingress("j") == ["192.168.4.10"], "it is still held")
        try stage.apply("k")
        #expect(stage.ingress("k") == ["192.168.4.18"])
    }

    @Test func whatIsNotOursIsLeftAlone() throws {
        var stage = PoolStage()
        try stage.apply("cloud", ingress: ["198.51.100.7"])
        #expect(stage.ingress("cloud") == ["198.51.100.7"] && stage.problem("cloud") == .foreign)
        try stage.apply("named") { $0.ingressNames = ["lb.example.com"] }
        #expect(stage.services[PoolStage.key("named")]?.ingressNames == ["lb.example.com"])
        try stage.apply("other") { $0.loadBalancerClass = "example.com/other" }
        #expect(stage.ingress("other").isEmpty)
        try stage.apply("other", ingress: ["192.168.4.10"])
        #expect(stage.ingress("other") == ["192.168.4.10"], "a pool of another controller may overlap")
        try stage.apply("ours") { $0.loadBalancerClass = "kubermesh.io/anycast" }
        #expect(stage.ingress("ours") == ["192.168.4.11"], "and what it has is not given away")
        // With an annotation or the class of the pools, a service is ours, whatever address it has.
        try stage.apply("cloud") { $0.metadata.annotations["kubermesh.io/pool"] = "lan" }
        #expect(stage.ingress("cloud") == ["192.168.4.12"] && stage.problem("cloud") == nil)
        try stage.apply("renumbered", ingress: ["10.9.9.9"]) { $0.loadBalancerClass = "kubermesh.io/anycast" }
        #expect(stage.ingress("renumbered") == ["192.168.4.13"])
        try stage.apply("plain", ingress: ["10.9.9.9"]) { $0.type = "ClusterIP" }
        #expect(stage.ingress("plain") == ["10.9.9.9"])
    }

    @Test func whatIsTakenBackIsFreeWhenTheAPIHasHeardOfIt() throws {
        var stage = PoolStage([AddressPool(name: "one", ranges: [AddressRange("192.0.2.1/32")!])])
        try stage.apply("a")
        try stage.apply("b")
        #expect(stage.problem("b") == .exhausted(.ipv4, pool: nil))
        try stage.put("a") { $0.type = "ClusterIP" }
        #expect(stage.allocator.settle().toWrite == [PoolStage.key("a")])
        #expect(stage.allocator.addresses(of: PoolStage.key("b")).isEmpty, "its status still has it")
        #expect(stage.allocator.target(of: PoolStage.key("a"))?.addresses == [])
        try stage.put("a", ingress: [])
        stage.write()
        #expect(stage.ingress("b") == ["192.0.2.1"] && stage.problem("b") == nil)
        // A service that is being deleted, but exists because of a finalizer, has its address taken away.
        try stage.apply("a") { $0.type = "LoadBalancer" }
        try stage.apply("b") { $0.metadata.deletionTimestamp = "2026-01-01T00:00:00Z" }
        #expect(stage.ingress("b").isEmpty && stage.ingress("a") == ["192.0.2.1"])
    }

    @Test func whatIsOlderChangesNothing() throws {
        var stage = PoolStage()
        try stage.apply("a")
        let old = try #require(stage.services[PoolStage.key("a")])
        try stage.apply("a") { $0.metadata.annotations["kubermesh.io/addresses"] = "192.168.4.20" }
        stage.allocator.update(old)
        #expect(stage.allocator.settle() == PoolAllocator.Decisions())
        #expect(stage.allocator.addresses(of: PoolStage.key("a")) == ["192.168.4.20"])
        // Nor does the removal of another service that had its name.
        stage.allocator.remove(PoolStage.key("a"), uid: "another")
        #expect(stage.allocator.addresses(of: PoolStage.key("a")) == ["192.168.4.20"])
    }

    @Test func poolsMayBeLarge() throws {
        var stage = PoolStage([
            AddressPool(name: "large", ranges: [AddressRange("2001:db8::/112")!, AddressRange("2001:db8:1::/64")!])
        ])
        for number in 0..<1000 { try stage.put("s\(number)") { $0.families = [.ipv6] } }
        stage.write()
        let all = Set(stage.services.values.flatMap(\.ingressIPs))
        // The lowest 1000 addresses; 0x3e7 is 999.
        #expect(all.count == 1000 && all.max() == "2001:db8::3e7")
        // Addresses that became free are assigned again before higher ones.
        let names = stage.services.keys.map(\.name).sorted()
        for name in names.prefix(500) { stage.delete(name) }
        for number in 1000..<1500 { try stage.put("s\(number)") { $0.families = [.ipv6] } }
        stage.write()
        #expect(Set(stage.services.values.flatMap(\.ingressIPs)) == all)
    }
}
