import Addressing
import ControlAPI
import Foundation
import Glibc
import Lab
import TestAPIServer
import Testing
import Timing

/// Measurements, not tests: how soon a large cluster is followed, and what that costs. Run by `Benchmarks/run.sh cluster`.
@Suite(
    .serialized,
    .enabled(if: getenv("KUBERMESH_MEASURE") != nil && geteuid() == 0, "only measured when asked")
) struct ClusterFigures {
    /// The number of services. Each has one address and an endpoint on `s1`, `s2` and `k`.
    private static let services = 1000

    private static func vip(_ number: Int) -> String { "2001:db8:aa::\(String(number + 1, radix: 16))" }

    private static func slice(_ number: Int, _ states: [(node: String, state: Character)]) -> JSONValue {
        Objects.slice("s\(number)-1", of: "s\(number)", states)
    }

    private static let ready: [(node: String, state: Character)] = [("s1", "r"), ("s2", "r"), ("k", "r")]

    @Test func aThousandServices() throws {
        try withCluster(ClusterLabTests.square) { lab, cluster in
            for number in 0..<Self.services {
                try cluster.server.apply(
                    Objects.service("s\(number)", ingress: [Self.vip(number)], policy: "Local"))
                try cluster.server.apply(Self.slice(number, Self.ready))
            }
            try eventually("c has routes to all services of s1") { try lab.announced(by: "s1") == Self.services }
            try measureStart(&lab)
            try measureOneChange(lab, cluster)
            try measureStorm(lab, cluster)
            for node in ["k", "s1", "s2", "c"] {
                print("resident memory of \(node): \(lab.residentMemory(of: node) >> 10) KiB")
            }
        }
    }

    /// Prints the time from the start of an agent without saved objects until the last service is in another node's routes.
    private func measureStart(_ lab: inout Lab) throws {
        for _ in 0..<3 {
            try lab.stop("s1")
            try FileManager.default.removeItem(atPath: LabCluster.file("s1/cluster"))
            try eventually("c has no route to a service of s1") { try lab.announced(by: "s1") == 0 }
            let start = ContinuousClock.now
            try lab.start(["s1"])
            while try lab.announced(by: "s1") < Self.services { usleep(5000) }
            print("from an agent's start until c has all \(Self.services) services: \(ContinuousClock.now - start)")
        }
    }

    /// Prints the time from a change of an endpoint at the API server until a route or next hop changes in another node's
    /// kernel.
    private func measureOneChange(_ lab: Lab, _ cluster: LabCluster) throws {
        var times: [Double] = []
        for round in 0..<20 {
            usleep(1_200_000)
            let watcher = try lab.command(on: "c", ["ip", "-ts", "monitor", "route", "nexthop"]).spawn()
            usleep(100_000)
            let states: [(node: String, state: Character)] =
                round % 2 == 0 ? [("s1", "t"), ("s2", "r"), ("k", "r")] : Self.ready
            let start = Date()
            // Two rounds with each service, because an address that comes and goes again would be damped.
            try cluster.server.apply(Self.slice(7 + round / 2, states))
            while watcher.text.isEmpty, Date().timeIntervalSince(start) < 5 { usleep(1000) }
            watcher.signal(SIGTERM)
            let text = try watcher.finish().text
            // `ip -ts` prints [2026-01-01T00:00:00.000000] before each notification.
            let stamp = text.dropFirst().prefix { $0 != "]" }
            let formatter = DateFormatter()
            formatter.dateFormat = "yyyy-MM-dd'T'HH:mm:ss.SSSSSS"
            formatter.timeZone = TimeZone.current
            if let moment = formatter.date(from: String(stamp)) { times.append(moment.timeIntervalSince(start) * 1000) }
        }
        times.sort()
        let median = times[times.count / 2]
        print("one endpoint's change until c's kernel: median \(median) ms, worst \(times.last!) ms, of \(times.count)")
    }

    /// Prints the processor time for a thousand changes a second, for 10 s, and how late hellos are meanwhile.
    private func measureStorm(_ lab: Lab, _ cluster: LabCluster) throws {
        let agent = try #require(lab.process(of: "s1"))
        let before = (routing: Self.cpu(of: agent, thread: "meshd-routing"), all: Self.cpu(of: agent, thread: nil))
        let start = ContinuousClock.now
        var changes = 0
        var shortest = Double.infinity
        var random = SystemRandomNumberGenerator()
        while ContinuousClock.now - start < .seconds(10) {
            let states = ["s1", "s2", "k"].map { (node: $0, state: Bool.random(using: &random) ? Character("r") : "t") }
            try cluster.server.apply(Self.slice(Int.random(in: 0..<Self.services, using: &random), states))
            changes += 1
            if changes % 100 == 0 {
                shortest = try lab.list(Neighbor.self, of: "c").map(\.deadIn).reduce(shortest, min)
            }
            let due = start + .milliseconds(changes)
            let now = ContinuousClock.now
            if due > now { usleep(UInt32((due - now) / .microseconds(1))) }
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let after = (routing: Self.cpu(of: agent, thread: "meshd-routing"), all: Self.cpu(of: agent, thread: nil))
        print(
            "storm of \(Int(Double(changes) / seconds)) changes a second: routing \((after.routing - before.routing) / seconds) of a core, the agent \((after.all - before.all) / seconds)"
        )
        print("the latest hello came \(4 - shortest) s after the one before; one a second is sent")
    }

    /// The processor time of a process, in seconds, or of its threads with this name.
    private static func cpu(of process: pid_t, thread name: String?) -> Double {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")) ?? []
        return tasks.map { task in
            guard let text = try? String(contentsOfFile: "/proc/\(process)/task/\(task)/stat", encoding: .utf8),
                let end = text.lastIndex(of: ")"), let begin = text.firstIndex(of: "("),
                name == nil || text[text.index(after: begin)..<end] == name!
            else { return 0 }
            let fields = text[end...].split(separator: " ")
            return (Double(fields[12])! + Double(fields[13])!) / Double(sysconf(Int32(_SC_CLK_TCK)))
        }.reduce(0, +)
    }
}

extension Lab {
    /// The number of services with a route on `c` of which this node is an announcer.
    fileprivate func announced(by node: String) throws -> Int {
        try list(Route.self, of: "c").count { $0.prefix.hasPrefix("2001:db8:aa::") && $0.nodes.contains(node) }
    }
}
