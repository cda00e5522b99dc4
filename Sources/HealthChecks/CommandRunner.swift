internal import Glibc
internal import NIOCore
internal import Services
internal import Subprocess
internal import SystemPackage
internal import Timing

/// Runs the program of a check, one run at a time. Leaves no process of the program's process group running, even if the
/// program takes too long or the check is stopped. To be called on its loop.
final class CommandRunner: Sendable {
    /// A run. The program is the leader of its own process group. Its child processes belong to that group unless they leave
    /// it.
    private struct Run {
        /// The process ID of the program, and the ID of its process group.
        var leader: pid_t
        /// Kills the group when time is up.
        var deadline: Scheduled<Void>
        /// Whether time is up.
        var isLate = false
    }

    private let probe: CommandProbe
    private let loop: any EventLoop
    private let executor: (any TaskExecutor)?
    private let current: NIOLoopBoundBox<Run?>
    private let isStopped: NIOLoopBoundBox<Bool>

    init(_ probe: CommandProbe, loop: any EventLoop, executor: (any TaskExecutor)?) {
        self.probe = probe
        self.loop = loop
        self.executor = executor
        current = .makeBoxSendingValue(nil, eventLoop: loop)
        isStopped = .makeBoxSendingValue(false, eventLoop: loop)
    }

    /// Runs the program once. The future completes after the program has ended and the rest of its process group was killed.
    /// Never fails: a failure is an outcome.
    func run(timeout: TimeAmount) -> EventLoopFuture<CheckOutcome> {
        let outcome = loop.makePromise(of: CheckOutcome.self)
        Task(executorPreference: executor) { outcome.succeed(await self.outcome(timeout)) }
        return outcome.futureResult
    }

    /// Kills the process group of the current run. Those of later runs are killed when they start.
    func stop() {
        isStopped.value = true
        if let leader = current.value?.leader { kill(-leader, SIGKILL) }
    }

    /// Runs the program and describes how it ended.
    private func outcome(_ timeout: TimeAmount) async -> CheckOutcome {
        let name = probe.command[0]
        do {
            var options = PlatformOptions()
            options.processGroupID = 0  // a new group, with the ID of the process
            let environment = probe.environment.merging(["PATH": CommandProbe.path]) { own, _ in own }
            let result = try await Subprocess.run(
                name.hasPrefix("/") ? .path(FilePath(name)) : .name(name),
                arguments: Arguments(Array(probe.command.dropFirst())),
                environment: .custom(
                    Dictionary(uniqueKeysWithValues: environment.map { (.init(stringLiteral: $0), $1) })),
                workingDirectory: "/", platformOptions: options, input: .none, output: .sequence,
                error: .combinedWithOutput
            ) { execution in
                let leader = execution.processIdentifier.value
                try await loop.submit { self.begin(leader, timeout) }.get()
                var firstLine = FirstLine()
                do {
                    for try await buffer in execution.standardOutput {
                        buffer.withUnsafeBytes { firstLine.append($0) }
                    }
                    // The output is closed. Polling costs little, because most programs exit at once then.
                    var pause: Int64 = 1  // milliseconds
                    while !hasEnded(leader) {
                        try await loop.scheduleTask(in: .milliseconds(pause)) {}.futureResult.get()
                        pause = min(pause * 2, 50)
                    }
                } catch {
                    _ = try await loop.submit { self.end() }.get()
                    throw error
                }
                return (firstLine.text, isLate: try await loop.submit { self.end() }.get())
            }
            let leader = result.processIdentifier.value
            // The processes of the group that were killed need a moment to exit.
            loop.scheduleTask(in: .milliseconds(50)) { reap(group: leader) }
            let output = result.closureResult.0.isEmpty ? "" : ": \(result.closureResult.0)"
            return switch result.terminationStatus {
            case .exited(0): .success
            case _ where result.closureResult.isLate: .failure("\(name): not finished within \(timeout.text)\(output)")
            case .exited(let status): .failure("\(name): exit status \(status)\(output)")
            case .signaled(let signal): .failure("\(name): ended by signal \(signal)\(output)")
            }
        } catch let error as SubprocessError where error.code == .executableNotFound {
            return .failure("\(name): no such program, or not executable")
        } catch {
            return .failure("\(name): cannot be run: \(error)")
        }
    }

    /// Notes that the program runs, and sets its deadline. Kills it at once if the check was stopped meanwhile.
    private func begin(_ leader: pid_t, _ timeout: TimeAmount) {
        let deadline = loop.scheduleTask(in: timeout) {
            self.current.value?.isLate = true
            kill(-leader, SIGKILL)
        }
        current.value = Run(leader: leader, deadline: deadline)
        if isStopped.value { kill(-leader, SIGKILL) }
    }

    /// Kills the process group with all that the program left running. Returns whether the program took too long. Call it
    /// before the program is reaped: until then no other process has its ID.
    private func end() -> Bool {
        guard let run = current.value else { return false }
        run.deadline.cancel()
        kill(-run.leader, SIGKILL)
        current.value = nil
        return run.isLate
    }
}

/// Whether a child has exited, or there is no such child. Does not reap it.
private func hasEnded(_ child: pid_t) -> Bool {
    var info = siginfo_t()
    return waitid(P_PID, id_t(child), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_signo != 0
}

/// Reaps the orphans of a process group. In a container, they become children of process 1, which the agent may be.
private func reap(group: pid_t) {
    while waitpid(-group, nil, WNOHANG) > 0 {}
}

/// The first line of output that is not empty, without control characters and leading spaces. At most 200 octets, because it
/// becomes a part of log lines.
struct FirstLine {
    private static let limit = 200
    private var octets: [UInt8] = []
    private var isWhole = false

    /// Adds octets. Those after the line are ignored.
    mutating func append(_ more: UnsafeRawBufferPointer) {
        for octet in more {
            if isWhole { return }
            if octet == UInt8(ascii: "\n") || octet == UInt8(ascii: "\r") {
                isWhole = !octets.isEmpty
            } else if octet >= 0x20 && octet != 0x7f && (octet != 0x20 || !octets.isEmpty) {
                octets.append(octet)
                isWhole = octets.count == Self.limit
            }
        }
    }

    /// The line as text.
    var text: String { String(decoding: octets, as: UTF8.self) }
}
