import Foundation
import NIOPosix
import TestAPIServer
import Testing

@testable import Kubernetes

private let certificateDirectory = FileManager.default.temporaryDirectory
    .appendingPathComponent("kubermesh-test-certificates-\(getpid())")

/// Certificates that the tests share, in a directory that is removed when the process exits.
let certificates: TestCertificates = {
    try! FileManager.default.createDirectory(at: certificateDirectory, withIntermediateDirectories: true)
    atexit { try? FileManager.default.removeItem(at: certificateDirectory) }
    return try! TestCertificates(in: certificateDirectory, names: ["IP:::1", "IP:127.0.0.1", "DNS:kubernetes.test"])
}()

/// A temporary directory that is removed with this object.
final class ScratchDirectory {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("kubermesh-test-\(UUID().uuidString)")

    init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(at: url) }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String {
        let file = url.appendingPathComponent(name)
        try Data(text.utf8).write(to: file, options: .atomic)
        return file.path
    }
}

struct ConnectionTests {
    /// Writes the files of a service account: token, namespace and CA.
    private func serviceAccount(_ directory: ScratchDirectory) throws {
        try directory.write("token", "a.b-c\n")
        try directory.write("namespace", "kube-system")
        try directory.write("ca.crt", String(contentsOfFile: certificates.path("ca.pem"), encoding: .utf8))
    }

    @Test func withoutConfigurationThereIsNoSourceAndNoError() throws {
        let directory = try ScratchDirectory()
        #expect(ConnectionSource.find(environment: [:], directory: directory.url.path) == nil)
        let environment = ["KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"]
        #expect(
            ConnectionSource.find(environment: environment, directory: directory.url.path) == nil,
            "without a token there is no service account")
    }

    @Test(arguments: [("fd00::1", "https://[fd00::1]:6443"), ("10.0.0.1", "https://10.0.0.1:6443")])
    func theServiceAccountIsFound(host: String, server: String) throws {
        let directory = try ScratchDirectory()
        try serviceAccount(directory)
        let environment = ["KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": "6443"]
        let source = try #require(ConnectionSource.find(environment: environment, directory: directory.url.path))
        let connection = try source.load()
        #expect(connection.server == server)
        #expect(connection.namespace == "kube-system")
        #expect(connection.token() == "a.b-c")
        try directory.write("token", "d.e-f")
        #expect(connection.token() == "d.e-f", "a changed token file is read again")
        try directory.write("token", "a\r\nInjected: header")
        #expect(connection.token() == nil)
    }

    @Test func aDamagedAuthorityIsReportedWithItsPath() throws {
        let directory = try ScratchDirectory()
        try serviceAccount(directory)
        let path = try directory.write("ca.crt", "no certificate")
        let source = ConnectionSource.serviceAccount(directory: directory.url.path, host: "::1", port: "443")
        let problem = #expect(throws: ConnectionProblem.self) { try source.load() }
        #expect("\(try #require(problem))".hasPrefix("\(path): contains no certificate (it must be PEM"))
    }

    private func kubeconfig(cluster: String = "", user: String = "token: abc", current: String = "main") throws
        -> String
    {
        """
        apiVersion: v1
        kind: Config
        current-context: \(current)
        clusters:
        - name: other
          cluster: {server: "nonsense"}
        - name: one
          cluster:
            server: https://[::1]:6443/
            certificate-authority: ca.pem
            \(cluster)
        contexts:
        - name: main
          context: {cluster: one, user: me, namespace: web}
        users:
        - name: me
          user:
            \(user)
        """
    }

    private func load(_ text: String) throws -> APIConnection {
        let directory = try ScratchDirectory()
        try directory.write("ca.pem", String(contentsOfFile: certificates.path("ca.pem"), encoding: .utf8))
        return try ConnectionSource.kubeconfig(path: try directory.write("config", text), context: nil).load()
    }

    @Test func aKubeconfigIsRead() throws {
        let connection = try load(kubeconfig())
        #expect(connection.server == "https://[::1]:6443")
        #expect(connection.credentials == .token("abc"))
        #expect(connection.namespace == "web")
        #expect(
            try connection.trust
                == .authorities(Array(Data(contentsOf: URL(fileURLWithPath: certificates.path("ca.pem"))))))
    }

    @Test func certificatesInBase64AreRead() throws {
        func base64(_ name: String) throws -> String {
            try Data(contentsOf: URL(fileURLWithPath: certificates.path(name))).base64EncodedString()
        }
        let text = try kubeconfig(
            cluster: "tls-server-name: kubernetes.test",
            user: "client-certificate-data: \(base64("server.pem"))\n    client-key-data: \(base64("server.key"))")
        let connection = try load(text)
        #expect(connection.certificate != nil)
        #expect(connection.serverName == "kubernetes.test")
        #expect(connection.requestBase == "https://kubernetes.test:6443")
        #expect(connection.credentials == .none)
        #expect(try load(kubeconfig(cluster: "insecure-skip-tls-verify: true")).trust == .anything)
    }

    @Test(arguments: [
        ("", "exec: {command: aws}", "main", "users[0].user.exec: is an authentication method that is not supported"),
        ("", "token: abc", "gone", "contexts: has none of the name \"gone\""),
        (
            "certificate-authority-data: '***'", "token: abc", "main",
            "clusters[1].cluster.certificate-authority-data: is not base64"
        ),
        ("", "client-certificate-data: YWJj", "main", "users[0].user.client-certificate: contains no certificate"),
        ("", "client-certificate: nowhere.pem", "main", "nowhere.pem: named by users[0].user.client-certificate"),
        ("proxy-url: http://proxy", "token: abc", "main", "clusters[1].cluster.proxy-url: is http://proxy"),
        ("", "token: [a, b]", "main", "users[0].user.token: must be a single value"),
        ("", "token: \"a b\"", "main", "users[0].user.token: contains spaces or control characters"),
        ("}{", "token: abc", "main", "is not YAML"),
    ]) func errorsOfAKubeconfigAreReported(cluster: String, user: String, current: String, message: String) throws {
        let text = try kubeconfig(cluster: cluster, user: user, current: current)
        let problem = #expect(throws: ConnectionProblem.self) { try load(text) }
        #expect("\(try #require(problem))".contains(message))
    }

    @Test func aServerWithoutEncryptionIsRefused() throws {
        let text = try kubeconfig().replacingOccurrences(of: "https://[::1]", with: "http://[::1]")
        let problem = #expect(throws: ConnectionProblem.self) { try load(text) }
        #expect(problem?.place == "clusters[1].cluster.server")
    }

    /// With such a port, the HTTP client would crash.
    @Test(arguments: ["[::1]:99999", "10.0.0.1:64430000", "kubernetes:0"])
    func anInvalidPortIsRefused(host: String) throws {
        let directory = try ScratchDirectory()
        try directory.write("ca.pem", String(contentsOfFile: certificates.path("ca.pem"), encoding: .utf8))
        let text = try kubeconfig().replacing("https://[::1]:6443/", with: "HTTPS://\(host)")
        let source = ConnectionSource.kubeconfig(path: try directory.write("config", text), context: nil)
        let problem = #expect(throws: ConnectionProblem.self) {
            try APIClient(source, on: MultiThreadedEventLoopGroup.singleton.next())
        }
        #expect(problem?.message == "HTTPS://\(host) is not an address")
    }

    @Test func aMissingKubeconfigIsAnError() throws {
        let source = ConnectionSource.find(kubeconfig: "/nowhere/config", environment: [:])
        let problem = #expect(throws: ConnectionProblem.self) { try #require(source).load() }
        #expect(problem?.message == "cannot be read: No such file or directory")
    }
}
