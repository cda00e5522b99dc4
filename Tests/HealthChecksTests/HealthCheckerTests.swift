import Addressing
import NIOCore
import NIOHTTP1
import NIOPosix
import OSPF
import PrometheusMetrics
import Services
import Testing
import Timing

@testable import HealthChecks

@Suite struct ProbeTests {
    @Test func tcpSucceedsOnlyOnAListeningPort() async throws {
        let server = try await Server()
        #expect(try await outcome(of: .tcp([server.endpoint])) == .success)
        try await server.channel.close()
        // Port 1 and not the server's old port, which another test may have now.
        let closed = Endpoint("127.0.0.1:1")!
        #expect(try await failure(of: .tcp([closed])).contains("Connection refused"))
    }

    @Test func oneEndpointThatWorksIsEnough() async throws {
        let server = try await Server()
        let closed = Endpoint("127.0.0.1:1")!
        #expect(try await outcome(of: .tcp([closed, server.endpoint])) == .success)
        try await server.channel.close()
    }

    @Test func httpSucceedsOnlyWithAnAcceptedStatus() async throws {
        let server = try await Server.http { $0.uri == "/healthz" && $0.headers["host"] == ["web"] ? .ok : .notFound }
        var probe = HTTPProbe(endpoints: [server.endpoint], path: "/healthz", host: "web")
        #expect(try await outcome(of: .http(probe)) == .success)
        probe.path = "/"
        #expect(try await failure(of: .http(probe)).hasSuffix("HTTP status 404"))
        probe.status = [200...204, 404...404]
        #expect(try await outcome(of: .http(probe)) == .success)
        try await server.channel.close()
    }

    @Test func aServerThatDoesNotAnswerIsAFailure() async throws {
        let server = try await Server()
        let reason = try await failure(of: .http(HTTPProbe(endpoints: [server.endpoint])), timeout: .milliseconds(50))
        #expect(reason.contains("no answer within 0.05 s"))
        try await server.channel.close()
    }

    @Test func anAnswerThatIsNotHTTPIsAFailure() async throws {
        let server = try await Server { $0.pipeline.addHandler(Greeter()) }
        let reason = try await failure(of: .http(HTTPProbe(endpoints: [server.endpoint])))
        #expect(reason.contains("not HTTP"))
        try await server.channel.close()
    }
}

@Suite struct HealthCheckerTests {
    @Test func outcomesAreReportedUntilTheCheckIsStopped() async throws {
        let server = try await Server()
        var table = VIPTable()
        let check = HealthCheck(probe: .tcp([server.endpoint]), interval: .milliseconds(10), timeout: .seconds(1))
        let vip = VIP(name: "api", address: IPv6Address("fd00::a")!, check: check)
        guard case .startChecking(let id, _)? = table.configure([vip], at: .zero).first else {
            Issue.record("the VIP table did not request a check")
            return
        }
        let (outcomes, continuation) = AsyncStream.makeStream(of: CheckOutcome.self)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let metrics = PrometheusRegistry()
        func hasTimer() -> Bool {
            var text = MetricsText()
            metrics.write(to: &text)
            return text.text.contains("kubermesh_check_duration_seconds_count{check=\"api\"}")
        }
        let checker = HealthChecker(loop: loop, metrics: metrics) { reported, outcome in
            if reported == id { continuation.yield(outcome) }
        }
        checker.start(id, check)
        var iterator = outcomes.makeAsyncIterator()
        #expect(await iterator.next() == .success)
        #expect(await iterator.next() == .success)
        #expect(hasTimer())
        try await server.channel.close()
        while let outcome = await iterator.next(), outcome == .success {}
        checker.stop(id)
        try await loop.submit { continuation.finish() }.get()
        while await iterator.next() != nil {}
        #expect(!hasTimer(), "the timer of a stopped check is removed")
    }
}
