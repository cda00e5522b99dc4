import Authentication
import Glibc
import MeshConfiguration
import Testing

@testable import Agent
@testable import ConfigurationFile

struct KeyFileTests {
    @Test func keysAreReadInTheirOrder() throws {
        let chain = try KeyFile.parse(
            """
            keys:
            - { id: 2, secret: new, send: { from: 2026-12-01T00:00:00Z }, accept: { until: 2100-02-28T23:59:59Z } }
            - { id: 1, algorithm: hmac-sha-1, secret: old }
            """, file: "k")
        #expect(chain.keys.map(\.id) == [2, 1])
        #expect(chain.keys[0].algorithm == .hmacSHA256 && chain.keys[1].algorithm == .hmacSHA1)
        #expect(chain.keys[0].sending.from == 1_796_083_200 && chain.keys[0].acceptance.until == 4_107_542_399)
        #expect(!"\(chain.keys[0])".contains("new") && !String(reflecting: chain).contains("110, 101, 119"))
    }

    @Test(arguments: [
        ("", "has no keys"), ("keys: []", "has no keys"), ("keys: [ { id: 1 } ]", "secret"),
        ("keys: [ { id: 0, secret: a } ]", "whole number"), ("keys: [ { id: 1, secret: \"\" } ]", "1 to 256"),
        ("keys: [ { id: 1, secret: a }, { id: 1, secret: b } ]", "another key"),
        ("keys: [ { id: 1, secret: a, algorithm: md5 } ]", "is not one of"),
        ("keys: [ { id: 1, secret: a, send: { from: 2026-02-30T00:00:00Z } } ]", "is not a time"),
        ("keys: [ { id: 1, secret: a, send: { from: 2027-01-01T00:00:00Z, until: 2026-01-01T00:00:00Z } } ]", "later"),
        ("key: 1", "unknown key"), ("[", "not YAML"),
    ]) func wrongFilesAreRefused(text: String, message: String) {
        do {
            _ = try KeyFile.parse(text, file: "k")
            Issue.record("accepted")
        } catch {
            #expect(error.problems.first.map { "\($0)" }?.contains(message) == true, "\(error.problems)")
        }
    }

    /// A file that others may read is refused.
    @Test(arguments: [(0o600, true), (0o400, true), (0o640, true), (0o644, false), (0o606, false)])
    func permissionsAreChecked(mode: Int, isAccepted: Bool) throws {
        let path = "/tmp/kubermesh-key-\(getpid())-\(mode)"
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        try #require(descriptor >= 0)
        defer { unlink(path) }
        let text = "keys: [ { id: 1, secret: a } ]"
        #expect(write(descriptor, text, text.utf8.count) == text.utf8.count)
        #expect(fchmod(descriptor, mode_t(mode)) == 0)
        close(descriptor)
        #expect(((try? KeyFile.read(path)) != nil) == isAccepted)
    }

    /// Known answers of RFC 2202 and RFC 4231 (test case 2), with the key filled with zeros, which changes no HMAC.
    @Test(arguments: [
        (AuthenticationAlgorithm.hmacSHA1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        (.hmacSHA256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (
            .hmacSHA384,
            "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649"
        ),
        (
            .hmacSHA512,
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
        ),
    ]) func codesAreAsInTheRFCs(algorithm: AuthenticationAlgorithm, expected: String) {
        let key = Array("Jefe".utf8) + [UInt8](repeating: 0, count: algorithm.digestSize - 4)
        let code = CryptographicFunctions.real.code(algorithm, key, Array("what do ya want for nothing?".utf8))
        #expect(code.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() == expected)
    }
}
