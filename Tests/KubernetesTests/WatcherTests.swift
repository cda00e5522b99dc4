import Addressing
import Foundation
import TestAPIServer
import Testing
import Timing

@testable import Kubernetes

/// Watches over real TLS, and a server that misbehaves.
@Suite(.timeLimit(.minutes(3))) struct WatcherTests {
    @Test(arguments: ["::1", "127.0.0.1"]) func listsInPagesAndFollows(host: String) async throws {
        try await Stage.run(host: host) { stage in
            for number in 0..<10 { try stage.server.apply(node("n\(number)")) }
            var limits = WatchLimits()
            limits.pageSize = 3
            let nodes = stage.watch(Node.self, limits: limits)
            try await eventually("all nodes") { nodes.names.count == 10 && nodes.seen.state.isSynced }
            #expect(stage.server.requests.count { $0.contains("limit=3") } == 4)
            try await eventually("a watch") { stage.server.watches(of: "nodes") == 1 }
            try stage.server.apply(node("n3", ready: false))
            try stage.server.apply(node("new"))
            try stage.server.delete("/api/v1/nodes/n0")
            try await eventually("the changes") {
                nodes.names.contains("new") && !nodes.names.contains("n0")
                    && nodes.seen.objects[ObjectKey(name: "n3")]?.isReady == false
            }
            #expect(nodes.seen.deleted == ["n0"])
            #expect(nodes.seen.notices.isEmpty)
            #expect(stage.server.lastToken == "good")
        }
    }

    @Test func watchesOneNodeOnly() async throws {
        try await Stage.run { stage in
            try stage.server.apply(node("mine"))
            try stage.server.apply(node("other"))
            let nodes = stage.watch(Node.self, scope: WatchScope(name: "mine"))
            try await eventually("a watch") { stage.server.watches(of: "nodes") == 1 }
            try stage.server.apply(node("other", ready: false))
            try stage.server.apply(node("mine", ready: false))
            try await eventually("the change") { nodes.seen.objects.values.contains { !$0.isReady } }
            #expect(nodes.names == ["mine"])
            let selector = "fieldSelector=metadata.name%3Dmine"
            #expect(stage.server.requests.first == "GET /api/v1/nodes?limit=500&\(selector)")
            let watch = try #require(stage.server.requests.last)
            #expect(watch.hasPrefix("GET /api/v1/nodes?watch=true&allowWatchBookmarks=true&resourceVersion=1002&"))
            #expect(watch.hasSuffix("&\(selector)"))
        }
    }

    @Test func nothingIsForgottenWhileTheServerIsAwayAndAllIsCaughtUp() async throws {
        try await Stage.run { stage in
            for name in ["a", "b"] { try stage.server.apply(service(name)) }
            let services = stage.watch(Service.self)
            try await eventually("a watch") { stage.server.watches(of: "services") == 1 }
            stage.server.changeBehavior { $0.wrongResponse = .closeConnections }
            stage.server.closeConnections()
            try await eventually("an error in words") { services.seen.state.lastError != nil }
            #expect(services.seen.state.connectedSince == nil)
            #expect(services.names == ["a", "b"])
            try stage.server.delete("/api/v1/namespaces/default/services/a")
            try stage.server.apply(service("c"))
            stage.server.changeBehavior { $0.wrongResponse = nil }
            try await eventually("what was missed") { services.names == ["b", "c"] }
            #expect(services.seen.state.lists == 1, "it went on from where it was")
        }
    }

    @Test func withoutAServerTheReasonIsTold() async throws {
        try await Stage.run { stage in
            try await stage.server.stop()
            let nodes = stage.watch(Node.self)
            try await eventually("an error") { nodes.seen.state.lastError != nil }
            #expect(nodes.seen.state.lastError == "no answer from the API server: Connection refused")
        }
    }

    @Test(arguments: [true, false]) func anExpiredVersionLeadsToANewList(isInStream: Bool) async throws {
        try await Stage.run { stage in
            stage.server.changeBehavior { $0.expiresInStream = isInStream }
            for name in ["a", "b"] { try stage.server.apply(service(name)) }
            let services = stage.watch(Service.self)
            try await eventually("a watch") { stage.server.watches(of: "services") == 1 }
            stage.server.changeBehavior { $0.wrongResponse = .closeConnections }
            stage.server.closeConnections()
            try await eventually("the loss") { services.seen.state.connectedSince == nil }
            try stage.server.delete("/api/v1/namespaces/default/services/a")
            stage.server.compact()
            stage.server.changeBehavior { $0.wrongResponse = nil }
            try await eventually("a is gone") { services.names == ["b"] }
            #expect(services.seen.deleted == ["a"])
            #expect(services.seen.state.lists == 2)
        }
    }

    @Test func oneKindThatIsForbiddenDoesNotHoldUpTheOthers() async throws {
        try await Stage.run { stage in
            stage.server.changeBehavior { $0.forbidden = ["endpointslices"] }
            try stage.server.apply(service("a"))
            let slices = stage.watch(EndpointSlice.self)
            let services = stage.watch(Service.self)
            try await eventually("the services") { services.names == ["a"] }
            try await eventually("a notice") { !slices.seen.notices.isEmpty }
            #expect(slices.seen.state.failures == [.forbidden: 1])
            #expect(!slices.seen.state.isSynced)
            #expect(
                slices.seen.notices[0].hasPrefix("endpointslices: the API server refused the request (403 Forbidden)"))
        }
    }

    @Test func whereTheServerIsIsKnownFromItsAddressOrItsConnections() async throws {
        try await Stage.run { stage in
            let known = try await stage.serverAddresses()
            #expect(known == [IPv6Address("::1")!], "nothing was connected yet")
        }
        let scratch = try Scratch()
        let named = try TestCertificates(in: scratch.url, names: ["DNS:localhost"])
        try await Stage.run(host: "localhost", certificates: named) { stage in
            #expect(try await stage.serverAddresses().isEmpty)
            let nodes = stage.watch(Node.self)
            try await eventually("a list") { nodes.seen.state.isSynced }
            let known = try await stage.serverAddresses()
            #expect(known.count == 1)
            #expect(known.isSubset(of: [IPv6Address("::1")!, IPv6Address(IPv4Address("127.0.0.1")!)]))
        }
    }

    @Test func aTokenThatWasReplacedIsUsed() async throws {
        try await Stage.run { stage in
            stage.server.changeBehavior { $0.tokens = ["better"] }
            try stage.server.apply(node("a"))
            let nodes = stage.watch(Node.self)
            try await eventually("a refusal") { nodes.seen.state.failures[.unauthorized] ?? 0 > 0 }
            try stage.scratch.write("token", "better")
            try await eventually("the nodes") { nodes.names == ["a"] }
        }
    }

    @Test func aServerOfAnotherAuthorityIsNotSpokenTo() async throws {
        let scratch = try Scratch()
        let others = try TestCertificates(in: scratch.url, names: ["IP:::1"])
        try await Stage.run(authority: others.path("ca.pem")) { stage in
            let nodes = stage.watch(Node.self)
            try await eventually("an error") { nodes.seen.state.lastError != nil }
            #expect(nodes.seen.state.lastError?.contains("TLS") == true)
            #expect(stage.server.requests.isEmpty)
        }
    }

    @Test(arguments: [(nil, false), ("kubernetes.test", true), ("another.test", false)])
    func aCertificateWithoutTheAddressNeedsTheRightName(serverName: String?, isRight: Bool) async throws {
        let scratch = try Scratch()
        let named = try TestCertificates(in: scratch.url, names: ["DNS:kubernetes.test"])
        try await Stage.run(serverName: serverName, certificates: named) { stage in
            try stage.server.apply(node("a"))
            let nodes = stage.watch(Node.self)
            if isRight {
                try await eventually("the nodes") { nodes.names == ["a"] }
            } else {
                try await eventually("an error") { nodes.seen.state.lastError != nil }
                #expect(stage.server.requests.isEmpty)
            }
        }
    }

    /// Wrong responses to a list, and the kind of failure of each.
    static let lies: [(TestAPIServer.WrongResponse, RequestFailure.Kind)] = [
        (.body(type: "text/html", text: "<html>Welcome</html>"), .unexpected),
        (
            .body(type: "application/json", text: "{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"1\"}}"),
            .unexpected
        ),
        (.body(type: "application/json", text: "nothing"), .unexpected), (.endless(octets: 100 << 20), .tooLarge),
        (.manyHeaders, .unexpected), (.closeConnections, .unreachable),
    ]

    @Test(arguments: lies.indices) func wrongResponsesAreCountedAndRetried(index: Int) async throws {
        let (wrongResponse, kind) = Self.lies[index]
        try await Stage.run { stage in
            try stage.server.apply(node("a"))
            stage.server.changeBehavior { $0.wrongResponse = wrongResponse }
            let nodes = stage.watch(Node.self)
            try await eventually("a failure") { !nodes.seen.state.failures.isEmpty }
            #expect(nodes.seen.state.failures.keys.first == kind, "\(nodes.seen.state.lastError ?? "")")
            stage.server.changeBehavior { $0.wrongResponse = nil }
            try await eventually("the truth") { nodes.names == ["a"] }
        }
    }

    @Test(arguments: [
        ("rubbish\n", RequestFailure.Kind.unexpected),
        ("{\"type\":\"ADDED\",\"object\":{\"kind\":\"Pod\"}}\n", .unexpected),
        (String(repeating: "x", count: 3 << 20), .tooLarge),
    ]) func liesInTheStreamToo(text: String, kind: RequestFailure.Kind) async throws {
        try await Stage.run { stage in
            try stage.server.apply(node("a"))
            let nodes = stage.watch(Node.self)
            try await eventually("a watch") { stage.server.watches(of: "nodes") == 1 }
            stage.server.sendRaw(text, toWatchesOf: "nodes")
            try await eventually("a failure") { nodes.seen.state.failures[kind] == 1 }
            try stage.server.apply(node("b"))
            try await eventually("the truth") { nodes.names == ["a", "b"] }
            #expect(nodes.seen.state.lists == 2)
        }
    }

    @Test func aWatchThatFellSilentIsReplaced() async throws {
        try await Stage.run { stage in
            var limits = WatchLimits()
            limits.silence = .milliseconds(500)
            let nodes = stage.watch(Node.self, limits: limits)
            try await eventually("a watch") { stage.server.watches(of: "nodes") == 1 }
            stage.server.changeBehavior { $0.sendsNoChanges = true }
            try stage.server.apply(node("a"))
            try await eventually("what nobody said") { nodes.names == ["a"] }
        }
    }

    @Test func aServerThatNeverAnswersIsGivenUp() async throws {
        try await Stage.run { stage in
            stage.server.changeBehavior { $0.isStalled = true }
            try stage.server.apply(node("a"))
            var limits = WatchLimits()
            limits.pageTime = .milliseconds(300)
            let nodes = stage.watch(Node.self, limits: limits)
            try await eventually("a failure") { nodes.seen.state.failures[.unreachable] ?? 0 > 1 }
            stage.server.changeBehavior { $0.isStalled = false }
            try await eventually("the nodes") { nodes.names == ["a"] }
        }
    }

    /// The response 429 says `Retry-After: 1`.
    @Test func aServerThatIsBusyIsLeftAlone() async throws {
        try await Stage.run { stage in
            stage.server.changeBehavior { $0.throttled = 1 }
            try stage.server.apply(node("a"))
            let begin = ContinuousClock.now
            let nodes = stage.watch(Node.self)
            try await eventually("the nodes") { nodes.names == ["a"] }
            #expect(ContinuousClock.now - begin >= .seconds(1))
            #expect(nodes.seen.state.failures == [.throttled: 1])
        }
    }

    @Test func aWatchThatEndsGoesOn() async throws {
        try await Stage.run { stage in
            let nodes = stage.watch(Node.self)
            try await eventually("a watch") { stage.server.watches(of: "nodes") == 1 }
            stage.server.bookmark()
            stage.server.endWatches()
            try stage.server.apply(node("a"))
            try await eventually("the node") { nodes.names == ["a"] }
            #expect(nodes.seen.state.lists == 1)
        }
    }

    @Test func afterAStopItMayBeginAnew() async throws {
        try await Stage.run { stage in
            try stage.server.apply(node("a"))
            let nodes = stage.watch(Node.self)
            try await eventually("a watch") { stage.server.watches(of: "nodes") == 1 }
            nodes.watcher.stop()
            try await eventually("no watch") { stage.server.watches(of: "nodes") == 0 }
            try stage.server.apply(node("b"))
            nodes.watcher.start()
            try await eventually("the node") { nodes.names == ["a", "b"] }
            #expect(nodes.seen.state.failures.isEmpty)
        }
    }

    @Test func aStormIsToldInBatches() async throws {
        try await Stage.run { stage in
            for number in 0..<50 { try stage.server.apply(service("s\(number)")) }
            let services = stage.watch(Service.self)
            try await eventually("a watch") { stage.server.watches(of: "services") == 1 }
            let before = services.seen.reports
            for round in 1...40 {
                for number in 0..<50 {
                    try stage.server.apply(service("s\(number)", policy: round % 2 == 0 ? "Cluster" : "Local"))
                }
            }
            try stage.server.apply(service("last"))
            try await eventually("the last") { services.names.contains("last") }
            #expect(services.seen.objects.values.allSatisfy { $0.externalTrafficPolicy == .cluster })
            #expect(services.seen.reports - before < 500, "of 2,001 changes")
        }
    }
}
