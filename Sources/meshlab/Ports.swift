internal import Addressing
internal import ArgumentParser
internal import Lab

/// Answers on a TCP port. A lab starts a process with this command for each port in ``Topology/Node/listens``.
struct Respond: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "responder", abstract: "Send a line of text to every client.", shouldDisplay: false)
    @Option var port: UInt16
    @Option var text: String
    @Flag(help: "The address of the client follows in the line.") var namesClient = false

    func run() throws { try Responder.serve(port: port, text: text, namesClient: namesClient) }
}

struct Dial: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Connect to a port and show the line it sends.")
    @Argument(help: "An IPv6 address.")
    var address: String
    @Argument(help: "A TCP port.")
    var port: UInt16

    func run() throws {
        guard let address = IPv6Address(address) else { throw ValidationError("“\(address)” is not an IPv6 address.") }
        print(try Responder.dial(address, port: port))
    }
}
