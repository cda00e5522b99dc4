import Glibc
import Lab
import TestSupport
import Testing

/// Real routers in namespaces, one lab after the other: two at once would only slow each other down.
@Suite(.serialized, .needsRoot)
enum Interoperability {}

/// Runs `body` with a lab, whose routers are started if `start`, and removes the lab. An error that is thrown includes the
/// state and logs of all routers.
func withLab(_ topology: Topology, start: Bool = true, _ body: (inout Lab) throws -> Void) throws {
    try LeftoverLabs.sweepOnce.get()
    var lab = try Lab.create(topology, name: LeftoverLabs.nextName())
    defer { try? lab.destroy() }
    do {
        if start { try lab.startRouters() }
        try body(&lab)
    } catch {
        throw LabError("\(error)\n\n\(lab.diagnosis())")
    }
}

/// Waits until `describe`, which says what is still wrong, returns `nil`; throws after `limit`. If it throws, for example
/// because a router is starting and does not answer, something is still wrong.
func eventually(_ limit: Duration = .seconds(20), _ describe: () throws -> String?) throws {
    func currentProblem() -> String? {
        do { return try describe() } catch { return "\(error)" }
    }
    let deadline = ContinuousClock.now + limit
    var pause: UInt32 = 10_000
    while let problem = currentProblem() {
        guard ContinuousClock.now < deadline else { throw LabError("Still after \(limit): \(problem)") }
        usleep(pause)
        pause = min(pause + pause / 2, 100_000)
    }
}

/// Removes labs of killed test runs once, and names the labs of this run.
private enum LeftoverLabs {
    static let sweepOnce = Result<Void, any Error> { try Lab.destroyLeftOvers(prefix: "it") }

    nonisolated(unsafe) private static var count = 0

    /// Not synchronized, because the suite is serialized.
    static func nextName() -> String {
        count += 1
        return "it\(getpid())-\(count)"
    }
}
