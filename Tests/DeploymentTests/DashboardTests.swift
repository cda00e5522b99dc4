import Testing

/// The dashboard has the form that Grafana expects. ``PrometheusTests`` tests its queries.
@Suite struct DashboardTests {
    private static let types: Set = ["row", "stat", "timeseries", "state-timeline"]

    @Test func theDashboardIsWellFormed() throws {
        let dashboard = try Dashboard.read()
        #expect(dashboard.uid == "kubermesh" && dashboard.schemaVersion >= 36)
        let source = Dashboard.Source(type: "prometheus", uid: "${datasource}")
        #expect(dashboard.templating.list.map(\.name) == ["datasource", "job", "instance"])
        #expect(Set(dashboard.panels.map(\.id)).count == dashboard.panels.count)
        for panel in dashboard.panels {
            #expect(Self.types.contains(panel.type), "\(panel.title)")
            guard panel.type != "row" else { continue }
            let targets = try #require(panel.targets, "\(panel.title)")
            #expect(panel.datasource == source && targets.allSatisfy { $0.datasource == source })
            #expect(!targets.isEmpty && Set(targets.map(\.refId)).count == targets.count, "\(panel.title)")
            #expect(panel.description?.isEmpty == false, "\(panel.title) is not explained")
        }
        let variables = Set(
            dashboard.panels.flatMap { $0.targets ?? [] }.flatMap { $0.expr.matches(of: #/\$\w+/#) }.map {
                String($0.0)
            })
        #expect(variables == ["$job", "$instance", "$__rate_interval"])
    }

    @Test func panelsDoNotOverlap() throws {
        var taken: Set<[Int]> = []
        for panel in try Dashboard.read().panels {
            let place = panel.gridPos
            #expect(place.x >= 0 && place.x + place.w <= 24, "\(panel.title)")
            for x in place.x..<place.x + place.w {
                for y in place.y..<place.y + place.h {
                    #expect(taken.insert([x, y]).inserted, "\(panel.title) lies over another panel")
                }
            }
        }
    }
}
