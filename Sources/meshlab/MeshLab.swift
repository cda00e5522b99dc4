internal import ArgumentParser
internal import Glibc
internal import Lab

@main struct MeshLab: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "meshlab",
        abstract: "A mesh on one machine, in network namespaces of its own.",
        discussion: """
            Every node is a namespace mesh-*, every link a veth pair, every router a real one. A lab needs root. It \
            stays up until “meshlab down”, and “meshlab exec n1 -- ip -6 route” looks inside.

            Exit codes: 0 fine, 1 it could not be done, 2 wrong usage; exec has the code of the command it runs.
            """,
        subcommands: [
            Up.self, Down.self, Start.self, Stop.self, Status.self, Exec.self, Log.self, Fail.self, Heal.self,
            List.self,
            Demo.self,
            Respond.self, Dial.self,
        ])

    static func main() {
        // FRR's daemons run as another user, and read what is made for them.
        umask(0o022)
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let error as LabError {
            end(saying: "meshlab: \(error)", status: 1)
        } catch {
            end(saying: fullMessage(for: error), status: exitCode(for: error) == .success ? 0 : 2)
        }
    }

    private static func end(saying text: String, status: Int32) -> Never {
        if status == 0 { print(text) } else { (text + "\n").withCString { _ = write(STDERR_FILENO, $0, strlen($0)) } }
        Glibc.exit(status)
    }
}

/// The option of every command that works on one lab.
struct LabOptions: ParsableArguments {
    @Option(help: "The name of the lab. Default: lab; most commands on an existing lab also find the only one.")
    var name: String?

    func load() throws -> Lab {
        try Lab.checkPrivileges()
        return try Lab.find(name)
    }
}
