import Foundation
import Glibc
import Lab

/// A real Prometheus on a node of a lab, which scrapes the agents of all nodes over the mesh every second.
struct Prometheus {
    /// A series in the result of a query, with its current value.
    struct Sample: Decodable {
        var metric: [String: String]
        var value: Double

        private enum Key: CodingKey { case metric, value }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            metric = try container.decode([String: String].self, forKey: .metric)
            var pair = try container.nestedUnkeyedContainer(forKey: .value)
            _ = try pair.decode(Double.self)
            value = Double(try pair.decode(String.self)) ?? .nan
        }
    }

    /// An alert rule and its state.
    struct Rule: Decodable {
        var name: String
        var health: String
        var state: String
        var lastError: String?
    }

    private struct Answer<Content: Decodable>: Decodable {
        var status: String
        var error: String?
        var data: Content?
    }

    private struct Vector: Decodable { var result: [Sample] }
    private struct Rules: Decodable { var groups: [Group] }
    private struct Group: Decodable { var rules: [Rule] }

    private let lab: Lab
    private let node: String
    private let directory: TemporaryDirectory
    private let process: RunningCommand

    /// Starts Prometheus on `node`.
    init(on node: String, of lab: Lab) throws {
        self.lab = lab
        self.node = node
        directory = try TemporaryDirectory()
        let targets = lab.topology.nodes.map { node in
            "      - { targets: ['[\(lab.addresses.address(of: node.name))]:9179'], labels: { instance: \(node.name) } }"
        }
        try directory.write(try Repository.output(of: "scripts/alert-rules"), to: "rules.yaml")
        try directory.write(
            """
            global: { scrape_interval: 1s, evaluation_interval: 1s }
            rule_files: [rules.yaml]
            scrape_configs:
              - job_name: kubermesh
                static_configs:
            \(targets.joined(separator: "\n"))

            """, to: "prometheus.yaml")
        process = try lab.command(
            on: node,
            [
                "prometheus", "--config.file=\(directory.path)/prometheus.yaml",
                "--storage.tsdb.path=\(directory.path)/data", "--web.listen-address=127.0.0.1:9090",
            ]
        ).spawn()
    }

    /// Stops Prometheus.
    func end() {
        process.signal(SIGKILL)
        _ = try? process.finish()
    }

    /// The result of a query.
    func query(_ text: String) throws -> [Sample] {
        try ask(Vector.self, "query", "--data-urlencode", "query=\(text)").result
    }

    /// The names of all metrics.
    func names() throws -> Set<String> { Set(try ask([String].self, "label/__name__/values")) }

    /// All alert rules.
    func rules() throws -> [Rule] { try ask(Rules.self, "rules").groups.flatMap(\.rules) }

    private func ask<Content: Decodable>(_ type: Content.Type, _ path: String, _ arguments: String...) throws -> Content
    {
        let output = try lab.command(
            on: node, ["curl", "-s", "-G"] + arguments + ["http://127.0.0.1:9090/api/v1/\(path)"]
        ).run()
        let answer = try JSONDecoder().decode(Answer<Content>.self, from: Data(output.utf8))
        guard let data = answer.data else {
            throw LabError("Prometheus has no answer to \(path) \(arguments): \(answer.error ?? output)")
        }
        return data
    }
}
