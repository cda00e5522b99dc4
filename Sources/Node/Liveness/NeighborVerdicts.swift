internal import Addressing

/// What finds that a neighbor has failed although its hellos may arrive.
struct Detectors: OptionSet, Hashable, Sendable {
    let rawValue: UInt8
    /// Echo requests to its kernel.
    static let echo = Detectors(rawValue: 1)
    /// A session of BFD with it.
    static let bfd = Detectors(rawValue: 2)
}

/// The verdicts of all detectors on all neighbors. For routing, a neighbor is alive as long as none says that it has failed.
struct NeighborVerdicts: Sendable {
    /// The detectors that say of a neighbor that it has failed; not empty.
    private var failures: [NeighborAddress: Detectors] = [:]

    /// Notes a verdict. Returns which detectors say now that the neighbor has failed; `nil` if that has not changed.
    mutating func note(_ neighbor: NeighborAddress, isAlive: Bool, by detector: Detectors) -> Detectors? {
        let before = failures[neighbor] ?? []
        let after = isAlive ? before.subtracting(detector) : before.union(detector)
        failures[neighbor] = after.isEmpty ? nil : after
        return before == after ? nil : after
    }

    /// Why neighbors on an interface have failed, as text.
    func failure(on interface: UInt32) -> String {
        let detectors = failures.filter { $0.key.interface == interface }.reduce(Detectors()) { $0.union($1.value) }
        return switch detectors {
        case .bfd: "its BFD session is down"
        case .echo: "it does not answer echo requests"
        default: "it does not answer echo requests, and its BFD session is down"
        }
    }

    /// Whether a detector says that a neighbor has failed.
    func hasFailed(_ neighbor: NeighborAddress, by detector: Detectors) -> Bool {
        failures[neighbor]?.contains(detector) ?? false
    }
}
