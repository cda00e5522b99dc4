import Addressing
import Kubernetes
import Services
import TestAPIServer
import Testing

@testable import Cluster

struct ServiceAnnouncementsTests {
    /// After each of thousands of random changes, the entries are those calculated from all services and slices.
    /// Whenever changes are taken, all that were taken add up to the entries.
    @Test func takenChangesAddUpToTheEntries() throws {
        var state: UInt64 = 11
        func below(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        var node = NodeConditions(name: "a")
        var announcements = ServiceAnnouncements(node: node, options: ServiceOptions())
        var services: [ObjectKey: Service] = [:]
        var slices: [ObjectKey: EndpointSlice] = [:]
        // The sum of the changes, which are taken after a third of the steps.
        var sumOfChanges: [IPv6Address: ServiceDemand] = [:]
        for step in 0..<4000 {
            switch below(10) {
            case 0:
                node.isReady.toggle()
                announcements.setNode(node)
            case 1...4:
                let name = "s\(below(5))"
                let policy = below(2) == 0 ? "Local" : "Cluster"
                let ingress = ["2001:db8::\(below(4))1", "2001:db8::\(below(4))1"]
                let manifest = Objects.service(name, ingress: ingress, policy: policy)
                let service: Service? = below(3) == 0 ? nil : try Objects.value(manifest)
                let key = ObjectKey(namespace: "default", name: name)
                services[key] = service
                announcements.set(key, service)
            default:
                let name = "e\(below(8))"
                let endpoints = (0..<below(3)).map { _ in
                    (node: below(2) == 0 ? "a" : "b", state: Array("rtn")[below(3)])
                }
                let manifest = Objects.slice(name, of: "s\(below(5))", endpoints)
                let slice: EndpointSlice? = below(3) == 0 ? nil : try Objects.value(manifest)
                let key = ObjectKey(namespace: "default", name: name)
                slices[key] = slice
                announcements.set(key, slice)
            }
            var expected: [IPv6Address: ServiceDemand] = [:]
            for (key, service) in services.sorted(by: { $0.key < $1.key }) {
                let own = slices.values.filter { $0.service == key }
                for (address, level) in service.levels(on: node, slices: own, options: ServiceOptions()) {
                    let old = expected[address]
                    expected[address] = ServiceDemand(
                        level: max(old?.level ?? level, level), services: (old?.services ?? []) + [key.description])
                }
            }
            try #require(announcements.entries == expected, "wrong entries after step \(step)")
            guard below(3) == 0 else { continue }
            for (address, entry) in announcements.takeChanges() { sumOfChanges[address] = entry }
            try #require(sumOfChanges == expected, "wrong sum of the changes after step \(step)")
        }
    }
}
