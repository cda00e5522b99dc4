import Glibc
import Lab
import TestSupport
import Testing

/// Everything here runs real routers in namespaces, one lab after the other: two at once would only make each other
/// slow, and say nothing more.
@Suite(.serialized, .needsRoot)
enum Interoperability {}

/// Makes a lab, starts its routers, and takes it down whatever happens. What went wrong is told together with what all
/// routers of the lab had to say.
func withLab(_ topology: Topology, start: Bool = true, _ body: (inout Lab) throws -> Void) throws {
    try LeftOvers.sweepOnce.get()
    var lab = try Lab.create(topology, name: LeftOvers.nextName())
    defer { try? lab.destroy() }
    do {
        if start { try lab.startRouters() }
        try body(&lab)
    } catch {
        throw LabError("\(error)\n\n\(lab.diagnosis())")
    }
}

/// Waits until something holds. `describe` tells what is still wrong; nothing means that all is well. Somebody who cannot
/// be asked yet, as a router that is just starting, is wrong for as long as that.
func eventually(_ limit: Duration = .seconds(20), _ describe: () throws -> String?) throws {
    func look() -> String? {
        do { return try describe() } catch { return "\(error)" }
    }
    let deadline = ContinuousClock.now + limit
    var pause: UInt32 = 10_000
    while let problem = look() {
        guard ContinuousClock.now < deadline else { throw LabError("Still after \(limit): \(problem)") }
        usleep(pause)
        pause = min(pause + pause / 2, 100_000)
    }
}

/// Labs of test runs that were killed before they could take them down.
private enum LeftOvers {
    static let sweepOnce = Result<Void, any Error> { try Lab.destroyLeftOvers(prefix: "it") }

    nonisolated(unsafe) private static var count = 0

    /// The suite is serialized, so nobody else counts at the same time.
    static func nextName() -> String {
        count += 1
        return "it\(getpid())-\(count)"
    }
}
