internal import ArgumentParser
internal import Lab

@main struct MeshLab: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "meshlab",
        abstract: "A mesh on one machine, in network namespaces of its own.",
        discussion: """
            Every node is a namespace mesh-*, every link a veth pair, every router a real one. A lab needs root. It \
            stays up until “meshlab down”, and “meshlab exec n1 -- ip -6 route” looks inside.
            """,
        subcommands: [
            Up.self, Down.self, Start.self, Stop.self, Status.self, Exec.self, Log.self, Fail.self, Heal.self,
            List.self,
            Demo.self,
            Respond.self, Dial.self,
        ])
}

/// What every command that means a lab takes.
struct LabOptions: ParsableArguments {
    @Option(help: "Which lab is meant, when there are several.")
    var name = Lab.defaultName

    func load() throws -> Lab { try Lab.load(name) }
}
