import Addressing
import Glibc
import Lab
import Testing

extension Interoperability {
    /// Wireshark decodes all packets that the agent sends.
    @Suite struct Capture {
        /// The fields that tshark prints of a packet. `problems` are malformed parts and expert messages.
        private struct Packet {
            var source: String
            var type: String
            var lsaTypes: String
            var problems: String
        }

        private func packets(in file: String) throws -> [Packet] {
            let text = try Command(
                [
                    "tshark", "-r", file, "-Y", "ospf", "-T", "fields", "-E", "separator=|", "-E", "occurrence=a",
                    "-e", "ipv6.src", "-e", "ospf.msg", "-e", "ospf.v3.lsa", "-e", "_ws.malformed", "-e",
                    "_ws.expert.message",
                ]
            ).run(limit: .seconds(60))
            return text.split(separator: "\n").map { line in
                let cells = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
                return Packet(
                    source: cells[0], type: cells[1], lsaTypes: cells[2], problems: cells[3...].joined())
            }
        }

        @Test(.timeLimit(.minutes(3)), arguments: [Topology.RouterKind.frr, .bird])
        func everyPacketTypeIsDecodedWithoutErrors(other: Topology.RouterKind) throws {
            let nodes: [Topology.Node] = [
                .quick(
                    "n1", .meshd, .broadcast(20),
                    config: "advertise: [\"2001:db8:7::/48\", \"2001:db8:8::/45\", \"::/0\"]"),
                .quick("n2", other, .broadcast(10)),
            ]
            try withLab(.segment(nodes), start: false) { lab in
                let file = "\(lab.directory)/capture.pcapng"
                let capture = try lab.command(on: "n1", ["dumpcap", "-q", "-i", "cluster0", "-w", file]).spawn()
                try eventually { (try? Command(["test", "-s", file]).run()) == nil ? "dumpcap does not write" : nil }
                try lab.startRouters()
                try lab.waitUntilConverged()
                try lab.stop("n2", kill: true)
                try lab.start(["n2"])
                try lab.waitUntilConverged()
                try lab.stop("n1")
                capture.signal(SIGINT)
                _ = try capture.finish()

                let own = lab.addresses.ports[0].first.linkLocalAddress.description
                let sent = try packets(in: file).filter { $0.source == own }
                #expect(Set(sent.map(\.type)) == ["1", "2", "3", "4", "5"], "all five types were sent")
                // Router-, network-, link-, intra-area-prefix-, router information and auto-configuration LSA.
                let sentLSATypes = Set(sent.filter { $0.type == "4" }.flatMap { $0.lsaTypes.split(separator: ",") })
                #expect(
                    sentLSATypes.isSuperset(of: ["0x2001", "0x2002", "0x0008", "0x2009", "0xa00c", "0xa00f"]),
                    "\(sentLSATypes)")
                // Wireshark does not know the auto-configuration LSA (RFC 7503), type 15.
                let bad = sent.filter { !["", "Unknown LSA Type 15"].contains($0.problems) }
                #expect(bad.isEmpty, "\(bad.prefix(5))")
            }
        }
    }
}
