import Addressing
import ControlAPI
import NIOConcurrencyHelpers
import NIOCore
import TestAPIServer
import Testing

@testable import Kubernetes

/// Requests over real TLS. ``WatcherTests`` has more about watches.
@Suite(.timeLimit(.minutes(3))) struct RequestTests {
    /// The failure with which `body` ends; `nil` if it succeeds.
    private func failure<Value>(_ body: () async throws -> Value) async -> RequestFailure? {
        do {
            _ = try await body()
            return nil
        } catch {
            return error as? RequestFailure
        }
    }

    @Test func podRangesAreOfferedOnlyWhereThereAreNone() async throws {
        try await APIClientFixture.run { fixture in
            try fixture.server.apply(node("a"))
            let old = try await fixture.client.get(Node.self, ObjectKey(name: "a")).get()
            let ranges = [IPv6Prefix("fd00:1::/120")!, IPv6Prefix("10.1.2.0/24")!]
            // A heartbeat of the kubelet changes the version.
            try fixture.server.apply(node("a"))
            let new = try await fixture.client.offer(podCIDRs: ranges, of: old.key, uid: old.metadata.uid).get()
            #expect(new.podCIDRs == ranges)
            let spec = try #require(fixture.server.object("/api/v1/nodes/a"))["spec"]
            #expect(spec == ["podCIDR": "fd00:1::/120", "podCIDRs": ["fd00:1::/120", "10.1.2.0/24"]])
            #expect(fixture.server.object("/api/v1/nodes/a")?["status"] == node("a")["status"], "the rest stays")
            let others = [IPv6Prefix("fd00:2::/120")!]
            let again = await failure {
                try await fixture.client.offer(podCIDRs: others, of: old.key, uid: old.metadata.uid).get()
            }
            #expect(again?.code == 422)
            try fixture.server.delete("/api/v1/nodes/a")
            try fixture.server.apply(node("a"))
            let late = await failure {
                try await fixture.client.offer(podCIDRs: others, of: old.key, uid: old.metadata.uid).get()
            }
            #expect(late?.isConflict == true, "the Node of this name is another one now")
        }
    }

    @Test func requestsAreCounted() async throws {
        try await APIClientFixture.run { fixture in
            func requests(_ verb: String, _ resource: String, _ outcome: String) -> Int? {
                fixture.counter(
                    "kube_api_requests_total", "outcome=\"\(outcome)\",resource=\"\(resource)\",verb=\"\(verb)\"")
            }
            try fixture.server.apply(node("a"))
            let old = try await fixture.client.get(Node.self, ObjectKey(name: "a")).get()
            let range = [IPv6Prefix("fd00:1::/120")!]
            _ = try await fixture.client.offer(podCIDRs: range, of: old.key, uid: old.metadata.uid).get()
            _ = await failure { try await fixture.client.offer(podCIDRs: range, of: old.key, uid: "another").get() }
            _ = await failure { try await fixture.client.get(Node.self, ObjectKey(name: "b")).get() }
            #expect(requests("get", "nodes", "ok") == 1 && requests("get", "nodes", "not_found") == 1)
            #expect(requests("patch", "nodes", "ok") == 1 && requests("patch", "nodes", "conflict") == 1)
            #expect(fixture.counter("kube_api_request_duration_seconds_count", "verb=\"patch\"") == 2)

            let watched = fixture.watch(Service.self)
            try await eventually("services are watched") { watched.record.state.connectedSince != nil }
            try fixture.server.apply(service("web"))
            try await eventually("the watch reports the service") { watched.names == ["web"] }
            #expect(requests("list", "services", "ok") == 1 && requests("watch", "services", "ok") == nil)
            #expect(fixture.counter("kube_object_changes_total", "resource=\"services\"") == 1)
            fixture.server.closeConnections()
            try await eventually("the end of a watch is counted") {
                (requests("watch", "services", "ok") ?? 0) + (requests("watch", "services", "unreachable") ?? 0) >= 1
            }
            #expect(fixture.counter("kube_api_request_duration_seconds_count", "verb=\"watch\"") == nil)
        }
    }

    @Test func allObjectsAreListedInPages() async throws {
        try await APIClientFixture.run { fixture in
            for number in 0..<7 { try fixture.server.apply(service("s\(number)")) }
            var limits = WatchLimits()
            limits.pageSize = 3
            let all = try await fixture.client.list(Service.self, limits: limits).get()
            #expect(all.map(\.metadata.name) == (0..<7).map { "s\($0)" })
            #expect(fixture.server.requests.count == 3)
            limits.objects = 6
            let strict = limits
            let failure = await failure { try await fixture.client.list(Service.self, limits: strict).get() }
            #expect(failure?.kind == .tooLarge)
        }
    }

    @Test func addressesAreWrittenToTheStatusOfAService() async throws {
        try await APIClientFixture.run { fixture in
            try fixture.server.apply(service("web"))
            let key = ObjectKey(namespace: "default", name: "web")
            let specification = fixture.server.object("/api/v1/namespaces/default/services/web")?["spec"]
            let old = try await fixture.client.get(Service.self, key).get()
            let addresses = [IPv6Address("fd00::99")!, IPv6Address(IPv4Address("192.0.2.7")!)]
            let new = try await fixture.client.setIngress(addresses, of: old).get()
            #expect(new.ingressIPs == addresses)
            let path = "/api/v1/namespaces/default/services/web"
            let ingress: JSONValue = [["ip": "fd00::99"], ["ip": "192.0.2.7"]]
            #expect(fixture.server.object(path)?["status"]?["loadBalancer"]?["ingress"] == ingress)
            #expect(fixture.server.object(path)?["spec"] == specification)
            let outdated = await failure { try await fixture.client.setIngress([], of: old).get() }
            #expect(outdated?.isConflict == true)
            #expect(try await fixture.client.setIngress([], of: new).get().ingressIPs.isEmpty)
        }
    }

    @Test func anEventIsCreated() async throws {
        try await APIClientFixture.run { fixture in
            try fixture.server.apply(service("web"))
            let key = ObjectKey(namespace: "default", name: "web")
            let web = try await fixture.client.get(Service.self, key).get()
            let event = NewEvent(
                about: .init(web), reason: "NoAddress", message: "all pools are empty", isWarning: true,
                at: MicroTime(microseconds: 1_767_323_045_000_006), host: "node-1")
            let made = try await fixture.client.create(event).get()
            #expect(made.reason == "NoAddress")
            let stored = try #require(fixture.server.objects("/api/v1/events").first)
            #expect(stored["involvedObject"]?["uid"]?.text == web.metadata.uid)
            #expect(stored["type"] == "Warning")
            #expect(stored["firstTimestamp"] == "2026-01-02T03:04:05Z")
            #expect(stored["metadata"]?["namespace"] == "default")
            let twice = await failure { try await fixture.client.create(event).get() }
            #expect(twice?.isConflict == true)
        }
    }

    /// Events about the same subject with the same reason and message have one name, unless they are unique.
    @Test func anEventThatIsNotUniqueIsCreatedOnce() async throws {
        try await APIClientFixture.run { fixture in
            try fixture.server.apply(service("web"))
            let web = try await fixture.client.get(Service.self, ObjectKey(namespace: "default", name: "web")).get()
            func event(_ message: String, isUnique: Bool, _ time: Int64) -> NewEvent {
                NewEvent(
                    about: .init(web), reason: "NoAddress", message: message, isWarning: true, isUnique: isUnique,
                    at: MicroTime(microseconds: time), host: "node-\(time)")
            }
            _ = try await fixture.client.create(event("one", isUnique: false, 1)).get()
            let again = await failure { try await fixture.client.create(event("one", isUnique: false, 2)).get() }
            #expect(again?.isConflict == true)
            _ = try await fixture.client.create(event("two", isUnique: false, 3)).get()
            for time in [4, 5] { _ = try await fixture.client.create(event("one", isUnique: true, Int64(time))).get() }
            let names = fixture.server.objects("/api/v1/events").compactMap { $0["metadata"]?["name"]?.text }
            #expect(names.count == 4 && names.allSatisfy { $0.hasPrefix("web.") })
        }
    }

    /// The server is as strict as a real one with `fieldValidation=Strict`, so all that the agent writes in these tests has only
    /// fields that exist, of the right types.
    @Test func theTestServerRefusesUnknownFields() async throws {
        try await APIClientFixture.run { fixture in
            try fixture.server.apply(node("a"))
            let key = ObjectKey(name: "a")
            func refusal(_ patch: [String: [String: String]]) async -> RequestFailure? {
                await failure { try await fixture.client.patch(Node.self, key, patch).get() }
            }
            let unknown = await refusal(["spec": ["podCidr": "10.1.2.0/24"]])
            #expect(unknown?.code == 400)
            #expect("\(unknown!)".contains(#"strict decoding error: unknown field "spec.podCidr""#))
            #expect(await refusal(["spec": ["podCIDRs": "10.1.2.0/24"]])?.code == 400)
            #expect(await refusal(["spec": ["podCIDR": "10.1.2.0/24"]]) == nil)
            #expect(fixture.server.object("/api/v1/nodes/a")?["spec"]?["podCIDRs"] == ["10.1.2.0/24"])
            let changed = await refusal(["spec": ["podCIDR": "10.1.3.0/24"]])
            #expect(changed?.code == 422)
            #expect(fixture.server.object("/api/v1/nodes/a")?["spec"]?["podCIDRs"] == ["10.1.2.0/24"])
        }
    }

    @Test func failuresHaveTheirReason() async throws {
        try await APIClientFixture.run { fixture in
            let missing = await failure { try await fixture.client.get(Node.self, ObjectKey(name: "a")).get() }
            #expect(missing?.isNotFound == true)
            fixture.server.changeBehavior { $0.forbidden = ["nodes"] }
            let forbidden = await failure { try await fixture.client.get(Node.self, ObjectKey(name: "a")).get() }
            #expect(forbidden?.isForbidden == true)
            #expect("\(forbidden!)".hasSuffix("(a ClusterRole must allow it)"))
            fixture.server.changeBehavior {
                $0.wrongResponse = .body(type: "application/json", text: #"{"kind":"Pod","metadata":{"name":"a"}}"#)
            }
            let invalid = await failure { try await fixture.client.get(Node.self, ObjectKey(name: "a")).get() }
            #expect(invalid == .unexpected("not a Node"))
        }
    }

    @Test func aReleasedLeaseGoesToTheNextCandidate() async throws {
        try await APIClientFixture.run { fixture in
            let key = ObjectKey(namespace: "kube-system", name: "kubermesh-pools")
            let holders = NIOLockedValueBox([false, false])
            func holder(_ index: Int) -> LeaseHolder {
                LeaseHolder(key, identity: "node-\(index)", client: fixture.client) { isHolder in
                    holders.withLockedValue { $0[index] = isHolder }
                }
            }
            let first = holder(0)
            first.start()
            try await eventually("the first candidate holds the lease") {
                holders.withLockedValue { $0 } == [true, false]
            }
            let second = holder(1)
            second.start()
            let path = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kubermesh-pools"
            let made = try #require(fixture.server.object(path)?["spec"]?["renewTime"])
            try await eventually("the first candidate renews the lease") {
                fixture.server.object(path)?["spec"]?["renewTime"] != made
            }
            #expect(holders.withLockedValue { $0 } == [true, false])
            try await first.release().get()
            #expect(holders.withLockedValue { !$0[0] })
            try await eventually("the second candidate holds the lease") {
                holders.withLockedValue { $0 } == [false, true]
            }
            #expect(fixture.server.object(path)?["spec"]?["leaseTransitions"] == 1)
            try await second.release().get()
            #expect(fixture.server.object(path)?["spec"]?["holderIdentity"] == "")
        }
    }
}
