internal import ControlAPI

/// Counts transit packets: those that are forwarded from ports of the mesh to ports of the mesh, not those of the node itself,
/// of its pods or of other ports. No counter of the kernel distinguishes them from those of pods, so an nftables rule counts
/// them. The rule exists from the first query until ``end()``.
actor TransitCounter {
    /// The name of our nftables table, in the family `inet`.
    static let table = "kubermesh_transit"

    /// The ports between which packets are counted; `nil` while nothing is counted.
    private var countedPorts: Set<UInt32>?

    /// Packets between these ports (by index). Counting starts at the first call, and again from 0 if the ports change or
    /// another program removes the rule.
    func packets(between ports: Set<UInt32>) async throws(NFTables.Failure) -> UInt64 {
        if countedPorts != ports {
            try await NFTables.run(["-f", "-"], input: Self.rules(for: ports))
            countedPorts = ports
        }
        let output: String
        do {
            output = try await NFTables.run(
                ["-j", "list", "counters", "table", "inet", Self.table])
        } catch {
            // Another program may have flushed the rules; the next call adds them again.
            countedPorts = nil
            throw error
        }
        guard let packets = Self.packets(in: output) else {
            throw NFTables.Failure(description: "unexpected output of nft")
        }
        return packets
    }

    var isCounting: Bool { countedPorts != nil }

    /// Stops counting. Removes the rule, also one that an earlier run left when it crashed.
    func end() async {
        countedPorts = nil
        _ = try? await NFTables.run(["delete", "table", "inet", Self.table])
    }

    /// The nftables commands that replace our table, in one transaction, by one with a new counter. The first line makes the
    /// second valid if there is no table yet. The chain is before all usual ones (`raw` is -300), which may drop packets.
    static func rules(for ports: Set<UInt32>) -> String {
        let list = ports.sorted().map(String.init).joined(separator: ", ")
        let rule = ports.isEmpty ? "" : "iif { \(list) } oif { \(list) } counter name transit"
        return """
            add table inet \(table)
            delete table inet \(table)
            table inet \(table) {
                counter transit { }
                chain forward {
                    type filter hook forward priority -400
                    \(rule)
                }
            }

            """
    }

    /// The packets of the first counter in the JSON of `nft list counters`; `nil` if there is none.
    static func packets(in output: String) -> UInt64? {
        struct Answer: Decodable {
            struct Counter: Decodable {
                var packets: UInt64
            }
            struct Item: Decodable {
                var counter: Counter?
            }
            var nftables: [Item]
        }
        return try? JSON.decode(Answer.self, from: Array(output.utf8)).nftables.lazy.compactMap(\.counter).first?
            .packets
    }
}
