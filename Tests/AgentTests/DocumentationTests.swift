import ConfigurationFile
import Foundation
import MeshConfiguration
import Services
import Testing

@testable import Agent

/// The configurations in the documentation are valid, and the defaults are as documented.
@Suite struct DocumentationTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The YAML blocks of a Markdown file.
    private static func blocks(of file: String) throws -> [String] {
        try String(contentsOf: root.appending(path: file), encoding: .utf8).components(separatedBy: "\n```yaml\n")
            .dropFirst().map { $0.components(separatedBy: "\n```")[0] + "\n" }
    }

    private static let files = [
        "README.md", "docs/operating.md", "docs/kubernetes.md", "docs/architecture.md", "docs/protocol.md",
    ]

    @Test(arguments: files) func configurationsInTheDocumentationAreValid(file: String) throws {
        for block in try Self.blocks(of: file) { _ = try Configuration(yaml: block, file: file) }
    }

    @Test func theDefaultsAreAsDocumented() throws {
        var configuration = try Configuration(
            yaml: try #require(Self.blocks(of: "docs/operating.md").first), file: "docs/operating.md")
        #expect(configuration.vips.map(\.name) == ["apiserver", "registry", "dns", "etcd"])
        // Apart from these keys, which are examples, the first block shows the defaults.
        configuration.node = Configuration.Identity()
        configuration.addressing.prefix = nil
        configuration.addressing.podPrefixes = nil
        configuration.addressing.ipv4 = Configuration.IPv4()
        configuration.cni = nil
        configuration.kubernetes.kubeconfig = nil
        configuration.kubernetes.proxyCheck = nil
        configuration.kubernetes.serviceRanges = nil
        configuration.advertise = []
        configuration.vips = []
        configuration.pools = []
        #expect(configuration == Configuration())
    }
}
