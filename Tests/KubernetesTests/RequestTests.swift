import Addressing
import ControlAPI
import NIOConcurrencyHelpers
import NIOCore
import TestAPIServer
import Testing

@testable import Kubernetes

/// Requests other than watches, over real TLS.
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

    @Test func offersPodRangesOnceAndNeverOverOthers() async throws {
        try await Stage.run { stage in
            try stage.server.apply(node("a"))
            let old = try await stage.client.get(Node.self, ObjectKey(name: "a")).get()
            let ranges = [IPv6Prefix("fd00:1::/120")!, IPv6Prefix("10.1.2.0/24")!]
            let new = try await stage.client.offer(podCIDRs: ranges, of: old).get()
            #expect(new.podCIDRs == ranges)
            let spec = try #require(stage.server.object("/api/v1/nodes/a"))["spec"]
            #expect(spec == ["podCIDR": "fd00:1::/120", "podCIDRs": ["fd00:1::/120", "10.1.2.0/24"]])
            #expect(stage.server.object("/api/v1/nodes/a")?["status"] == node("a")["status"], "the rest stays")
            let late = await failure { try await stage.client.offer(podCIDRs: [], of: old).get() }
            #expect(late?.isConflict == true, "it is no longer what it was")
            let again = await failure { try await stage.client.offer(podCIDRs: [], of: new).get() }
            #expect(again?.code == 422)
        }
    }

    @Test func requestsAreCounted() async throws {
        try await Stage.run { stage in
            func requests(_ verb: String, _ resource: String, _ outcome: String) -> Int? {
                stage.counter(
                    "kube_api_requests_total", "outcome=\"\(outcome)\",resource=\"\(resource)\",verb=\"\(verb)\"")
            }
            try stage.server.apply(node("a"))
            let old = try await stage.client.get(Node.self, ObjectKey(name: "a")).get()
            _ = try await stage.client.offer(podCIDRs: [IPv6Prefix("fd00:1::/120")!], of: old).get()
            _ = await failure { try await stage.client.offer(podCIDRs: [], of: old).get() }
            _ = await failure { try await stage.client.get(Node.self, ObjectKey(name: "b")).get() }
            #expect(requests("get", "nodes", "ok") == 1 && requests("get", "nodes", "not_found") == 1)
            #expect(requests("patch", "nodes", "ok") == 1 && requests("patch", "nodes", "conflict") == 1)
            #expect(stage.counter("kube_api_request_duration_seconds_count", "verb=\"patch\"") == 2)

            let watched = stage.watch(Service.self)
            try await eventually("there are none") { watched.seen.state.connectedSince != nil }
            try stage.server.apply(service("web"))
            try await eventually("there is one") { watched.names == ["web"] }
            #expect(requests("list", "services", "ok") == 1 && requests("watch", "services", "ok") == nil)
            #expect(stage.counter("kube_object_changes_total", "resource=\"services\"") == 1)
            stage.server.closeConnections()
            try await eventually("the end of a watch is counted") {
                (requests("watch", "services", "ok") ?? 0) + (requests("watch", "services", "unreachable") ?? 0) >= 1
            }
            #expect(stage.counter("kube_api_request_duration_seconds_count", "verb=\"watch\"") == nil)
        }
    }

    @Test func readsAllInPages() async throws {
        try await Stage.run { stage in
            for number in 0..<7 { try stage.server.apply(service("s\(number)")) }
            var limits = WatchLimits()
            limits.pageSize = 3
            let all = try await stage.client.list(Service.self, limits: limits).get()
            #expect(all.map(\.metadata.name) == (0..<7).map { "s\($0)" })
            #expect(stage.server.requests.count == 3)
            limits.objects = 6
            let strict = limits
            let failure = await failure { try await stage.client.list(Service.self, limits: strict).get() }
            #expect(failure?.kind == .tooLarge)
        }
    }

    @Test func writesTheAddressesOfAService() async throws {
        try await Stage.run { stage in
            try stage.server.apply(service("web"))
            let key = ObjectKey(namespace: "default", name: "web")
            let old = try await stage.client.get(Service.self, key).get()
            let addresses = [IPv6Address("fd00::99")!, IPv6Address(IPv4Address("192.0.2.7")!)]
            let new = try await stage.client.setIngress(addresses, of: old).get()
            #expect(new.ingressIPs == addresses)
            let path = "/api/v1/namespaces/default/services/web"
            let ingress: JSONValue = [["ip": "fd00::99"], ["ip": "192.0.2.7"]]
            #expect(stage.server.object(path)?["status"]?["loadBalancer"]?["ingress"] == ingress)
            #expect(stage.server.object(path)?["spec"] == service("web")["spec"])
            let late = await failure { try await stage.client.setIngress([], of: old).get() }
            #expect(late?.isConflict == true)
            #expect(try await stage.client.setIngress([], of: new).get().ingressIPs.isEmpty)
        }
    }

    @Test func tellsOfEvents() async throws {
        try await Stage.run { stage in
            try stage.server.apply(service("web"))
            let key = ObjectKey(namespace: "default", name: "web")
            let web = try await stage.client.get(Service.self, key).get()
            let event = NewEvent(
                about: .init(web), reason: "NoAddress", message: "all pools are empty", isWarning: true,
                at: MicroTime(microseconds: 1_767_323_045_000_006), host: "node-1")
            let made = try await stage.client.create(event).get()
            #expect(made.reason == "NoAddress")
            let stored = try #require(stage.server.objects("/api/v1/events").first)
            #expect(stored["involvedObject"]?["uid"]?.text == web.metadata.uid)
            #expect(stored["type"] == "Warning")
            #expect(stored["firstTimestamp"] == "2026-01-02T03:04:05Z")
            #expect(stored["metadata"]?["namespace"] == "default")
            let twice = await failure { try await stage.client.create(event).get() }
            #expect(twice?.isConflict == true)
        }
    }

    @Test func saysWhyNot() async throws {
        try await Stage.run { stage in
            let missing = await failure { try await stage.client.get(Node.self, ObjectKey(name: "a")).get() }
            #expect(missing?.isNotFound == true)
            stage.server.changeBehavior { $0.forbidden = ["nodes"] }
            let forbidden = await failure { try await stage.client.get(Node.self, ObjectKey(name: "a")).get() }
            #expect(forbidden?.isForbidden == true)
            #expect("\(forbidden!)".hasSuffix("(a ClusterRole must allow it)"))
            stage.server.changeBehavior {
                $0.wrongResponse = .body(type: "application/json", text: #"{"kind":"Pod","metadata":{"name":"a"}}"#)
            }
            let rubbish = await failure { try await stage.client.get(Node.self, ObjectKey(name: "a")).get() }
            #expect(rubbish == .unexpected("not a Node"))
        }
    }

    @Test func aLeaseHasOneHolderAndGoesToTheNext() async throws {
        try await Stage.run { stage in
            let key = ObjectKey(namespace: "kube-system", name: "kubermesh-pools")
            let holders = NIOLockedValueBox([false, false])
            func holder(_ index: Int) -> LeaseHolder {
                LeaseHolder(key, identity: "node-\(index)", client: stage.client) { isHolder in
                    holders.withLockedValue { $0[index] = isHolder }
                }
            }
            let first = holder(0)
            first.start()
            try await eventually("the first holds it") { holders.withLockedValue { $0 } == [true, false] }
            let second = holder(1)
            second.start()
            let path = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kubermesh-pools"
            let made = try #require(stage.server.object(path)?["spec"]?["renewTime"])
            try await eventually("a renewal") { stage.server.object(path)?["spec"]?["renewTime"] != made }
            #expect(holders.withLockedValue { $0 } == [true, false])
            try await first.release().get()
            #expect(holders.withLockedValue { !$0[0] })
            try await eventually("the second holds it") { holders.withLockedValue { $0 } == [false, true] }
            #expect(stage.server.object(path)?["spec"]?["leaseTransitions"] == 1)
            try await second.release().get()
            #expect(stage.server.object(path)?["spec"]?["holderIdentity"] == "")
        }
    }
}
