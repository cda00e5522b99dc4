import Foundation
import Lab
import Testing

/// The alert rules, checked with `promtool`.
@Suite struct AlertTests {
    /// The names of the rules.
    private func names() throws -> [String] {
        try Repository.text("deploy/monitoring/alerts.yaml").matches(of: #/- alert: (\w+)/#).map { String($0.1) }
    }

    @Test func eachAlertFiresOnItsConditionAndNoOtherDoes() throws {
        let directory = try TemporaryDirectory()
        try directory.write(try Repository.output(of: "scripts/alert-rules"), to: "rules.yaml")
        try directory.write(try Repository.text("Tests/DeploymentTests/alerts.test.yaml"), to: "tests.yaml")
        let check = try Command(["promtool", "check", "rules", "\(directory.path)/rules.yaml"]).output()
        let count = try names().count
        #expect(check.status == 0 && check.text.contains("\(count) rules found"), "\(check)")
        let tests = try Command(["promtool", "test", "rules", "\(directory.path)/tests.yaml"]).output()
        #expect(tests.status == 0, "\(tests)")
    }

    @Test func eachAlertIsTestedAndDocumented() throws {
        let tests = try Repository.text("Tests/DeploymentTests/alerts.test.yaml")
        let pages = try Repository.text("docs/alerts.md")
        let rules = try Repository.text("deploy/monitoring/alerts.yaml")
        let names = try names()
        #expect(names.count > 10 && Set(names).count == names.count)
        for name in names {
            #expect(tests.contains("alertname=\"\(name)\""), "\(name) fires in no test")
            #expect(rules.contains("runbook: docs/alerts.md#\(name.lowercased())\n"))
        }
        let documented = pages.matches(of: #/(?m)^## (Kubermesh\w+)$/#).map { String($0.1) }
        #expect(documented == names, "docs/alerts.md has the same alerts in the same order")
    }
}
