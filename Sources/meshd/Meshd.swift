import Agent
import ArgumentParser
import ControlAPI
import Glibc
import Logging

/// The mesh agent.
struct Meshd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "meshd",
        abstract: "The mesh agent: runs OSPFv3 on cabled ports and installs routes in the kernel.",
        version: "meshd \(Version.text)",
        subcommands: [Run.self, CleanUp.self, ApplyKernelSettings.self, InstallPlugins.self, MakeKey.self],
        defaultSubcommand: Run.self)

    /// Runs the command. If that fails, writes each line of the error after `meshd:` to standard error and exits with 1. After
    /// wrong usage, writes what ArgumentParser says and exits with 2. `--help` and `--version` exit with 0.
    static func main() {
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            let code = exitCode(for: error)
            guard code == .failure else {
                let text = fullMessage(for: error) + "\n"
                _ = text.withCString { write(code == .success ? STDOUT_FILENO : STDERR_FILENO, $0, strlen($0)) }
                Glibc.exit(code == .success ? 0 : 2)
            }
            let text = "\(error)".split(separator: "\n").map { "meshd: \($0)\n" }.joined()
            _ = text.withCString { write(STDERR_FILENO, $0, strlen($0)) }
            Glibc.exit(1)
        }
    }
}

struct ConfigurationOption: ParsableArguments {
    @Option(help: "The configuration file. Default: /etc/kubermesh/kubermesh.yaml if it exists.")
    var config: String?
}

extension Meshd {
    struct Run: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Run the agent until SIGTERM; SIGHUP reads the configuration again.")

        @OptionGroup var configurationOption: ConfigurationOption
        @Flag(help: "Remove routes, next hops, addresses and nftables tables on stop; by default routes stay.")
        var cleanupOnExit = false
        @Option(help: "The lowest log level: trace, debug, info, notice, warning, error or critical.", transform: word)
        var logLevel = Logger.Level.info
        @Option(help: "The log format: text or json.", transform: word)
        var logFormat = LogFormat.text

        func run() throws {
            var options = Daemon.Options()
            options.configurationFile = configurationOption.config
            options.cleansUpOnExit = cleanupOnExit
            options.logLevel = logLevel
            options.logFormat = logFormat
            try Daemon(options: options).run()
        }
    }

    struct CleanUp: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "cleanup",
            abstract:
                "Remove all routes, next hops, addresses and nftables tables that an agent left, which must not be running."
        )

        @OptionGroup var configurationOption: ConfigurationOption

        func run() throws {
            var options = Daemon.Options()
            options.configurationFile = configurationOption.config
            print(try Daemon(options: options).cleanUp())
        }
    }
}

extension Meshd {
    struct ApplyKernelSettings: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "apply-kernel-settings",
            abstract:
                "Apply the kernel settings that the agent needs, and exit: for containers whose agent cannot write /proc/sys.",
            aliases: ["make-kernel-settings"])  // the former name

        @OptionGroup var configurationOption: ConfigurationOption

        func run() throws {
            var options = Daemon.Options()
            options.configurationFile = configurationOption.config
            print(try Daemon(options: options).applyKernelSettings())
        }
    }
}

extension Meshd {
    struct InstallPlugins: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "install-cni-plugins",
            abstract: "Copy missing CNI plugins to the directory of the container runtime."
        )

        @Option(help: "The directory with the plugins.")
        var from = "/usr/lib/cni"
        @Option(help: "The directory to copy them to.")
        var to = "/opt/cni/bin"

        func run() throws {
            let copied = try PluginInstaller.install(from: from, to: to)
            print(
                copied.isEmpty ? "all plugins are in \(to) already" : "copied \(copied.joined(separator: " ")) to \(to)"
            )
        }
    }
}

/// Parses an argument that is one of the raw values of a type.
private func word<Value: RawRepresentable<String>>(_ text: String) throws -> Value {
    guard let value = Value(rawValue: text) else {
        throw ValidationError("“\(text)” is not a valid value; see --help.")
    }
    return value
}
