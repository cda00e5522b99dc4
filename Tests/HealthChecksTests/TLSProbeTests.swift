import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL
import Services
import TestAPIServer
import Testing

@testable import HealthChecks

/// HTTPS probes of real servers with certificates from `openssl`.
@Suite final class TLSProbeTests {
    private let directory: URL
    private let certificates: TestCertificates

    deinit { try? FileManager.default.removeItem(at: directory) }

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "mesh-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        certificates = try TestCertificates(in: directory, names: ["IP:::1", "DNS:kubernetes"])
    }

    /// Trusts the authority of the server.
    private var authority: TLSOptions { TLSOptions(trust: .file(certificates.path("ca.pem"))) }

    /// A server with the certificate and key `NAME.pem` and `NAME.key`. It answers `/readyz` with 200 and other paths with 401.
    private func serve(
        _ pair: String = "server", _ change: (inout TLSConfiguration) -> Void = { _ in }
    ) async throws -> Server {
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificates.path("\(pair).pem")).map {
                .certificate($0)
            },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: certificates.path("\(pair).key"), format: .pem)))
        change(&tls)
        return try await Server.http(tls: tls) { $0.uri == "/readyz" ? .ok : .unauthorized }
    }

    private func probe(_ server: Server, _ tls: TLSOptions?, path: String = "/readyz") -> HTTPProbe {
        HTTPProbe(endpoints: [server.endpoint], path: path, status: [200...200], tls: tls)
    }

    @Test func aServerWithAValidCertificateIsAccepted() async throws {
        let server = try await serve()
        #expect(try await outcome(of: .http(probe(server, authority))) == .success)
        var named = authority
        named.serverName = "kubernetes"
        #expect(try await outcome(of: .http(probe(server, named))) == .success)
        var refused = probe(server, authority, path: "/livez")
        #expect(try await failure(of: .http(refused)).hasSuffix("HTTP status 401"))
        refused.status.append(401...401)
        #expect(try await outcome(of: .http(refused)) == .success)
        try await server.channel.close()
    }

    @Test func aCertificateForAnotherNameIsRefused() async throws {
        try certificates.sign("elsewhere", names: ["IP:192.0.2.1", "DNS:elsewhere"])
        let server = try await serve("elsewhere")
        #expect(try await failure(of: .http(probe(server, authority))).contains("is not for its address"))
        var named = authority
        named.serverName = "kubernetes"
        #expect(try await failure(of: .http(probe(server, named))).contains("is not for kubernetes"))
        named.serverName = "elsewhere"
        #expect(try await outcome(of: .http(probe(server, named))) == .success)
        try await server.channel.close()
    }

    @Test func aCertificateOfAnotherAuthorityIsRefused() async throws {
        let other = directory.appending(path: "other")
        try FileManager.default.createDirectory(at: other, withIntermediateDirectories: true)
        let otherCertificates = try TestCertificates(in: other, names: ["IP:::1"])
        let server = try await serve()
        let file = TLSOptions(trust: .file(otherCertificates.path("ca.pem")))
        #expect(
            try await failure(of: .http(probe(server, file))).hasSuffix(
                "not signed by a valid authority in \(otherCertificates.path("ca.pem"))"))
        let system = try await failure(of: .http(probe(server, TLSOptions())))
        #expect(system.contains("not signed by an authority of this machine"))
        #expect(try await outcome(of: .http(probe(server, TLSOptions(trust: .anything)))) == .success)
        try await server.channel.close()
    }

    @Test func anExpiredCertificateIsRefused() async throws {
        try certificates.sign("old", names: ["IP:::1"], days: -1)
        let server = try await serve("old")
        let reason = try await failure(of: .http(probe(server, authority)))
        #expect(reason.contains(#/its certificate expired on 20\d\d-\d\d-\d\d$/#), "\(reason)")
        try await server.channel.close()
    }

    @Test func anUnusableFileIsReportedWithItsPath() async throws {
        let server = try await serve()
        let absent = certificates.path("nowhere.pem")
        #expect(
            try await failure(of: .http(probe(server, TLSOptions(trust: .file(absent))))).contains(
                "cannot read \(absent): No such file or directory"))
        let key = certificates.path("server.key")
        #expect(
            try await failure(of: .http(probe(server, TLSOptions(trust: .file(key))))).contains(
                "\(key): no PEM certificate"))
        var mixed = authority
        mixed.identity = .init(certificate: certificates.path("server.pem"), key: certificates.path("ca.pem"))
        #expect(
            try await failure(of: .http(probe(server, mixed))).contains(
                "\(certificates.path("ca.pem")): no PEM private key"))
        try await server.channel.close()
    }

    /// Certificates may be renewed: a check that runs uses the new file.
    @Test func filesAreReadAgainWhenTheyChange() async throws {
        let file = directory.appending(path: "trusted.pem")
        try Data("nothing yet".utf8).write(to: file)
        let server = try await serve()
        let (prober, loop) = Prober.make(.http(probe(server, TLSOptions(trust: .file(file.path)))))
        func attempt() async throws -> CheckOutcome {
            try await loop.flatSubmit { prober.run(timeout: .seconds(10)) }.get()
        }
        #expect(try await attempt().reason.contains("no PEM certificate"))
        try Data(contentsOf: directory.appending(path: "ca.pem")).write(to: file, options: .atomic)
        #expect(try await attempt() == .success)
        #expect(try await attempt() == .success)
        try FileManager.default.removeItem(at: file)
        #expect(try await attempt().reason.contains("No such file"))
        try await server.channel.close()
    }

    @Test func aClientCertificateIsSentOnRequest() async throws {
        try certificates.sign("client", names: ["DNS:client"])
        let requireCertificate = { [certificates] (tls: inout TLSConfiguration) in
            tls.certificateVerification = .noHostnameVerification
            tls.trustRoots = .file(certificates.path("ca.pem"))
        }
        let server = try await serve("server", requireCertificate)
        let reason = try await failure(of: .http(probe(server, authority)))
        #expect(reason.hasSuffix("requires a client certificate; set certificate and key"), "\(reason)")
        var known = authority
        known.identity = .init(certificate: certificates.path("client.pem"), key: certificates.path("client.key"))
        #expect(try await outcome(of: .http(probe(server, known))) == .success)
        try await server.channel.close()
    }

    @Test func aServerWithoutTLSIsAFailure() async throws {
        let plain = try await Server.http { _ in .ok }
        #expect(try await failure(of: .http(probe(plain, authority))).hasSuffix("does not speak TLS"))
        try await plain.channel.close()
        let closeConnections = try await Server { $0.close() }
        #expect(try await failure(of: .http(probe(closeConnections, authority))) != "")
        try await closeConnections.channel.close()
        let server = try await serve()
        #expect(try await failure(of: .http(probe(server, nil))) != "")
        try await server.channel.close()
    }

    @Test func aServerWithOnlyOldTLSIsAFailure() async throws {
        let useOldTLS = { (tls: inout TLSConfiguration) in
            tls.minimumTLSVersion = .tlsv1
            tls.maximumTLSVersion = .tlsv11
        }
        let server = try await serve("server", useOldTLS)
        #expect(
            try await failure(of: .http(probe(server, authority))).hasSuffix("does not speak TLS 1.2 or later"))
        try await server.channel.close()
    }
}
