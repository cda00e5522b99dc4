import ConfigurationFile
import MeshConfiguration
import Services
import Testing

@testable import Agent

/// Checks of VIPs in the configuration file.
@Suite struct CheckConfigurationTests {
    /// A configuration with a VIP `fd00::1` that has this check.
    private func yaml(_ check: String) -> String {
        "vips:\n  - { name: api, address: \"fd00::1\", check: { \(check) } }\n"
    }

    private func probe(_ check: String) throws -> Services.Probe? {
        try Configuration(yaml: yaml(check), file: "f.yaml").vips.first?.check?.probe
    }

    @Test func aCheckGivenAsAURLGetsTheDefaults() throws {
        #expect(
            try probe("https: \"https://[::1]:6443/readyz\"")
                == .http(HTTPProbe(endpoints: [Endpoint("[::1]:6443")!], path: "/readyz", tls: TLSOptions())))
        #expect(
            try probe("https: \"https://127.0.0.1\"")
                == .http(HTTPProbe(endpoints: [Endpoint("127.0.0.1:443")!], tls: TLSOptions())))
        #expect(
            try probe("https: \"https://localhost:6443/livez\"")
                == .http(
                    HTTPProbe(
                        endpoints: Endpoint.loopback(port: 6443), path: "/livez", host: "localhost:6443",
                        tls: TLSOptions(serverName: "localhost"))))
    }

    @Test func allKeysOfAnHTTPCheckAreRead() throws {
        let check = """
            https: { url: "https://[::1]:2381/health", host: "etcd:2381", status: [ 200-299, 401 ], ca: /e/ca.crt,
                     certificate: /e/client.crt, key: /e/client.key }
            """
        let identity = TLSOptions.Identity(certificate: "/e/client.crt", key: "/e/client.key")
        var expected = HTTPProbe(
            endpoints: [Endpoint("[::1]:2381")!], path: "/health", host: "etcd:2381", status: [200...299, 401...401],
            tls: TLSOptions(trust: .file("/e/ca.crt"), serverName: "etcd", identity: identity))
        #expect(try probe(check) == .http(expected))
        #expect(
            try probe(check.replacing("key: /e", with: "serverName: kubernetes, key: /e")) != .http(expected))
        expected.tls?.serverName = "kubernetes"
        #expect(
            try probe(check.replacing("key: /e", with: "serverName: kubernetes, key: /e")) == .http(expected))
        #expect(
            try probe("https: { url: \"https://[::1]:1/\", host: \"[::1]:1\", insecure: true }")
                == .http(
                    HTTPProbe(
                        endpoints: [Endpoint("[::1]:1")!], host: "[::1]:1", tls: TLSOptions(trust: .anything))))
        #expect(
            try probe("http: { url: \"http://[::1]:80/\", status: [ 200, 204 ] }")
                == .http(HTTPProbe(endpoints: [Endpoint("[::1]:80")!], status: [200...200, 204...204])))
    }

    @Test func aCommandGetsItsVIPInTheEnvironment() throws {
        #expect(
            try probe("exec: { command: [ /usr/bin/etcdctl, endpoint, \"health\" ] }, timeout: 2s")
                == .command(
                    CommandProbe(
                        command: ["/usr/bin/etcdctl", "endpoint", "health"],
                        environment: ["KUBERMESH_VIP": "api", "KUBERMESH_ADDRESS": "fd00::1"])))
    }

    /// How long a result counts: (interval + timeout × attempts) × (fall + 1), here (1 s + 2 s × attempts) × 4. There is one
    /// attempt for each address of the endpoint, and `localhost` has two.
    @Test func theLifetimeAllowsForAllConnectionAttempts() throws {
        func lifetime(_ check: String) throws -> Duration? {
            try Configuration(yaml: yaml(check + ", interval: 1s, timeout: 2s, fall: 3"), file: "f.yaml").vips.first?
                .check?.lifetime
        }
        #expect(try lifetime("exec: { command: [ a ] }") == .seconds(12))
        #expect(try lifetime("https: \"https://[::1]:1/\"") == .seconds(12))
        #expect(try lifetime("https: \"https://localhost:1/\"") == .seconds(20))
    }

    @Test(arguments: [
        ("exec: x", "must be a mapping"), ("exec: { command: [] }", "must be a list that begins"),
        ("exec: { command: }", "has no \"command\""),
        ("exec: { command: \"a b\" }", "must be a list"),
        ("exec: { command: [ ./a ] }", "neither an absolute path nor the name of a program"),
        ("exec: { command: [ \"\" ] }", "neither an absolute path nor"),
        ("tcp: 1, exec: { command: [ a ] }", "needs exactly one of tcp, http, https and exec"),
        ("https: \"http://[::1]/\"", "is not a URL of https"), ("http: \"https://[::1]/\"", "is not a URL of http"),
        ("https: { ca: /a }", "has no \"url\""), ("https: { url: \"https://[::1]/\", ca: a }", "absolute path"),
        ("https: { url: \"https://[::1]/\", certificate: /a }", "given together"),
        ("https: { url: \"https://[::1]/\", ca: /a, insecure: true }", "nothing is checked against"),
        ("https: { url: \"https://[::1]/\", serverName: 192.0.2.1 }", "is not a name"),
        ("https: { url: \"https://[::1]/\", serverName: \"a:1\" }", "is not a name"),
        ("https: { url: \"https://[::1]/\", status: [ 200, 99 ] }", "is not a status code"),
        ("https: \"https://[fd00::1]:6443/\"", "VIP's own address"),
        ("http: { url: \"http://[::1]/\", ca: /a }", "unknown key"),
    ])
    func wrongValuesAreReported(check: String, expected: String) {
        do {
            _ = try Configuration(yaml: yaml(check), file: "f.yaml")
            Issue.record("the wrong check was accepted: \(check)")
        } catch {
            #expect(error.problems.count == 1)
            #expect(error.problems.first?.description.contains(expected) == true, "\(error.problems)")
        }
    }
}
