import Addressing
import Foundation
import Glibc
import Lab
import Linux
import Synchronization
import Timing

/// Connects to a port, one connection after the other, at most one per `interval`, and records who answers; and pings the
/// address once per `interval`. The source ports of connections are used in turn: a server that has not closed an earlier
/// connection from the same port would refuse the new one, which would look like a loss.
final class ConnectionProbe: Sendable {
    struct Result: Sendable, CustomStringConvertible {
        /// How many times each text was the answer.
        var answers: [String: Int] = [:]
        /// The errors of connections that failed.
        var failures: [String] = []
        /// The longest time from the start or an answer to the next answer.
        var gap = Duration.zero
        /// The summary of ping; empty before the end.
        var pings = ""

        /// How many pings were not answered, except one, which may be under way at the end. `nil` before the end.
        var lostPings: Int? {
            pings.firstMatch(of: #/(\d+) packets transmitted, (\d+) received/#).map {
                max(0, Int($0.1)! - Int($0.2)! - 1)
            }
        }

        /// Whether nothing was lost.
        var isLossless: Bool { failures.isEmpty && lostPings == 0 }

        var description: String {
            "answers \(answers), \(failures.count) failures \(failures.prefix(3)), gap \(gap), \(pings)"
        }
    }

    /// Source ports: below those that the kernel assigns, which begin at 32,768, and above those on which agents listen.
    private static let sources: ClosedRange<UInt16> = 10_000...32_767

    private let result = Mutex(Result())
    private let isEnding = Atomic(false)
    private let ended = DispatchSemaphore(value: 0)
    private let ping: RunningCommand

    /// Starts in the namespace of a node.
    init(
        from node: String, of lab: Lab, to address: IPv6Address, port: UInt16,
        every interval: Duration = .milliseconds(1)
    ) throws {
        ping = try lab.command(on: node, ["ping", "-D", "-i", "\(interval / .seconds(1))", "\(address)"]).spawn()
        let namespace = try NetworkNamespace(named: lab.namespace(of: node).name)
        Thread.detachNewThread { [self] in
            try? namespace.run { run(address, port, interval) }
            ended.signal()
        }
    }

    /// The result so far.
    var current: Result { result.withLock { $0 } }

    /// Stops, and returns the result.
    func end() -> Result {
        isEnding.store(true, ordering: .relaxed)
        ended.wait()
        ping.signal(SIGINT)
        let output = try? ping.finish()
        // Errors, with who sent them, and the summary.
        let lines = (output?.text ?? "").split(separator: "\n").filter { !$0.contains(" bytes from ") }
        result.withLock { $0.pings = lines.joined(separator: "\n") }
        return current
    }

    private func run(_ address: IPv6Address, _ port: UInt16, _ interval: Duration) {
        let clock = ContinuousClock()
        var next = clock.now
        var latest = next
        var source = Self.sources.lowerBound
        while !isEnding.load(ordering: .relaxed) {
            source = source < Self.sources.upperBound ? source + 1 : Self.sources.lowerBound
            let outcome = Swift.Result { try Responder.dial(address, port: port, from: source) }
            let now = clock.now
            result.withLock { result in
                switch outcome {
                case .success(let text):
                    result.answers[text, default: 0] += 1
                    result.gap = max(result.gap, now - latest)
                    latest = now
                case .failure(let error): result.failures.append("\(error)")
                }
            }
            next = max(next + interval, now)
            Thread.sleep(forTimeInterval: max(0, (next - clock.now) / .seconds(1)))
        }
    }
}
