import Addressing
import Foundation
import Glibc
import NIOCore
import NIOPosix
import OSPF
import Services
import Testing
import Timing

@testable import HealthChecks

/// Probes that run a program.
@Suite(.serialized) struct CommandProbeTests {
    private let file = FileManager.default.temporaryDirectory.appending(path: "mesh-exec-\(UUID().uuidString)")

    /// A probe that runs a shell script; `$F` is the path of the file.
    private func shell(_ script: String) -> Probe {
        .command(CommandProbe(command: ["sh", "-c", script], environment: ["KUBERMESH_VIP": "api", "F": file.path]))
    }

    /// Whether a process exists and is no zombie.
    private func isAlive(_ pid: pid_t) -> Bool {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
        return !text.contains(") Z ")
    }

    /// Waits until a command has written a number and a line feed to the file, for at most 10 s, and returns the number.
    private func numberInFile() async throws -> pid_t {
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
            if text.hasSuffix("\n"), let number = pid_t(text.dropLast()) { return number }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw CocoaError(.fileReadNoSuchFile)
    }

    /// Checks that a process ends within 10 s.
    private func expectItEnds(_ pid: pid_t) async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while isAlive(pid), ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(5)) }
        #expect(!isAlive(pid))
    }

    @Test func theExitStatusDeterminesTheOutcome() async throws {
        #expect(try await outcome(of: .command(CommandProbe(command: ["true"]))) == .success)
        #expect(try await failure(of: .command(CommandProbe(command: ["false"]))) == "false: exit status 1")
        #expect(try await failure(of: shell("kill -TERM $$")) == "sh: ended by signal 15")
    }

    @Test func theFirstLineIsTheReason() async throws {
        let reason = try await failure(of: shell("echo; echo '  disk full' >&2; echo and more; exit 3"))
        #expect(reason == "sh: exit status 3: disk full")
        let long = try await failure(of: shell("head -c 1000 /dev/zero | tr '\\0' x; exit 1"))
        #expect(long == "sh: exit status 1: " + String(repeating: "x", count: 200))
    }

    @Test func theEnvironmentHasPATHAndTheGivenVariablesButNotHOME() async throws {
        let expected = "F=\(file.path) KUBERMESH_VIP=api PATH=\(CommandProbe.path)"
        let probe = CommandProbe(command: ["/usr/bin/env"], environment: ["KUBERMESH_VIP": "api", "F": file.path])
        #expect(try await outcome(of: .command(probe)) == .success)
        let test = "test \"F=$F KUBERMESH_VIP=$KUBERMESH_VIP PATH=$PATH\" = '\(expected)' -a -z \"$HOME\""
        #expect(try await outcome(of: shell(test)) == .success)
    }

    @Test(arguments: ["no-such-program", "/no/such/program", "/etc/passwd", "/"])
    func aProgramThatCannotBeRunIsReported(program: String) async throws {
        #expect(
            try await failure(of: .command(CommandProbe(command: [program])))
                == "\(program): no such program, or not executable")
    }

    @Test func aCommandThatTimesOutIsKilledWithItsChildren() async throws {
        defer { try? FileManager.default.removeItem(at: file) }
        let reason = try await failure(
            of: shell("echo waiting; sleep 1000 & echo $! > $F; trap '' TERM; wait"), timeout: .milliseconds(300))
        #expect(reason == "sh: not finished within 0.3 s: waiting")
        try await expectItEnds(numberInFile())
    }

    @Test func outputWithoutEndIsBounded() async throws {
        #expect(
            try await failure(of: .command(CommandProbe(command: ["yes"])), timeout: .milliseconds(200))
                == "yes: not finished within 0.2 s: y")
        #expect(
            try await outcome(of: .command(CommandProbe(command: ["head", "-c", "20000000", "/dev/zero"]))) == .success)
    }

    @Test func aChildThatACommandLeavesRunningIsKilled() async throws {
        defer { try? FileManager.default.removeItem(at: file) }
        #expect(try await outcome(of: shell("sleep 1000 & echo $! > $F")) == .success)
        try await expectItEnds(numberInFile())
    }

    @Test func aChildOutsideTheProcessGroupIsNotWaitedFor() async throws {
        defer { try? FileManager.default.removeItem(at: file) }
        #expect(try await outcome(of: shell("setsid sleep 3 & echo hello; sleep 0.1")) == .success)
        #expect(
            try await failure(of: shell("setsid sleep 3 & echo hello; sleep 1000"), timeout: .milliseconds(300))
                == "sh: not finished within 0.3 s: hello")
    }

    @Test func closedOutputDoesNotEndTheCheck() async throws {
        #expect(
            try await failure(of: shell("exec >&- 2>&-; sleep 0.1; exit 7")) == "sh: exit status 7")
        #expect(
            try await failure(of: shell("exec >&- 2>&-; sleep 1000"), timeout: .milliseconds(100))
                == "sh: not finished within 0.1 s")
    }

    @Test func aStoppedCheckKillsItsCommand() async throws {
        defer { try? FileManager.default.removeItem(at: file) }
        let (prober, loop) = Prober.make(shell("echo $$ > $F; exec sleep 1000"))
        let outcome = loop.flatSubmit { prober.run(timeout: .seconds(1000)) }
        let pid = try await numberInFile()
        #expect(isAlive(pid))
        try await loop.submit { prober.stop() }.get()
        try await expectItEnds(pid)
        #expect(try await outcome.get() == .failure("sh: ended by signal 9"))
        #expect(try await loop.flatSubmit { prober.run(timeout: .seconds(1000)) }.get() != .success)
    }

    @Test func manyRunsLeaveNoDescriptorsAndNoZombies() async throws {
        func descriptors() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count }
        let (prober, loop) = Prober.make(shell("exit 0"))
        for _ in 0..<3 { #expect(try await loop.flatSubmit { prober.run(timeout: .seconds(10)) }.get() == .success) }
        let before = try descriptors()
        for _ in 0..<100 { #expect(try await loop.flatSubmit { prober.run(timeout: .seconds(10)) }.get() == .success) }
        #expect(try descriptors() <= before + 5)
        let zombies = try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { name in
            let stat = (try? String(contentsOfFile: "/proc/\(name)/stat", encoding: .utf8)) ?? ""
            return stat.contains("(sh) Z \(getpid()) ")
        }
        #expect(zombies.isEmpty)
    }

    @Test func atMostOneCommandRunsAtATime() async throws {
        defer { try? FileManager.default.removeItem(at: file) }
        let script = "mkdir $F || exit 9; sleep 0.02; rmdir $F"
        var table = VIPTable()
        let check = HealthCheck(probe: shell(script), interval: .milliseconds(1), timeout: .seconds(10))
        let vip = VIP(name: "api", address: IPv6Address("fd00::a")!, check: check)
        guard case .startChecking(let id, _)? = table.configure([vip], at: .zero).first else {
            Issue.record("the VIP table did not request a check")
            return
        }
        let (outcomes, continuation) = AsyncStream.makeStream(of: CheckOutcome.self)
        let checker = HealthChecker(loop: MultiThreadedEventLoopGroup.singleton.next()) { continuation.yield($1) }
        checker.start(id, check)
        var iterator = outcomes.makeAsyncIterator()
        for _ in 0..<10 { #expect(await iterator.next() == .success) }
        try await checker.stopAll().get()
    }
}
