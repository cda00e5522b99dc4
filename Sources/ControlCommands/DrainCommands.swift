import ArgumentParser
import ControlAPI
import Glibc

struct DrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain", abstract: "Drain this node: make it ready to be removed.",
        discussion: """
            Others route around the node, and it announces its VIPs as last resort. Its own addresses stay reachable. The \
            drain survives restarts of the agent, until "undrain" or until the machine reboots.
            """)
    @OptionGroup var agent: AgentOptions

    @Flag(help: "Drain even if that makes other nodes unreachable.")
    var force = false

    @Flag(help: "Wait until no transit packet crosses the node; exits with 1 after the timeout.")
    var wait = false

    @Option(help: "The maximum time to wait, in seconds.")
    var timeout: Double = 60

    @Option(help: "The time without a transit packet after which --wait ends, in seconds.")
    var quiet: Double = 2

    func validate() throws {
        guard timeout <= 86_400, quiet > 0, quiet <= timeout else {
            throw ValidationError("--quiet must be positive, and --timeout between --quiet and 86400 s.")
        }
    }

    func run() throws {
        _ = try agent.post("/v1/drain", DrainRequest(enabled: true, force: force))
        Console.write("drained: others route around this node\n")
        guard wait else { return }
        let clock = ContinuousClock()
        let end = clock.now + .seconds(timeout)
        var last = try transitPackets()
        var crossed: UInt64 = 0
        var lastChange = clock.now
        while clock.now - lastChange < .seconds(quiet) {
            guard clock.now < end else {
                throw Failure.no(
                    "transit packets still cross this node: \(crossed) in \(timeout) s",
                    hint: "Perhaps there is no other path. meshctl undrain ends the drain.")
            }
            usleep(200_000)  // microseconds between queries
            let packets = try transitPackets()
            guard packets != last else { continue }
            // A count that is smaller than before has started again from 0 (``DrainDocument/transitPackets``).
            crossed += packets > last ? packets - last : packets
            (last, lastChange) = (packets, clock.now)
        }
        Console.write("no transit packet for \(quiet) s\n")
    }

    /// The count in ``DrainDocument/transitPackets``. Also throws if the node is not drained any more or
    /// packets cannot be counted.
    private func transitPackets() throws -> UInt64 {
        let answer = try JSON.decode(DrainDocument.self, from: agent.get("/v1/drain"))
        guard answer.drained else { throw Failure.no("somebody has ended the drain") }
        guard let packets = answer.transitPackets else {
            throw Failure.no(
                "the node is drained, but transit packets cannot be counted: \(answer.problem ?? "")",
                hint: "Install nft (Debian's nftables) on the node.")
        }
        return packets
    }
}

struct UndrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undrain", abstract: "End the drain of this node.")
    @OptionGroup var agent: AgentOptions

    func run() throws {
        _ = try agent.post("/v1/drain", DrainRequest(enabled: false))
        let now = try JSON.decode(DrainDocument.self, from: agent.get("/v1/drain"))
        guard !now.drained else {
            throw Failure.no(
                "the operator's drain has ended, but the node is still drained",
                hint: now.reasons?.contains("stop") == true
                    ? "The agent is about to stop."
                    : "The cluster drains it: meshctl status says why, for example the annotation kubermesh.io/drain of the Node."
            )
        }
        Console.write("no longer drained\n")
    }
}
