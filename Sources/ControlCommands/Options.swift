import ArgumentParser
import ControlAPI
import ControlClient
import Glibc

/// The options for the control socket.
struct AgentOptions: ParsableArguments {
    @Option(help: "The control socket of the agent. Default: $MESHCTL_SOCKET, or /run/kubermesh/meshd.sock.")
    var socket: String?

    var client: ControlClient {
        let fromEnvironment = getenv(API.socketVariable).map { String(cString: $0) }
        return ControlClient(
            socket: socket ?? fromEnvironment.flatMap { $0.isEmpty ? nil : $0 } ?? API.defaultSocket)
    }

    /// The body of a successful answer (status 2xx). For any other answer, and without an answer, throws a ``Failure``.
    func get(_ path: String) throws -> [UInt8] { try check { client in try client.get(path) } }

    func post(_ path: String, _ body: some Encodable) throws -> [UInt8] {
        let body = try JSON.encode(body)
        return try check { client in try client.post(path, body: body) }
    }

    private func check(_ send: (ControlClient) throws -> ControlClient.Reply) throws -> [UInt8] {
        let reply: ControlClient.Reply
        do {
            reply = try send(client)
        } catch let error as ControlClient.Unreachable {
            throw Failure.unreachable(
                "\(error)",
                hint: "Is meshd running, and are you root? --socket or $\(API.socketVariable) selects another socket.")
        }
        if (200..<300).contains(reply.status) { return reply.body }
        let error = try? JSON.decode(ErrorDocument.self, from: reply.body)
        let message = error?.message ?? "the agent answered with HTTP status \(reply.status)"
        switch reply.status {
        case 404: throw Failure.notFound(message, hint: error?.hint)
        case 400, 405: throw Failure.usage(message, hint: error?.hint)
        default: throw Failure.no(message, hint: error?.hint)
        }
    }
}

/// The options for the address family.
struct FamilyOptions: ParsableArguments {
    @Flag(name: .customShort("4"), help: "Show only IPv4 routes.")
    var onlyIPv4 = false

    @Flag(name: .customShort("6"), help: "Show only IPv6 routes.")
    var onlyIPv6 = false

    func validate() throws {
        if onlyIPv4, onlyIPv6 { throw ValidationError("-4 and -6 exclude each other.") }
    }

    /// The address family as in the API: `ipv4` or `ipv6`; `nil` for both.
    var family: String? { onlyIPv4 ? "ipv4" : onlyIPv6 ? "ipv6" : nil }
}

struct OutputOptions: ParsableArguments {
    enum Format: String, ExpressibleByArgument, CaseIterable { case table, wide, json, yaml }

    @Option(name: .shortAndLong, help: "The output format: table, wide, json or yaml.")
    var output: Format = .table

    @Flag(help: "Show no header line.")
    var noHeaders = false

    @Flag(name: .shortAndLong, help: "Repeat every second until interrupted.")
    var watch = false

    /// Writes what `show` returns, once or, with `--watch`, every second. With `--watch`, failures with the exit codes 3 (the
    /// agent cannot be reached) and 4 (not found) do not end the command, and on a terminal each output replaces the previous
    /// one.
    func repeatedly(_ show: () throws -> String) throws {
        guard watch else {
            Console.write(try show())
            return
        }
        while true {
            let text: String
            do {
                text = try show()
            } catch let failure as Failure where failure.code == 3 || failure.code == 4 {
                text = failure.message + "\n"
            }
            // Move the cursor to the first line, and clear the screen.
            Console.write(Console.isTerminal ? "\u{1b}[H\u{1b}[2J" + text : output == .yaml ? "---\n" + text : text)
            sleep(1)
        }
    }

    /// An answer in the chosen format. `table` makes the text for people, of formats `table` and `wide`.
    func text<Document: Decodable>(_ body: [UInt8], as type: Document.Type, table: (Document) -> String) throws
        -> String
    {
        do {
            switch output {
            case .table, .wide: return table(try JSON.decode(type, from: body))
            case .json:
                return String(
                    decoding: try JSON.encode(JSON.decode(JSONValue.self, from: body), pretty: true), as: UTF8.self)
            case .yaml: return try yaml(JSON.decode(JSONValue.self, from: body))
            }
        } catch let error as DecodingError {
            throw Failure.no(
                "unexpected answer of the agent: \(error)", hint: "Are meshctl and meshd of the same version?")
        }
    }
}
