import Addressing
import ControlAPI
import Foundation
import Glibc
import Lab
import Services
import TestSupport
import Testing

/// Checks of VIPs in a real agent.
@Suite(.serialized, .needsRoot) struct RunningChecksTests {
    /// An announcement ends when no check has reported for its lifetime, here (100 ms + 100 ms) × 4. The thread of the checks
    /// is stopped in a system call, and the routing thread continues.
    @Test func aStalledCheckerEndsTheAnnouncement() throws {
        let vip = "2001:db8:bb::1"
        // Another thread listens on this port, the one of HTTP.
        let check = "{ tcp: \"[::1]:9179\", interval: 100ms, timeout: 100ms, rise: 1, fall: 3 }"
        try withPair("vips: [ { name: v, address: \"\(vip)\", check: \(check) } ]") { lab in
            func isRouted() throws -> Bool {
                try lab.kernelRoutes(of: "b").contains { $0.prefix.description == "\(vip)/128" }
            }
            func isPlaced() throws -> Bool {
                try lab.command(on: "a", ["ip", "-6", "address", "show", "dev", "lo"]).run().contains(vip)
            }
            try eventually("b routes to the VIP") { try isRouted() && isPlaced() }
            let agent = try #require(lab.process(of: "a"))
            // SwiftNIO counts from 1: the second event loop of `Daemon` runs the checks.
            let thread = try #require(try thread(named: "NIO-ELT-1-#2", of: agent))
            let tracer = try Command([
                "strace", "-qq", "-o", "/dev/null", "-p", "\(thread)", "-e", "inject=all:delay_enter=60s",
            ]).spawn()
            defer { kill(tracer.pid, SIGKILL) }
            try eventually("b has no route to the VIP while its checker is stalled") { try !isRouted() && !isPlaced() }
            #expect(try !lab.kernelRoutes(of: "b").isEmpty, "the agent still announces its other prefixes")

            tracer.signal(SIGKILL)
            _ = try tracer.finish()
            try eventually("the VIP is placed and announced again") { try isRouted() && isPlaced() }
            #expect(try lab.status(of: "a").events.contains { $0.message.contains("its checker does not report") })
        }
    }

    @Test func aStoppedAgentEndsItsCheckCommand() throws {
        let script = "echo $$ > $DIRECTORY/$KUBERMESH_VIP; exec sleep 1000"
        let directory = try TemporaryDirectory()
        let command = "[ sh, -c, \"\(script.replacing("$DIRECTORY", with: directory.path))\" ]"
        try withPair(
            "vips: [ { name: v, address: \"2001:db8:bb::1\", check: { exec: { command: \(command) }, timeout: 600s } } ]"
        ) { lab in
            var pid: Int32?
            try eventually("the command runs") {
                let text = (try? String(contentsOfFile: directory.path + "/v", encoding: .utf8)) ?? ""
                pid = Int32(text.trimmingCharacters(in: .newlines))
                return pid != nil
            }
            let command = try #require(pid)
            #expect(kill(command, 0) == 0)
            try lab.stop("a")
            try eventually("the command has ended") {
                let stat = (try? String(contentsOfFile: "/proc/\(command)/stat", encoding: .utf8)) ?? ") Z "
                return stat.contains(") Z ")
            }
        }
    }

    @Test func reasonsOfFailedChecksAreShown() throws {
        let checks = [
            "tls": "https: { url: \"https://[::1]:9179/readyz\", ca: /no/such/ca.crt }",
            "command": "exec: { command: [ sh, -c, \"echo no space left; exit 4\" ] }",
        ]
        let vips = checks.enumerated().map {
            "{ name: \($0.element.key), address: \"2001:db8:bb::\($0.offset)\", check: { \($0.element.value) } }"
        }
        try withPair("vips: [ \(vips.joined(separator: ", ")) ]") { lab in
            try eventually("meshctl vips shows the reasons of both failures") {
                let table = try lab.meshctl("vips").text
                return table.contains("cannot read /no/such/ca.crt: No such file or directory")
                    && table.contains("https [::1]:9179/readyz") && table.contains("exit status 4: no space left")
            }
        }
    }

    /// A thread whose name begins with `prefix`; `nil` if there is none.
    private func thread(named prefix: String, of process: Int32) throws -> Int32? {
        let tasks = "/proc/\(process)/task"
        return try FileManager.default.contentsOfDirectory(atPath: tasks).first {
            try String(contentsOfFile: "\(tasks)/\($0)/comm", encoding: .utf8).hasPrefix(prefix)
        }.flatMap { Int32($0) }
    }
}
