import ArgumentParser
import ConfigurationFile
import ControlAPI
import MeshConfiguration

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show the state of this node; exits with 1 when it is not ready.")
    @OptionGroup var agent: AgentOptions
    @OptionGroup var options: OutputOptions

    func run() throws {
        var isReady = true
        try options.repeatedly {
            let body = try agent.get("/v1/status")
            isReady = try JSON.decode(StatusDocument.self, from: body).status.ready
            return try options.text(body, as: StatusDocument.self) { $0.status.text(node: $0.node) }
        }
        if !isReady { throw ExitCode(1) }
    }
}

struct StubRouterCommand: ParsableCommand {
    enum Switch: String, ExpressibleByArgument, CaseIterable { case on, off }

    static let configuration = CommandConfiguration(
        commandName: "stub-router",
        abstract: "Make this node a stub router, which others route around (RFC 6987), or end that.")
    @OptionGroup var agent: AgentOptions
    @Argument(help: "on or off")
    var state: Switch

    func run() throws {
        _ = try agent.post("/v1/stub-router", StubRouterRequest(enabled: state == .on))
        Console.write(
            state == .on
                ? "others route around this node\n" : "others may route through this node\n")
    }
}

struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Check a configuration file; exits with 1 when it is not valid.")
    @Argument(help: "The file.")
    var file: String

    func run() throws {
        do {
            var configuration = try Configuration(contentsOf: file)
            try configuration.readKeys()
            Console.write("\(file): ok\n")
        } catch {
            Console.complain("\(error)\n")
            throw ExitCode(1)
        }
    }
}
