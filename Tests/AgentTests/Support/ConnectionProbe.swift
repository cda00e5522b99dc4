import Addressing
import Foundation
import Lab
import Linux
import Synchronization

/// Connects to a port once a millisecond or so, and notes who answers.
final class ConnectionProbe: Sendable {
    struct Result: Sendable, CustomStringConvertible {
        /// How often each text was the answer.
        var answers: [String: Int] = [:]
        var failures: [String] = []
        /// The longest time from one answer to the next.
        var gap = Duration.zero

        var description: String { "answers \(answers), \(failures.count) failures \(failures.prefix(3)), gap \(gap)" }
    }

    private let result = Mutex(Result())
    private let isEnding = Atomic(false)
    private let ended = DispatchSemaphore(value: 0)

    /// Begins, in the namespace of a node.
    init(
        from node: String, of lab: Lab, to address: IPv6Address, port: UInt16,
        every interval: Duration = .milliseconds(1)
    ) throws {
        let namespace = try NetworkNamespace(named: lab.namespace(of: node).name)
        Thread.detachNewThread { [self] in
            try? namespace.run { run(address, port, interval) }
            ended.signal()
        }
    }

    /// What there was so far.
    var current: Result { result.withLock { $0 } }

    /// Ends, and says what there was.
    func end() -> Result {
        isEnding.store(true, ordering: .relaxed)
        ended.wait()
        return current
    }

    private func run(_ address: IPv6Address, _ port: UInt16, _ interval: Duration) {
        let clock = ContinuousClock()
        var next = clock.now
        var latest = next
        while !isEnding.load(ordering: .relaxed) {
            let outcome = Swift.Result { try Responder.dial(address, port: port) }
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
