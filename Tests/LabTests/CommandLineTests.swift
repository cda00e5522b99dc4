import Glibc
import TestSupport
import Testing

@testable import Lab

/// `meshlab` as it is typed, with labs in a directory of their own, so that no other is in sight.
@Suite(.serialized, .needsRoot) struct CommandLineTests {
    private let name = "lt\(getpid())c"
    private let root = "/tmp/meshlab-test-\(getpid())"

    init() throws { try Lab.destroyLeftOvers(prefix: "lt") }

    private func meshlab(_ arguments: String...) throws -> Command.Output {
        let program = try Binaries.path(of: "meshlab")
        return try Command(["env", "KUBERMESH_LAB_DIRECTORY=\(root)", program] + arguments).output()
    }

    /// Calls with a file that describes two nodes without routers, and takes away whatever is there in the end.
    private func withTopology(_ body: (String) throws -> Void) throws {
        try Files.makeDirectory(root)
        let file = "\(root)/pair.yaml"
        try Files.write(
            "name: pair\nnodes: [{ name: a, router: none }, { name: b, router: none }]\nlinks: [[a, b]]", to: file)
        defer {
            _ = try? meshlab("down", "--all")
            Files.removeTree(root)
        }
        try body(file)
    }

    @Test func exitCodesTellFailureFromWrongUsage() throws {
        try withTopology { file in
            let unknown = try meshlab("status")
            #expect(unknown.status == 1)
            #expect(unknown.errors == "meshlab: No lab is up; “meshlab up” makes one.\n")
            #expect(try meshlab("up", "--no-such-option").status == 2)
            #expect(try meshlab("stop").status == 2)
            #expect(try meshlab("--help").status == 0)
            #expect(try meshlab("up", "--no-start", "--topology", file, "--name", name).status == 0)
            #expect(try meshlab("exec", "a", "--", "sh", "-c", "exit 7").status == 7)
            #expect(try meshlab("exec", "c", "--", "true").status == 1)
        }
    }

    /// Whatever the moment at which it was killed: no namespace stays, no process, no file.
    @Test func aLabThatWasInterruptedIsSweptAway() throws {
        let program = try Binaries.path(of: "meshlab")
        for delay in stride(from: 0, to: 200_000, by: 10_000) {
            let making = try Command([program, "up", "--name", name, "--topology", "grid:3x3"]).spawn()
            usleep(UInt32(delay))
            making.signal(SIGKILL)
            _ = try making.finish()
            let lab = Lab(name: name, topology: try #require(try Topology.named("grid:3x3")))
            if delay % 20_000 == 0 {
                // Made anew where it was not whole; where it was, only “down” takes it away.
                let again = try Command([program, "up", "--name", name, "--topology", "grid:3x3", "--no-start"])
                    .output()
                let wasWhole = again.errors.contains("is up already")
                #expect(again.status == (wasWhole ? 1 : 0), "\(again)")
                #expect(lab.namespaces.filter(\.exists).count == 9)
            }
            try Command([program, "down", "--name", name]).run()
            #expect(lab.namespaces.filter(\.exists).isEmpty, "killed after \(delay) µs")
            #expect(!Files.exists(lab.directory), "killed after \(delay) µs")
            #expect(processes(mentioning: lab.directory).isEmpty, "killed after \(delay) µs")
        }
    }

    private func processes(mentioning text: String) -> [String] {
        Files.names(in: "/proc").compactMap { Int32($0) }.compactMap { Files.read("/proc/\($0)/cmdline") }
            .filter { $0.contains(text) }
    }

    @Test func theOnlyLabIsMeantUnlessItIsToBeTakenDown() throws {
        try withTopology { file in
            let up = try meshlab("up", "--no-start", "--topology", file, "--name", name)
            #expect(up.text.contains("pair (lab \(name))"))
            #expect(try meshlab("status").text.hasPrefix("pair (lab \(name))\n"))
            let again = try meshlab("up", "--topology", file, "--name", name)
            #expect(again.status == 1)
            #expect(again.errors.contains("meshlab down --name \(name)"))
            #expect(try meshlab("down").text.contains("meshlab down --name \(name)"))
            #expect(try meshlab("status", "--name", "other").errors.contains(name))

            #expect(try meshlab("up", "--no-start", "--topology", file, "--name", "\(name)2").status == 0)
            let several = try meshlab("status")
            #expect(several.status == 1)
            #expect(several.errors.contains("\(name), \(name)2"))
            #expect(try meshlab("down", "--name", name).status == 0)
            #expect(try meshlab("status").text.hasPrefix("pair (lab \(name)2)\n"))
        }
    }
}
