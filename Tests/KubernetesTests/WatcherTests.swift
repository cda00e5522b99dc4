import Addressing
import Foundation
import TestAPIServer
import Testing
import Timing

@testable import Kubernetes

/// Watches over real TLS, and a server that misbehaves.
@Suite(.timeLimit(.minutes(3))) struct WatcherTests {
    @Test(arguments: ["::1", "127.0.0.1"]) func objectsAreListedInPagesAndWatched(host: String) async throws {
        try await APIClientFixture.run(host: host) { fixture in
            for number in 0..<10 { try fixture.server.apply(node("n\(number)")) }
            var limits = WatchLimits()
            limits.pageSize = 3
            let nodes = fixture.watch(Node.self, limits: limits)
            try await eventually("all nodes are listed") { nodes.names.count == 10 && nodes.record.state.isSynced }
            #expect(fixture.server.requests.count { $0.contains("limit=3") } == 4)
            try await eventually("the server has one watch") { fixture.server.watches(of: "nodes") == 1 }
            try fixture.server.apply(node("n3", ready: false))
            try fixture.server.apply(node("new"))
            try fixture.server.delete("/api/v1/nodes/n0")
            try await eventually("the watch reports the changes") {
                nodes.names.contains("new") && !nodes.names.contains("n0")
                    && nodes.record.objects[ObjectKey(name: "n3")]?.isReady == false
            }
            #expect(nodes.record.deleted == ["n0"])
            #expect(nodes.record.notices.isEmpty)
            #expect(fixture.server.lastToken == "good")
        }
    }

    @Test func aScopeLimitsTheWatchToOneNode() async throws {
        try await APIClientFixture.run { fixture in
            try fixture.server.apply(node("mine"))
            try fixture.server.apply(node("other"))
            let nodes = fixture.watch(Node.self, scope: WatchScope(name: "mine"))
            try await eventually("the server has one watch") { fixture.server.watches(of: "nodes") == 1 }
            try fixture.server.apply(node("other", ready: false))
            try fixture.server.apply(node("mine", ready: false))
            try await eventually("the watch reports the change") {
                nodes.record.objects.values.contains { !$0.isReady }
            }
            #expect(nodes.names == ["mine"])
            let selector = "fieldSelector=metadata.name%3Dmine"
            #expect(fixture.server.requests.first == "GET /api/v1/nodes?limit=500&\(selector)")
            let watch = try #require(fixture.server.requests.last)
            #expect(watch.hasPrefix("GET /api/v1/nodes?watch=true&allowWatchBookmarks=true&resourceVersion=1002&"))
            #expect(watch.hasSuffix("&\(selector)"))
        }
    }

    @Test func objectsStayDuringAnOutageAndMissedChangesFollow() async throws {
        try await APIClientFixture.run { fixture in
            for name in ["a", "b"] { try fixture.server.apply(service(name)) }
            let services = fixture.watch(Service.self)
            try await eventually("the server has one watch") { fixture.server.watches(of: "services") == 1 }
            fixture.server.changeBehavior { $0.wrongResponse = .closeConnections }
            fixture.server.closeConnections()
            try await eventually("the watcher reports the outage") { services.record.state.lastError != nil }
            #expect(services.record.state.connectedSince == nil)
            #expect(services.names == ["a", "b"])
            try fixture.server.delete("/api/v1/namespaces/default/services/a")
            try fixture.server.apply(service("c"))
            fixture.server.changeBehavior { $0.wrongResponse = nil }
            try await eventually("the watcher reports the missed changes") { services.names == ["b", "c"] }
            #expect(services.record.state.lists == 1, "the watch continues from its last version without a new list")
        }
    }

    @Test func aStoppedServerIsReported() async throws {
        try await APIClientFixture.run { fixture in
            try await fixture.server.stop()
            let nodes = fixture.watch(Node.self)
            try await eventually("the watcher reports an error") { nodes.record.state.lastError != nil }
            #expect(nodes.record.state.lastError == "no answer from the API server: Connection refused")
        }
    }

    @Test(arguments: [true, false]) func anExpiredVersionLeadsToANewList(isInStream: Bool) async throws {
        try await APIClientFixture.run { fixture in
            fixture.server.changeBehavior { $0.expiresInStream = isInStream }
            for name in ["a", "b"] { try fixture.server.apply(service(name)) }
            let services = fixture.watch(Service.self)
            try await eventually("the server has one watch") { fixture.server.watches(of: "services") == 1 }
            fixture.server.changeBehavior { $0.wrongResponse = .closeConnections }
            fixture.server.closeConnections()
            try await eventually("the watcher reports the lost connection") {
                services.record.state.connectedSince == nil
            }
            try fixture.server.delete("/api/v1/namespaces/default/services/a")
            fixture.server.compact()
            fixture.server.changeBehavior { $0.wrongResponse = nil }
            try await eventually("the watcher reports that a was deleted") { services.names == ["b"] }
            #expect(services.record.deleted == ["a"])
            #expect(services.record.state.lists == 2)
        }
    }

    @Test func aForbiddenKindDoesNotDelayOthers() async throws {
        try await APIClientFixture.run { fixture in
            fixture.server.changeBehavior { $0.forbidden = ["endpointslices"] }
            try fixture.server.apply(service("a"))
            let slices = fixture.watch(EndpointSlice.self)
            let services = fixture.watch(Service.self)
            try await eventually("the services are listed") { services.names == ["a"] }
            try await eventually("the watcher of slices gives a notice") { !slices.record.notices.isEmpty }
            #expect(slices.record.state.failures.keys.elementsEqual([.forbidden]))
            #expect(!slices.record.state.isSynced)
            #expect(
                slices.record.notices[0].hasPrefix("endpointslices: the API server refused the request (403 Forbidden)")
            )
        }
    }

    @Test func serverAddressesComeFromTheURLOrTheConnections() async throws {
        try await APIClientFixture.run { fixture in
            let known = try await fixture.serverAddresses()
            #expect(known == [IPv6Address("::1")!], "the address in the URL is known before any connection")
        }
        let directory = try ScratchDirectory()
        let named = try TestCertificates(in: directory.url, names: ["DNS:localhost"])
        try await APIClientFixture.run(host: "localhost", certificates: named) { fixture in
            #expect(try await fixture.serverAddresses().isEmpty)
            let nodes = fixture.watch(Node.self)
            try await eventually("the nodes are listed") { nodes.record.state.isSynced }
            let known = try await fixture.serverAddresses()
            #expect(known.count == 1)
            #expect(known.isSubset(of: [IPv6Address("::1")!, IPv6Address(IPv4Address("127.0.0.1")!)]))
        }
    }

    @Test func aReplacedTokenIsUsed() async throws {
        try await APIClientFixture.run { fixture in
            fixture.server.changeBehavior { $0.tokens = ["better"] }
            try fixture.server.apply(node("a"))
            let nodes = fixture.watch(Node.self)
            try await eventually("the old token is refused") { nodes.record.state.failures[.unauthorized] ?? 0 > 0 }
            try fixture.directory.write("token", "better")
            try await eventually("the node is listed") { nodes.names == ["a"] }
        }
    }

    @Test func aServerOfAnotherAuthorityGetsNoRequest() async throws {
        let directory = try ScratchDirectory()
        let others = try TestCertificates(in: directory.url, names: ["IP:::1"])
        try await APIClientFixture.run(authority: others.path("ca.pem")) { fixture in
            let nodes = fixture.watch(Node.self)
            try await eventually("the watcher reports an error") { nodes.record.state.lastError != nil }
            let text = try #require(nodes.record.state.lastError)
            #expect(text.contains("is not valid, or not signed by the authority of the kubeconfig"))
            #expect(!text.contains("SSL") && !text.contains(".cc"), "no type, no file of the machine it was built on")
            #expect(fixture.server.requests.isEmpty)
        }
    }

    @Test(arguments: [(nil, false), ("kubernetes.test", true), ("another.test", false)])
    func aCertificateWithoutTheAddressNeedsTheConfiguredName(serverName: String?, isRight: Bool) async throws {
        let directory = try ScratchDirectory()
        let named = try TestCertificates(in: directory.url, names: ["DNS:kubernetes.test"])
        try await APIClientFixture.run(serverName: serverName, certificates: named) { fixture in
            try fixture.server.apply(node("a"))
            let nodes = fixture.watch(Node.self)
            if isRight {
                try await eventually("the node is listed") { nodes.names == ["a"] }
            } else {
                try await eventually("the watcher reports an error") { nodes.record.state.lastError != nil }
                let text = nodes.record.state.lastError ?? ""
                #expect(text.contains("is not for the address in use") && !text.contains("SSL"), "\(text)")
                #expect(fixture.server.requests.isEmpty)
            }
        }
    }

    /// Wrong responses to a list, and the kind of failure of each.
    static let wrongResponses: [(TestAPIServer.WrongResponse, RequestFailure.Kind)] = [
        (.body(type: "text/html", text: "<html>Welcome</html>"), .unexpected),
        (
            .body(type: "application/json", text: "{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"1\"}}"),
            .unexpected
        ),
        (.body(type: "application/json", text: "nothing"), .unexpected), (.endless(octets: 100 << 20), .tooLarge),
        (.manyHeaders, .unexpected), (.closeConnections, .unreachable),
    ]

    @Test(arguments: wrongResponses.indices) func wrongResponsesAreCountedAndRetried(index: Int) async throws {
        let (wrongResponse, kind) = Self.wrongResponses[index]
        try await APIClientFixture.run { fixture in
            try fixture.server.apply(node("a"))
            fixture.server.changeBehavior { $0.wrongResponse = wrongResponse }
            let nodes = fixture.watch(Node.self)
            try await eventually("the watcher counts a failure") { !nodes.record.state.failures.isEmpty }
            #expect(nodes.record.state.failures.keys.first == kind, "\(nodes.record.state.lastError ?? "")")
            fixture.server.changeBehavior { $0.wrongResponse = nil }
            try await eventually("the watcher has the right nodes after the failure") { nodes.names == ["a"] }
        }
    }

    @Test(arguments: [
        ("rubbish\n", RequestFailure.Kind.unexpected),
        ("{\"type\":\"ADDED\",\"object\":{\"kind\":\"Pod\"}}\n", .unexpected),
        (String(repeating: "x", count: 3 << 20), .tooLarge),
    ]) func wrongTextInAWatchLeadsToANewList(text: String, kind: RequestFailure.Kind) async throws {
        try await APIClientFixture.run { fixture in
            try fixture.server.apply(node("a"))
            let nodes = fixture.watch(Node.self)
            try await eventually("the server has one watch") { fixture.server.watches(of: "nodes") == 1 }
            fixture.server.sendRaw(text, toWatchesOf: "nodes")
            try await eventually("the watcher counts a failure") { nodes.record.state.failures[kind] == 1 }
            try fixture.server.apply(node("b"))
            try await eventually("the watcher has the right nodes after the failure") { nodes.names == ["a", "b"] }
            #expect(nodes.record.state.lists == 2)
        }
    }

    @Test func aSilentWatchIsReplaced() async throws {
        try await APIClientFixture.run { fixture in
            var limits = WatchLimits()
            limits.silence = .milliseconds(500)
            let nodes = fixture.watch(Node.self, limits: limits)
            try await eventually("the server has one watch") { fixture.server.watches(of: "nodes") == 1 }
            fixture.server.changeBehavior { $0.sendsNoChanges = true }
            try fixture.server.apply(node("a"))
            try await eventually("the watcher has the node that the silent watch did not report") {
                nodes.names == ["a"]
            }
        }
    }

    /// As when an API server was set back, and the watch ended normally before: a server accepts a watch from a version that
    /// it has not reached, and sends nothing, no bookmark either.
    @Test func aWatchFromALaterVersionIsReportedAsSilentAndReplaced() async throws {
        try await APIClientFixture.run { fixture in
            try fixture.server.apply(node("a"))
            let backup = fixture.server.backup()
            try fixture.server.apply(node("b"))
            for beat in 0..<20 { try fixture.server.apply(node("b", ready: beat % 2 == 0)) }
            var limits = WatchLimits()
            (limits.shortestWatch, limits.reportedSilence, limits.silence) = (.zero, .seconds(1), .seconds(2))
            let nodes = fixture.watch(Node.self, limits: limits)
            try await eventually("the server has one watch") { fixture.server.watches(of: "nodes") == 1 }
            fixture.server.restore(backup, closesConnections: false)
            fixture.server.endWatches()
            try await eventually("another watch was accepted") { nodes.record.state.watches == 2 }
            try fixture.server.apply(node("c"))
            fixture.server.bookmark()
            try await eventually("the silence is reported") { nodes.record.state.silentSince != nil }
            #expect(nodes.names == ["a", "b"] && nodes.record.state.lists == 1)
            try await eventually("the watcher has what the server has") { nodes.names == ["a", "c"] }
            #expect(nodes.record.state.lists == 2)
        }
    }

    @Test func aRequestWithoutAnAnswerTimesOut() async throws {
        try await APIClientFixture.run { fixture in
            fixture.server.changeBehavior { $0.isStalled = true }
            try fixture.server.apply(node("a"))
            var limits = WatchLimits()
            limits.pageTime = .milliseconds(300)
            let nodes = fixture.watch(Node.self, limits: limits)
            try await eventually("the watcher counts a failure") { nodes.record.state.failures[.unreachable] ?? 0 > 1 }
            fixture.server.changeBehavior { $0.isStalled = false }
            try await eventually("the node is listed") { nodes.names == ["a"] }
        }
    }

    /// The response 429 has `Retry-After: 1`.
    @Test func retryAfterOfABusyServerIsRespected() async throws {
        try await APIClientFixture.run { fixture in
            fixture.server.changeBehavior { $0.throttled = 1 }
            try fixture.server.apply(node("a"))
            let begin = ContinuousClock.now
            let nodes = fixture.watch(Node.self)
            try await eventually("the node is listed") { nodes.names == ["a"] }
            #expect(ContinuousClock.now - begin >= .seconds(1))
            #expect(nodes.record.state.failures == [.throttled: 1])
        }
    }

    @Test func anEndedWatchContinuesWithoutANewList() async throws {
        try await APIClientFixture.run { fixture in
            let nodes = fixture.watch(Node.self)
            try await eventually("the server has one watch") { fixture.server.watches(of: "nodes") == 1 }
            fixture.server.bookmark()
            fixture.server.endWatches()
            try fixture.server.apply(node("a"))
            try await eventually("the watcher reports the new node") { nodes.names == ["a"] }
            #expect(nodes.record.state.lists == 1)
        }
    }

    @Test func aStoppedWatcherCanBeStartedAgain() async throws {
        try await APIClientFixture.run { fixture in
            try fixture.server.apply(node("a"))
            let nodes = fixture.watch(Node.self)
            try await eventually("the server has one watch") { fixture.server.watches(of: "nodes") == 1 }
            nodes.watcher.stop()
            try await eventually("the server has no watch") { fixture.server.watches(of: "nodes") == 0 }
            try fixture.server.apply(node("b"))
            nodes.watcher.start()
            try await eventually("the watcher reports the new node") { nodes.names == ["a", "b"] }
            #expect(nodes.record.state.failures.isEmpty)
        }
    }

    @Test func manyChangesAreReportedInBatches() async throws {
        try await APIClientFixture.run { fixture in
            for number in 0..<50 { try fixture.server.apply(service("s\(number)")) }
            let services = fixture.watch(Service.self)
            try await eventually("the server has one watch") { fixture.server.watches(of: "services") == 1 }
            let before = services.record.reports
            for round in 1...40 {
                for number in 0..<50 {
                    try fixture.server.apply(service("s\(number)", policy: round % 2 == 0 ? "Cluster" : "Local"))
                }
            }
            try fixture.server.apply(service("last"))
            try await eventually("the watcher reports the last service") { services.names.contains("last") }
            #expect(services.record.objects.values.allSatisfy { $0.externalTrafficPolicy == .cluster })
            #expect(services.record.reports - before < 500, "2,001 changes lead to fewer than 500 reports")
        }
    }
}
