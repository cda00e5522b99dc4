public import Foundation

/// A certificate authority and a server certificate signed by it, as files in a directory: `ca.pem`, `server.pem`,
/// `server.key`.
public struct TestCertificates: Sendable {
    /// The directory of the files.
    public let directory: URL

    /// The path of one of the files.
    public func path(_ name: String) -> String { directory.appendingPathComponent(name).path }

    private static let newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]

    /// Makes the files with `openssl`, for a server with these names and addresses: `IP:::1`, `DNS:kubernetes`.
    public init(in directory: URL, names: [String]) throws {
        self.directory = directory
        try run(
            ["req", "-x509"] + Self.newKey
                + ["-keyout", path("ca.key"), "-out", path("ca.pem"), "-days", "30", "-subj", "/CN=test authority"])
        try sign("server", names: names)
    }

    /// Makes another certificate and key, `NAME.pem` and `NAME.key`. With negative `days` it has expired.
    public func sign(_ name: String, names: [String], days: Int = 30) throws {
        try run(
            ["req"] + Self.newKey
                + [
                    "-keyout", path("\(name).key"), "-out", path("\(name).csr"), "-subj", "/CN=test \(name)",
                    "-addext", "subjectAltName=\(names.joined(separator: ","))",
                ])
        try run([
            "x509", "-req", "-in", path("\(name).csr"), "-CA", path("ca.pem"), "-CAkey", path("ca.key"),
            "-days", "\(days)", "-copy_extensions", "copy", "-out", path("\(name).pem"),
        ])
    }

    private func run(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        let errorPipe = Pipe()
        process.standardError = errorPipe
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        let errorText = errorPipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw CocoaError(
                .fileWriteUnknown,
                userInfo: [
                    NSLocalizedDescriptionKey: "openssl \(arguments[0]): \(String(decoding: errorText, as: UTF8.self))"
                ])
        }
    }
}
