import Glibc
import Testing

@testable import Lab

/// `meshlab` as it is typed, with labs in a directory of their own, so that no other is in sight.
@Suite(.serialized, .enabled(if: geteuid() == 0, "namespaces need root")) struct CommandLineTests {
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
