import Addressing
import Glibc
import Lab

/// A ping every 2 ms in the background.
struct BackgroundPing {
    let command: RunningCommand

    init(_ lab: Lab, from node: String, to other: String) throws {
        let target = lab.addresses.address(of: other).description
        command = try lab.command(on: node, ["ping", "-i", "0.002", "-W", "1", target]).spawn()
        usleep(200_000)
    }

    func lost() throws -> Int {
        command.signal(SIGINT)
        let output = try command.finish()
        guard let summary = PingSummary(output.text) else {
            throw LabError("no summary in the output of ping: \(output)")
        }
        return summary.sent - summary.received
    }
}
