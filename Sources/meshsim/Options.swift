import Glibc
import Simulation

/// The options of the command line (``Main/usage``).
struct Options {
    var seeds: ClosedRange<UInt64> = 1...1000
    var size = Scenario.Size.small
    var isVerbose = false
    var minimizes = false
    var keepsGoing = false
    var measuresConvergence = false
    var reportEvery = 100

    /// Why the arguments are not valid.
    struct Problem: Error {
        var text: String
    }

    static func parse(_ arguments: [String]) -> Result<Options, Problem> {
        var options = Options()
        var remaining = arguments[...]
        while let name = remaining.popFirst() {
            switch name {
            case "--verbose": options.isVerbose = true
            case "--minimize": options.minimizes = true
            case "--convergence": options.measuresConvergence = true
            case "--keep-going": options.keepsGoing = true
            case "--seeds", "--seed", "--size", "--report-every":
                guard let value = remaining.popFirst(), options.set(name, to: value) else {
                    return .failure(Problem(text: "\(name) needs a valid value"))
                }
            default: return .failure(Problem(text: "unknown argument \(name)"))
            }
        }
        return .success(options)
    }

    /// Sets an option. Returns whether the value is valid.
    private mutating func set(_ name: String, to value: String) -> Bool {
        switch name {
        case "--seed":
            guard let seed = UInt64(value) else { return false }
            seeds = seed...seed
        case "--seeds":
            let bounds = value.split(separator: ".", omittingEmptySubsequences: true).map { UInt64($0) }
            guard bounds.count == 2, let first = bounds[0], let last = bounds[1], first <= last else { return false }
            seeds = first...last
        case "--size":
            guard let size = Scenario.Size(rawValue: value) else { return false }
            self.size = size
        default:
            guard let count = Int(value), count > 0 else { return false }
            reportEvery = count
        }
        return true
    }
}

/// Flushes the output and ends the program with this exit code.
func flushAndExit(with code: Int32) -> Never {
    fflush(nil)
    exit(code)
}
