import Glibc
import OSPF
import Simulation

/// `meshsim`: runs the scenarios of seeds, and reports violations.
@main
struct Main {
    static let usage = """
        usage: meshsim [--seeds A..B | --seed N | --convergence] [--size small|medium|large] [--verbose] [--minimize]
                       [--keep-going] [--report-every N]

          --seeds A..B      run the scenarios of these seeds, both included (default 1..1000)
          --seed N          run the scenario of one seed
          --size SIZE       how large the meshes are (default small)
          --verbose         print all that happens
          --minimize        after a failure, leave out steps as long as it still fails, and print what remains
          --keep-going      do not stop at the first failure
          --convergence     instead of scenarios, print how long meshes of good links take to converge
          --report-every N  a summary line after so many seeds (default 100)

        Exits with 1 if a run failed a check, with 2 for invalid arguments.
        """

    static func main() {
        switch Options.parse(Array(CommandLine.arguments.dropFirst())) {
        case .success(let options): flushAndExit(with: run(options))
        case .failure(let problem):
            print("meshsim: \(problem.text)\n\(usage)")
            flushAndExit(with: 2)
        }
    }

    static func run(_ options: Options) -> Int32 {
        if options.measuresConvergence {
            ConvergenceTable.print()
            return 0
        }
        var summary = Summary()
        var failures = 0
        for seed in options.seeds {
            let scenario = Scenario(seed: seed, size: options.size)
            if options.isVerbose { print(scenario) }
            let outcome = scenario.run(observer: options.isVerbose ? Trace.print : nil)
            summary.add(outcome)
            if !outcome.violations.isEmpty {
                failures += 1
                printFailure(of: scenario, outcome, options)
                if !options.keepsGoing { return 1 }
            }
            if summary.runs == options.reportEvery || seed == options.seeds.upperBound {
                print("seeds up to \(seed): \(summary), \(failures) failed")
                summary = Summary()
            }
            // Otherwise a file with the output of a long run would show nothing until a buffer is full.
            fflush(nil)
        }
        return failures == 0 ? 0 : 1
    }

    static func printFailure(of scenario: Scenario, _ outcome: Scenario.Outcome, _ options: Options) {
        print("seed \(scenario.seed) --size \(options.size.rawValue) FAILED: \(scenario.title)")
        for violation in outcome.violations { print("  \(violation)") }
        guard options.minimizes else { return }
        let kinds = Set(outcome.violations.map(\.kind))
        let smallest = scenario.minimized { !kinds.isDisjoint(with: $0.run().violations.map(\.kind)) }
        print("smallest scenario that fails alike:\n\(smallest)")
        let result = smallest.run(observer: options.isVerbose ? Trace.print : nil)
        for violation in result.violations { print("  \(violation)") }
    }
}
