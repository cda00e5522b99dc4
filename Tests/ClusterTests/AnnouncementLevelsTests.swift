import Addressing
import ControlAPI
import Kubernetes
import Services
import TestAPIServer
import Testing

@testable import Cluster

struct AnnouncementLevelsTests {
    private let vip: IPv6Address = "2001:db8::1"

    /// The levels on the node `a` unless another is given.
    private func levels(
        _ service: JSONValue, _ slices: [JSONValue], node: JSONValue = Objects.node("a"),
        options: ServiceOptions = ServiceOptions()
    ) throws -> [IPv6Address: AnnouncementLevel] {
        try Objects.value(service, as: Service.self).levels(
            on: NodeConditions(Objects.value(node)), slices: slices.map { try Objects.value($0) }, options: options)
    }

    /// `here` and `elsewhere` have one letter per endpoint on the node `a` and on `b`; ``Objects/slice(_:of:family:_:)``
    /// explains them.
    @Test(
        arguments: [
            ("Cluster", "", "", nil), ("Cluster", "", "r", .announce), ("Cluster", "r", "", .announce),
            ("Cluster", "n", "n", nil), ("Cluster", "", "t", .announce),
            ("Local", "", "r", nil), ("Local", "r", "", .announce), ("Local", "rt", "r", .announce),
            ("Local", "t", "", .announce), ("Local", "t", "t", .announce), ("Local", "t", "r", .lastResort),
            ("Local", "n", "r", nil), ("Local", "tn", "n", .announce),
        ] as [(String, String, String, AnnouncementLevel?)])
    func endpointsDetermineTheLevel(policy: String, here: String, elsewhere: String, expected: AnnouncementLevel?)
        throws
    {
        let endpoints = here.map { (node: "a", state: $0) } + elsewhere.map { (node: "b", state: $0) }
        // The first endpoint is in one slice, the others are in another.
        let slices = [
            Objects.slice("1", of: "web", Array(endpoints.prefix(1))),
            Objects.slice("2", of: "web", Array(endpoints.dropFirst(1))),
        ]
        let service = Objects.service("web", ingress: ["2001:db8::1"], policy: policy)
        #expect(try levels(service, slices) == (expected.map { [vip: $0] } ?? [:]))
    }

    @Test func onlyValidAddressesOfMatchingServicesAreAnnounced() throws {
        let ready = [Objects.slice("1", of: "web", [("a", "r")])]
        func addresses(_ service: JSONValue, _ options: ServiceOptions = ServiceOptions()) throws -> [IPv6Address] {
            try levels(service, ready, options: options).keys.sorted()
        }
        let all = Objects.service("web", ingress: ["2001:db8::1"], external: ["2001:db8::2"])
        #expect(try addresses(all) == ["2001:db8::1", "2001:db8::2"])
        var options = ServiceOptions()
        options.announcesClusterIPs = true
        #expect(try addresses(all, options) == ["2001:db8::1", "2001:db8::2", "fd00::1"])
        let headless = Objects.service("web", external: ["2001:db8::2"], clusterIPs: ["None"])
        #expect(try addresses(headless, options) == [])
        #expect(try addresses(Objects.service("web", type: "ExternalName", external: ["2001:db8::2"])) == [])
        let plain = Objects.service("web", type: "ClusterIP", ingress: ["2001:db8::1"], external: ["2001:db8::2"])
        #expect(try addresses(plain) == ["2001:db8::2"], "a service of type ClusterIP announces no ingress address")
        let others = Objects.service("web", ingress: ["2001:db8::1"], loadBalancerClass: "example.org/other")
        #expect(try addresses(others) == [])
        let ours = Objects.service("web", ingress: ["2001:db8::1"], loadBalancerClass: "kubermesh.io/anycast")
        #expect(try addresses(ours) == ["2001:db8::1"])
        #expect(try addresses(Objects.service("web", ingress: ["2001:db8::1"], isBeingDeleted: true)) == [])
        let wrong = Objects.service(
            "web", external: ["::", "::1", "fe80::1", "ff02::1", "127.0.0.1", "224.0.0.1", "0.0.0.0", "no address"])
        #expect(try addresses(wrong) == [])
    }

    /// The IPv4 address becomes last resort, because only its own endpoints count: of those, the ready one is on `b`.
    @Test func onlyEndpointsOfTheSameFamilyCount() throws {
        let service = Objects.service("web", ingress: ["2001:db8::1", "192.0.2.1"], policy: "Local")
        let ipv6Slice = Objects.slice("1", of: "web", [("a", "r")])
        let ipv4Slice = Objects.slice("2", of: "web", family: "IPv4", [("b", "r"), ("a", "t")])
        #expect(try levels(service, [ipv6Slice, ipv4Slice]) == [vip: .announce, "192.0.2.1": .lastResort])
    }

    /// A node that is not ready announces no address with the policy `Cluster`, and an excluded one only cluster IPs.
    /// `Unknown` says nothing about the node itself: its kubelet does not reach the API server.
    @Test func levelsFollowTheConditionsOfTheNode() throws {
        let service = Objects.service("web", ingress: ["2001:db8::1"])
        let local = Objects.service("web", ingress: ["2001:db8::1"], policy: "Local")
        let ready = [Objects.slice("1", of: "web", [("a", "r")])]
        #expect(try levels(service, ready, node: Objects.node("a", ready: "False")) == [:])
        #expect(try levels(service, ready, node: Objects.node("a", ready: "Unknown")) == [vip: .announce])
        #expect(try levels(local, ready, node: Objects.node("a", ready: "False")) == [vip: .announce])
        let excluded = Objects.node("a", labels: ["node.kubernetes.io/exclude-from-external-load-balancers": ""])
        var options = ServiceOptions()
        options.announcesClusterIPs = true
        #expect(try levels(service, ready, node: excluded, options: options) == ["fd00::1": .announce])
        #expect(
            try NodeConditions(Objects.value(Objects.node("a", annotations: ["kubermesh.io/drain": "true"])))
                .drainReason != nil
        )
        #expect(
            try NodeConditions(Objects.value(Objects.node("a", annotations: ["kubermesh.io/drain": "false"])))
                .drainReason == nil)
    }
}
