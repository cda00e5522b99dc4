import Foundation

/// The parts of the Grafana dashboard that the tests check.
struct Dashboard: Decodable {
    struct Source: Decodable, Equatable {
        var type: String
        var uid: String
    }

    struct Position: Decodable {
        var x: Int
        var y: Int
        var w: Int
        var h: Int
    }

    struct Target: Decodable {
        var datasource: Source
        var expr: String
        var refId: String
        var legendFormat: String
    }

    struct Panel: Decodable {
        var id: Int
        var type: String
        var title: String
        var description: String?
        var datasource: Source?
        var gridPos: Position
        var targets: [Target]?
    }

    struct Variable: Decodable {
        var name: String
        var type: String
    }

    struct Templating: Decodable { var list: [Variable] }

    var uid: String
    var title: String
    var schemaVersion: Int
    var templating: Templating
    var panels: [Panel]

    static let file = "deploy/monitoring/dashboard.json"

    static func read() throws -> Dashboard {
        try JSONDecoder().decode(Dashboard.self, from: Data(try Repository.text(file).utf8))
    }

    /// All queries, with the variables replaced as Grafana does when all instances are selected.
    var queries: [String] {
        panels.flatMap { $0.targets ?? [] }.map { target in
            target.expr.replacing("$__rate_interval", with: "20s").replacing("$job", with: "kubermesh")
                .replacing("$instance", with: ".+")
        }
    }
}
