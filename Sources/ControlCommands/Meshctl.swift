import ArgumentParser
import ControlAPI
import Glibc

/// The program `meshctl`. A library, because `meshd` runs it when it is called by that name.
public enum Meshctl {
    /// Runs the command line of the process, and exits.
    public static func main() -> Never { RootCommand.run() }
}

/// All commands.
private struct RootCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "meshctl", abstract: "Query and control the mesh agent of this node.",
        discussion: """
            Exit codes: 0 success, 1 the answer is no, 2 wrong usage, 3 the agent cannot be reached, 4 not found.
            """,
        version: "meshctl \(Version.text)",
        subcommands: [
            StatusCommand.self, NeighborsCommand.self, InterfacesCommand.self, RoutesCommand.self, NodesCommand.self,
            DatabaseCommand.self, PathCommand.self, WhatIfCommand.self, TopologyCommand.self, SnapshotCommand.self,
            EventsCommand.self, VIPsCommand.self, AuthenticationCommand.self, StubRouterCommand.self,
            DrainCommand.self, UndrainCommand.self,
            ValidateCommand.self,
        ])

    static func run() -> Never {
        signal(SIGPIPE, SIG_DFL)
        Glibc.exit(status(of: CommandLine.arguments.dropFirst()))
    }

    /// Moves the command before the options in front of it, so that `meshctl --socket S routes` works, too. The options in the
    /// list take a value, which moves with them.
    private static func commandFirst(_ arguments: ArraySlice<String>) -> [String] {
        var options: [String] = []
        var rest = arguments
        while let first = rest.first, first.hasPrefix("-"), !["-h", "--help", "--version"].contains(first) {
            options.append(rest.removeFirst())
            if ["-o", "--output", "--socket", "--snapshot", "--timeout", "--quiet"].contains(first),
                let value = rest.popFirst()
            {
                options.append(value)
            }
        }
        guard let command = rest.popFirst() else { return options }
        let isGroup = configuration.subcommands.contains {
            $0.configuration.commandName == command && !$0.configuration.subcommands.isEmpty
        }
        guard isGroup, let member = rest.popFirst() else { return [command] + options + rest }
        return [command, member] + options + rest
    }

    /// Runs a command line and returns its exit code.
    private static func status(of arguments: ArraySlice<String>) -> Int32 {
        do {
            var command = try parseAsRoot(commandFirst(arguments))
            try command.run()
            return 0
        } catch let failure as Failure {
            // Messages may have names from the network.
            Console.complain("meshctl: \(failure.message.asOneLine)\n")
            if let hint = failure.hint { Console.complain("         \(hint.asOneLine)\n") }
            return failure.code
        } catch {
            let text = fullMessage(for: error)
            switch exitCode(for: error) {
            case .success:
                Console.write(text + "\n")
                return 0
            case .validationFailure:
                Console.complain(text + "\n")
                return 2
            default:
                if !text.isEmpty { Console.complain(text + "\n") }
                return 1
            }
        }
    }
}

/// Why a command fails, and the exit code of `meshctl`.
struct Failure: Error {
    var code: Int32
    var message: String
    var hint: String?

    /// Any failure but those below, for example because the answer is no.
    static func no(_ message: String, hint: String? = nil) -> Failure { Failure(code: 1, message: message, hint: hint) }
    static func usage(_ message: String, hint: String? = nil) -> Failure {
        Failure(code: 2, message: message, hint: hint)
    }
    static func unreachable(_ message: String, hint: String? = nil) -> Failure {
        Failure(code: 3, message: message, hint: hint)
    }
    static func notFound(_ message: String, hint: String? = nil) -> Failure {
        Failure(code: 4, message: message, hint: hint)
    }
}
