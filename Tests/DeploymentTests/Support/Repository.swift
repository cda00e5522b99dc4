import Foundation
import Lab

/// The files of this repository.
enum Repository {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    static func path(_ file: String) -> String { root.appending(path: file).path }

    static func text(_ file: String) throws -> String {
        try String(contentsOf: root.appending(path: file), encoding: .utf8)
    }

    /// What a script prints.
    static func output(of script: String, _ arguments: String...) throws -> String {
        try Command([path(script)] + arguments).run()
    }
}

/// A directory that is removed with this object.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "mesh-deployment-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    func write(_ text: String, to name: String) throws {
        try text.write(toFile: "\(path)/\(name)", atomically: true, encoding: .utf8)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// Waits until the condition holds; throws after `limit`. A condition that throws does not hold.
func eventually(_ what: String, limit: Duration = .seconds(30), _ condition: () throws -> Bool) throws {
    let deadline = ContinuousClock.now + limit
    var pause: UInt32 = 10_000
    while (try? condition()) != true {
        guard ContinuousClock.now < deadline else { throw LabError("Not within \(limit): \(what)") }
        usleep(pause)
        pause = min(pause + pause / 2, 100_000)
    }
}
