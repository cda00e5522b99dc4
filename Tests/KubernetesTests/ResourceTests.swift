import Addressing
import Foundation
import Testing

@testable import Kubernetes

struct ResourceTests {
    @Test func aNodeIsRead() throws {
        let node: Node = try decode(
            """
            {"kind":"Node","metadata":{"name":"n1","uid":"u","resourceVersion":"7","labels":{"a":"b"},
              "annotations":{"kubermesh.io/drain":"true","example.org/large":"x"},"managedFields":[{}],
              "deletionTimestamp":null},
             "spec":{"podCIDR":"fd00:1::/120","podCIDRs":["fd00:1::/120","10.1.2.0/24"],"unschedulable":true},
             "status":{"conditions":[{"type":"MemoryPressure","status":"False"},{"type":"Ready","status":"True"}],
              "addresses":[{"type":"InternalIP","address":"fd00::7"}],"images":[{"names":["x"]}]}}
            """)
        #expect(node.podCIDRs == [IPv6Prefix("fd00:1::/120"), IPv6Prefix("10.1.2.0/24")])
        #expect(node.isReady && node.isUnschedulable && !node.metadata.isBeingDeleted)
        #expect(node.metadata.labels == ["a": "b"])
        #expect(
            node.metadata.annotations == ["kubermesh.io/drain": "true"], "annotations of other programs are not kept")
        #expect(node.addresses == [NodeAddress(type: "InternalIP", address: "fd00::7")])
    }

    @Test func ofAnotherNodeOnlyAddressesAreRead() throws {
        let text = """
            {"kind":"Node","metadata":{"name":"n1","uid":"u","resourceVersion":"7","labels":{"a":"b"},
              "annotations":{"kubermesh.io/drain":"true"}},
             "status":{"addresses":[{"type":"InternalIP","address":"10.70.0.1"},{"type":"ExternalIP","address":"fd00::7"},
              {"type":"Hostname","address":"192.0.2.7"},{"type":"InternalDNS","address":"n1.example"}]}}
            """
        let node: NodeAddresses = try decode(text)
        #expect(node.addresses.map(\.description) == ["10.70.0.1", "fd00::7", "192.0.2.7"])
        #expect(node.metadata.labels.isEmpty && node.metadata.annotations.isEmpty)
        let later: NodeAddresses = try decode(
            text.replacingOccurrences(of: "\"7\"", with: "\"8\"").replacingOccurrences(of: "\"b\"", with: "\"c\""))
        #expect(node.hasSameContents(as: later), "changed labels and annotations are no change of addresses")
        let kept = try JSONDecoder().decode(NodeAddresses.self, from: JSONEncoder().encode(node))
        #expect(kept == node)
        #expect(try decode(NodeAddresses.self, #"{"metadata":{"name":"n"},"status":null}"#).addresses.isEmpty)
        let many = (0..<1000).map { #"{"type":"InternalIP","address":"fd00::\#(String($0, radix: 16))"}"# }
        let large: NodeAddresses = try decode(
            #"{"metadata":{"name":"n"},"status":{"addresses":[\#(many.joined(separator: ","))]}}"#)
        #expect(large.addresses.count == NodeAddresses.limit)
    }

    @Test func absentFieldsHaveTheirDefaults() throws {
        let node: Node = try decode(#"{"metadata":{"name":"n1","labels":null},"spec":{},"status":null}"#)
        #expect(node.podCIDRs.isEmpty && !node.isReady && !node.isUnschedulable)
        let service: Service = try decode(#"{"metadata":{"name":"s"},"spec":{"clusterIP":"10.0.0.1"}}"#)
        #expect(service.type == "ClusterIP" && service.externalTrafficPolicy == .cluster)
        #expect(service.clusterIPs == [IPv6Address(IPv4Address("10.0.0.1")!)])
        #expect(
            try decode(Node.self, #"{"metadata":{"name":"n"},"spec":{"podCIDR":"10.1.2.0/24"}}"#).podCIDRs.count == 1)
    }

    @Test func onlyNumericVersionsAreOrdered() {
        func isOlder(_ one: String, _ other: String) -> Bool {
            var (left, right) = (ObjectMetadata(name: "a"), ObjectMetadata(name: "a"))
            (left.resourceVersion, right.resourceVersion) = (one, other)
            return left.isOlder(than: right)
        }
        #expect(isOlder("9", "10") && !isOlder("10", "9") && !isOlder("10", "10"))
        #expect(!isOlder("a", "b") && !isOlder("", "1") && !isOlder("1", "x"))
    }

    @Test func aServiceIsRead() throws {
        let service: Service = try decode(
            """
            {"metadata":{"name":"web","namespace":"prod"},"spec":{"type":"LoadBalancer","clusterIP":"fd00::1",
              "clusterIPs":["fd00::1","10.0.0.1"],"externalIPs":["192.0.2.1","a name"],"loadBalancerIP":"192.0.2.9",
              "loadBalancerClass":"kubermesh.io/anycast","externalTrafficPolicy":"Local","internalTrafficPolicy":"Cluster",
              "ipFamilies":["IPv6","IPv4"],
              "ipFamilyPolicy":"PreferDualStack","selector":{"app":"web"},
              "ports":[{"name":"http","protocol":"TCP","port":80,"targetPort":"web","nodePort":30000}]},
             "status":{"loadBalancer":{"ingress":[{"ip":"fd00::99","ports":[]},{"hostname":"x.example"}]}}}
            """)
        #expect(service.key == ObjectKey(namespace: "prod", name: "web"))
        #expect(service.externalIPs.count == 1 && service.clusterIPs.count == 2 && !service.isHeadless)
        #expect(service.externalTrafficPolicy == .local && service.internalTrafficPolicy == .cluster)
        #expect(service.ingressIPs == [IPv6Address("fd00::99")])
        #expect(service.ingressNames == ["x.example"] && service.selector == ["app": "web"])
        #expect(service.familyPolicy == .preferDual)
        #expect(service.families == [.ipv6, .ipv4])
        #expect(service.ports == [ServicePort(name: "http", transport: "TCP", port: 80)])
        #expect(service.loadBalancerClass == "kubermesh.io/anycast" && service.loadBalancerIP == "192.0.2.9")
        let headless: Service = try decode(
            #"{"metadata":{"name":"s"},"spec":{"clusterIP":"None","clusterIPs":["None"]}}"#)
        #expect(headless.isHeadless && headless.clusterIPs.isEmpty)
    }

    @Test func absentConditionsOfEndpointsHaveTheirDefaults() throws {
        let slice: EndpointSlice = try decode(
            """
            {"metadata":{"name":"web-1","namespace":"prod","labels":{"kubernetes.io/service-name":"web"}},
             "addressType":"IPv6","ports":[{"port":8080}],"endpoints":[
              {"addresses":["fd00::5"],"nodeName":"n1"},
              {"addresses":["fd00::6"],"conditions":{"ready":false}},
              {"addresses":["fd00::7"],"conditions":{"ready":false,"serving":true,"terminating":true}}]}
            """)
        #expect(slice.service == ObjectKey(namespace: "prod", name: "web"))
        #expect(slice.endpoints.map(\.isReady) == [true, false, false])
        #expect(slice.endpoints.map(\.isServing) == [true, false, true])
        #expect(slice.endpoints.map(\.isTerminating) == [false, false, true])
        #expect(slice.endpoints.map(\.nodeName) == ["n1", nil, nil])
    }

    @Test func savedObjectsAreReadBackUnchanged() throws {
        let directory = try ScratchDirectory()
        let path = directory.url.appendingPathComponent("objects").path
        #expect(ObjectFile.read(Node.self, from: path) == nil)
        func check<Object: Resource>(_ object: Object) throws {
            try ObjectFile.write([object], to: path)
            #expect(ObjectFile.read(Object.self, from: path) == [object])
        }
        let metadata = """
            "metadata":{"name":"a","namespace":"b","uid":"c","resourceVersion":"7","labels":{"d":"e"},
            "annotations":{"kubermesh.io/f":"g"},"deletionTimestamp":"2026-01-02T03:04:05Z"}
            """
        try check(
            decode(
                Node.self,
                """
                {\(metadata),"spec":{"podCIDRs":["fd00:1::/120","10.1.2.0/24"],"unschedulable":true},
                 "status":{"conditions":[{"type":"Ready","status":"True"}],"addresses":[{"type":"x","address":"y"}]}}
                """))
        try check(
            decode(
                Service.self,
                """
                {\(metadata),"spec":{"type":"LoadBalancer","clusterIPs":["fd00::1","10.0.0.1"],"externalIPs":["192.0.2.1"],
                  "loadBalancerIP":"192.0.2.9","loadBalancerClass":"c","externalTrafficPolicy":"Local",
                  "internalTrafficPolicy":"Local","ipFamilies":["IPv6","IPv4"],
                  "ipFamilyPolicy":"RequireDualStack","selector":{"app":"web"},
                  "ports":[{"name":"http","protocol":"UDP","port":80}]},
                 "status":{"loadBalancer":{"ingress":[{"ip":"fd00::99"},{"ip":"192.0.2.7"},{"hostname":"x.example"}]}}}
                """))
        try check(decode(Service.self, #"{\#(metadata),"spec":{"clusterIP":"None"}}"#))
        try check(
            decode(
                EndpointSlice.self,
                """
                {\(metadata),"addressType":"IPv6","ports":[{"port":8080}],"endpoints":[{"addresses":["fd00::5"]},
                  {"addresses":["10.0.0.7"],"nodeName":"n","conditions":{"ready":false,"serving":true,"terminating":true}}]}
                """))
        try directory.write("objects", "{")
        #expect(ObjectFile.read(Service.self, from: path) == nil)
        try ObjectFile.write([Node](), to: path)
        #expect(ObjectFile.read(Service.self, from: path) == nil, "a file of another kind is not read")
    }

    @Test(arguments: [
        #"{"kind":"PodList","metadata":{"resourceVersion":"1"},"items":[]}"#,
        #"{"kind":"NodeList","metadata":{},"items":[]}"#,
        #"{"kind":"NodeList","metadata":{"resourceVersion":"1"},"items":[{}]}"#,
        #"{"kind":"NodeList","metadata":{"resourceVersion":1},"items":[]}"#,
        #"[]"#, #"{"#, "", "<html>",
        "{\"kind\":\"NodeList\",\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[null]}",
        String(repeating: "[", count: 100_000),
    ]) func aBodyThatIsNoListIsRefused(text: String) {
        #expect(throws: (any Error).self) { try decode(ListPage<Node>.self, text) }
    }

    @Test func linesOfAWatchAreRead() throws {
        func line(_ type: String, _ object: String) throws -> WatchEvent<Node> {
            try decode(#"{"type":"\#(type)","object":\#(object)}"#)
        }
        let object = #"{"kind":"Node","metadata":{"name":"a","resourceVersion":"5"}}"#
        let node: Node = try decode(object)
        #expect(try line("ADDED", object) == .present(node))
        #expect(try line("MODIFIED", object) == .present(node))
        #expect(try line("DELETED", object) == .gone(node))
        #expect(
            try line("BOOKMARK", #"{"kind":"Node","metadata":{"resourceVersion":"9"}}"#)
                == .bookmark(resourceVersion: "9"))
        let status =
            #"{"kind":"Status","code":410,"reason":"Expired","message":"old","details":{"retryAfterSeconds":3}}"#
        #expect(
            try line("ERROR", status)
                == .failed(Status(code: 410, reason: "Expired", message: "old", retryAfterSeconds: 3)))
        #expect(throws: (any Error).self) { try line("SURPRISE", object) }
        #expect(throws: (any Error).self) { try line("ADDED", #"{"kind":"Pod","metadata":{"name":"a"}}"#) }
        #expect(throws: (any Error).self) { try line("ERROR", object) }
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000000Z"), (1_767_323_045_000_006, "2026-01-02T03:04:05.000006Z"),
        (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"), (-1, "1969-12-31T23:59:59.999999Z"),
        (4_107_542_399_999_999, "2100-02-28T23:59:59.999999Z"), (4_107_542_400_000_000, "2100-03-01T00:00:00.000000Z"),
    ]) func timestampsAreWrittenWithMicroseconds(microseconds: Int64, text: String) {
        #expect("\(MicroTime(microseconds: microseconds))" == text)
    }
}
