import OSPF
import Simulation
internal import Timing

/// The totals of several runs, and their median and longest convergence, in one line.
struct Summary: CustomStringConvertible {
    private(set) var runs = 0
    private var virtualSeconds: Int64 = 0
    private var packets = 0
    private var convergences: [Duration] = []
    /// The digests of the runs in their order, combined: if it differs, two series of runs differ.
    private var digest: UInt64 = 0

    mutating func add(_ outcome: Scenario.Outcome) {
        runs += 1
        virtualSeconds += outcome.duration.components.seconds
        packets += outcome.statistics.delivered
        convergences.append(outcome.convergence)
        digest = (digest &* 31) ^ outcome.statistics.digest
    }

    var description: String {
        let sorted = convergences.sorted()
        let median = sorted.isEmpty ? Duration.zero : sorted[sorted.count / 2]
        return
            "\(runs) runs, \(virtualSeconds) virtual s, \(packets) packets, routes settled after \(milliseconds(median)) (median), \(milliseconds(sorted.last ?? .zero)) (most), digest \(String(digest, radix: 16))"
    }

    private func milliseconds(_ duration: Duration) -> String { "\(duration.nanoseconds / 1_000_000) ms" }
}
