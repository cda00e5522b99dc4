import OSPF
import Simulation
import Testing

@Suite struct ScenarioTests {
    /// `meshsim --seed N --verbose` runs a scenario that failed here again, and prints all details. Without optimization a
    /// scenario takes a second: `make soak` runs many more.
    @Test(arguments: 1...60)
    func smallRandomScenariosHaveNoViolations(seed: Int) {
        let scenario = Scenario(seed: UInt64(seed))
        let outcome = scenario.run()
        #expect(
            outcome.violations.isEmpty,
            "meshsim --seed \(seed): \(scenario.title): \(outcome.violations.map(\.description).joined(separator: "\n"))"
        )
        #expect(outcome.statistics.delivered > 0)
    }

    /// `--size medium` for `meshsim`.
    @Test(arguments: 1...1)
    func mediumRandomScenariosHaveNoViolations(seed: Int) {
        let scenario = Scenario(seed: UInt64(seed), size: .medium)
        let outcome = scenario.run()
        #expect(
            outcome.violations.isEmpty,
            "meshsim --seed \(seed) --size medium: \(outcome.violations.map(\.description).joined(separator: "\n"))")
    }

    @Test(arguments: 1...5)
    func theSeedAloneDeterminesARun(seed: Int) {
        // Equal dictionaries iterate in different orders, so this finds a router whose output depends on that order.
        let scenario = Scenario(seed: UInt64(seed))
        #expect(scenario == Scenario(seed: UInt64(seed)))
        #expect(scenario.run().statistics == scenario.run().statistics)
    }

    /// As if the scenario failed whenever it contains one certain step.
    @Test func aFailingScenarioIsMinimizedToTheFailingStep() {
        let scenario = Scenario(seed: 3)
        let failingStep = scenario.script[scenario.script.count / 2]
        let smallest = scenario.minimized { $0.script.contains(failingStep) }
        #expect(smallest.script == [failingStep])
    }
}
