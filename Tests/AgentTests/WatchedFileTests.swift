import Authentication
import Foundation
import Glibc
import MeshConfiguration
import TestSupport
import Testing

@testable import Agent

/// When the configuration and key files are read again.
@Suite struct WatchedFileTests {
    @Test func aKeyFileIsReadWhenItAppearsAndWhenItsPermissionsAreMended() throws {
        let directory = "/tmp/kubermesh-watched-\(getpid())"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let configuration = "\(directory)/kubermesh.yaml"
        let keys = "\(directory)/keys.yaml"
        try "apiVersion: kubermesh/v1\nauth: { keys: \(keys) }\n".write(
            toFile: configuration, atomically: false, encoding: .utf8)
        var file = WatchedFile(path: configuration, isRequired: true)
        /// Whether the file is valid, or why it is not.
        func read() throws -> String {
            let result = file.read()
            return switch try #require(result) {
            case .success(let configuration): "\(configuration.authentication.keys.keys)"
            case .failure(let refusal): refusal.problems.joined()
            }
        }
        #expect(try read().contains("No such file") && !file.hasChanged)

        try "keys: [ { id: 7, secret: a } ]".write(toFile: keys, atomically: false, encoding: .utf8)
        #expect(chmod(keys, 0o644) == 0 && file.hasChanged)
        #expect(try read().contains("other users may read or change it") && !file.hasChanged)

        #expect(chmod(keys, 0o600) == 0 && file.hasChanged)
        #expect(try read() == "[key 7 (hmac-sha-256)]" && !file.hasChanged)

        #expect(unlink(keys) == 0 && file.hasChanged)
        #expect(try read().contains("No such file"))
    }
}
