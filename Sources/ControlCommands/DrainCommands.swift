import ArgumentParser
import ControlAPI
import Glibc

struct DrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain", abstract: "Make this node ready to be taken out of the mesh.",
        discussion: """
            Other nodes route around this node, and its shared addresses become a last resort; its own addresses \
            stay reachable. The drain survives restarts of the agent. It ends with "undrain" or when the machine \
            restarts.
            """)
    @OptionGroup var agent: AgentOptions

    @Flag(help: "Drain even if this cuts other nodes off.")
    var force = false

    @Flag(help: "Wait until no transit packet crosses the node any more; exit with 1 after the timeout.")
    var wait = false

    @Option(help: "The longest time to wait, in seconds.")
    var timeout: Double = 60

    @Option(help: "How many seconds without a transit packet are enough.")
    var quiet: Double = 2

    func validate() throws {
        guard timeout > 0, quiet > 0, quiet <= timeout else {
            throw ValidationError("--timeout and --quiet are numbers of seconds, --timeout not the smaller one.")
        }
    }

    func run() throws {
        _ = try agent.post("/v1/drain", DrainRequest(enabled: true, force: force))
        Console.write("drained: the others are asked to route around this node\n")
        guard wait else { return }
        let clock = ContinuousClock()
        let end = clock.now + .seconds(timeout)
        var last = try transitPackets()
        var crossed: UInt64 = 0
        var lastChange = clock.now
        while clock.now - lastChange < .seconds(quiet) {
            guard clock.now < end else {
                throw Failure.no(
                    "packets of others still cross this node: \(crossed) in \(timeout) s",
                    hint: "Perhaps they have no other way. meshctl undrain takes the drain back.")
            }
            usleep(200_000)
            let packets = try transitPackets()
            guard packets != last else { continue }
            // Counting begins anew when ports come and go.
            crossed += packets > last ? packets - last : packets
            (last, lastChange) = (packets, clock.now)
        }
        Console.write("no packet of others has crossed it for \(quiet) s\n")
    }

    private func transitPackets() throws -> UInt64 {
        let answer = try JSON.decode(DrainDocument.self, from: agent.get("/v1/drain"))
        guard answer.drained else { throw Failure.no("somebody has taken the drain back") }
        guard let packets = answer.transitPackets else {
            throw Failure.no(
                "the node is drained, but nobody can say whether packets still cross it: \(answer.problem ?? "")",
                hint: "With nft (Debian's nftables) on the node, they are counted.")
        }
        return packets
    }
}

struct UndrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undrain", abstract: "Let the others route through this node again.")
    @OptionGroup var agent: AgentOptions

    func run() throws {
        _ = try agent.post("/v1/drain", DrainRequest(enabled: false))
        let now = try JSON.decode(DrainDocument.self, from: agent.get("/v1/drain"))
        guard !now.drained else {
            throw Failure.no(
                "the drain is taken back, and the node is still drained",
                hint: now.reasons?.contains("stop") == true
                    ? "The agent is about to stop."
                    : "The cluster wants it: meshctl status says why. The annotation is kubermesh.io/drain of the Node."
            )
        }
        Console.write("not drained any more\n")
    }
}
