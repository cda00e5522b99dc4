import Foundation
import Glibc
import TestSupport
import Testing

@testable import Lab

/// The command line of `meshlab`. Most tests give it a directory of labs of their own, so that it sees no other lab.
@Suite(.serialized, .needsRoot) struct CommandLineTests {
    private let name = "lt\(getpid())c"
    private let root = FileManager.default.temporaryDirectory.appending(path: "meshlab-test-\(getpid())").path

    init() throws { try Lab.destroyLeftOvers(prefix: "lt") }

    private func meshlab(_ arguments: String...) throws -> Command.Output {
        let program = try Binaries.path(of: "meshlab")
        return try Command(["env", "KUBERMESH_LAB_DIRECTORY=\(root)", program] + arguments).output()
    }

    /// Runs `body` with a topology file of two nodes without routers. Removes all labs and the directory afterwards.
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

    @Test func exitStatusIs1ForAFailureAnd2ForWrongUsage() throws {
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

    /// `meshlab up` was killed after it had made its directory.
    @Test func aLabThatIsOnlyADirectoryIsRemoved() throws {
        let topology = try #require(try Topology.named("grid:3x3"))
        let directory = Lab(name: name, topology: topology).directory
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try Command([try Binaries.path(of: "meshlab"), "down", "--name", name]).run()
        #expect(!Files.exists(directory))
    }

    /// `meshlab up` is killed after 0, 10, …, 190 ms. `meshlab down` then leaves no namespace, process or file.
    @Test func anInterruptedLabIsRemovedCompletely() throws {
        let program = try Binaries.path(of: "meshlab")
        for delay in stride(from: 0, to: 200_000, by: 10_000) {
            let upCommand = try Command([program, "up", "--name", name, "--topology", "grid:3x3"]).spawn()
            usleep(UInt32(delay))
            upCommand.signal(SIGKILL)
            _ = try upCommand.finish()
            let lab = Lab(name: name, topology: try #require(try Topology.named("grid:3x3")))
            if delay % 20_000 == 0 {
                // `up` replaces a lab that is not complete and refuses to replace one that is.
                let again = try Command([program, "up", "--name", name, "--topology", "grid:3x3", "--no-start"])
                    .output()
                let wasComplete = again.errors.contains("is up already")
                #expect(again.status == (wasComplete ? 1 : 0), "\(again)")
                #expect(lab.namespaces.filter(\.exists).count == 9)
            }
            try Command([program, "down", "--name", name]).run()
            #expect(lab.namespaces.filter(\.exists).isEmpty, "namespaces remain of a lab killed after \(delay) µs")
            #expect(!Files.exists(lab.directory), "files remain of a lab killed after \(delay) µs")
            #expect(processes(mentioning: lab.directory).isEmpty, "processes remain of a lab killed after \(delay) µs")
        }
    }

    /// The command lines of the processes that contain `text`.
    private func processes(mentioning text: String) -> [String] {
        Files.names(in: "/proc").compactMap { Int32($0) }.compactMap { Files.read("/proc/\($0)/cmdline") }
            .filter { $0.contains(text) }
    }

    @Test func theOnlyLabIsTheDefaultExceptForDown() throws {
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

    /// Runs a copy of `meshlab` in a directory without other programs, with `path` as `$PATH`.
    private func meshlabAlone(path: String, _ arguments: String...) throws -> Command.Output {
        try Files.makeDirectory("\(root)/alone")
        try Command(["cp", try Binaries.path(of: "meshlab"), "\(root)/alone/meshlab"]).run()
        return try Command(
            ["env", "-u", "KUBERMESH_BINARIES", "KUBERMESH_LAB_DIRECTORY=\(root)/labs", "PATH=\(path)"]
                + ["\(root)/alone/meshlab"] + arguments
        ).output()
    }

    @Test func theAgentIsFoundOnTheSearchPath() throws {
        try withTopology { _ in
            let directory = try Binaries.path(of: "meshd").split(separator: "/").dropLast().map { "/\($0)" }.joined()
            let up = try meshlabAlone(
                path: "/usr/sbin:/usr/bin:\(directory)", "up", "--topology", "ring:3", "--name", name, "--no-wait")
            defer { _ = try? meshlabAlone(path: "/usr/sbin:/usr/bin", "down", "--name", name) }
            #expect(up.status == 0, "\(up.errors)")
            let lab = Lab(name: name, topology: try #require(try Topology.named("ring:3")))
            #expect(processes(mentioning: "\(root)/labs/\(name)").count == 3)
            #expect(try meshlabAlone(path: "/usr/sbin:/usr/bin", "down", "--name", name).status == 0)
            #expect(lab.namespaces.filter(\.exists).isEmpty)
        }
    }

    @Test func anEditedConfigurationStays() throws {
        var lab = try Lab.create(try #require(try Topology.named("ring:3")), name: name)
        defer { try? lab.destroy() }
        try lab.start(["n1"])
        let file = "\(lab.directory(of: "n1"))/kubermesh.yaml"
        let generated = try #require(Files.read(file))
        try lab.stop("n1")
        // A configuration that equals the one generated last was not edited, so it is generated again.
        try Files.write("# older\n", to: file)
        try Files.write("# older\n", to: file + ".generated")
        try lab.start(["n1"])
        #expect(Files.read(file) == generated)
        try lab.stop("n1")
        let edited = generated + "# mine\n"
        try Files.write(edited, to: file)
        for _ in 0..<2 {
            try lab.start(["n1"])
            #expect(Files.read(file) == edited)
            try lab.stop("n1")
        }
        // After the file is removed, it is generated again.
        unlink(file)
        try lab.start(["n1"])
        #expect(Files.read(file) == generated)
    }

    @Test func aLabThatCannotStartIsRemovedCompletely() throws {
        try withTopology { _ in
            let up = try meshlabAlone(
                path: "/usr/sbin:/usr/bin", "up", "--topology", "ring:3", "--name", name, "--no-wait")
            #expect(up.status == 1)
            #expect(up.errors.contains("meshd"), "\(up.errors)")
            let lab = Lab(name: name, topology: try #require(try Topology.named("ring:3")))
            #expect(lab.namespaces.filter(\.exists).isEmpty)
            #expect(Files.names(in: "\(root)/labs").isEmpty)
            let list = try meshlabAlone(path: "/usr/sbin:/usr/bin", "list")
            #expect(list.text.hasPrefix("No lab is up."), "\(list.text)")
        }
    }
}
