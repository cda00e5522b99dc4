internal import ControlAPI
internal import Subprocess

/// Counts transit packets: those that are forwarded from ports of the mesh to ports of the mesh, not those of the node itself,
/// of its pods or of other ports. No counter of the kernel distinguishes them from those of pods, so an nftables rule counts
/// them. The rule exists from the first query until ``end()``.
actor TransitCounter {
    /// Packets cannot be counted.
    struct Unavailable: Error, CustomStringConvertible {
        let description: String
    }

    /// The family and the name of our nftables table.
    private static let table = "inet kubermesh_transit"
    /// In octets; the output of `nft` for one table has a few hundred.
    private static let longestOutput = 1 << 16

    /// The ports between which packets are counted; `nil` while nothing is counted.
    private var countedPorts: Set<UInt32>?

    /// Packets between these ports (by index). Counting starts at the first call, and again from 0 if the ports change or
    /// another program removes the rule.
    func packets(between ports: Set<UInt32>) async throws(Unavailable) -> UInt64 {
        if countedPorts != ports {
            try await Self.nft(["-f", "-"], input: Self.rules(for: ports))
            countedPorts = ports
        }
        let output: String
        do {
            output = try await Self.nft(
                ["-j", "list", "counters", "table"] + Self.table.split(separator: " ").map(String.init))
        } catch {
            // Another program may have flushed the rules; the next call adds them again.
            countedPorts = nil
            throw error
        }
        guard let packets = Self.packets(in: output) else {
            throw Unavailable(description: "unexpected output of nft")
        }
        return packets
    }

    var isCounting: Bool { countedPorts != nil }

    /// Stops counting. Removes the rule, also one that an earlier run left when it crashed.
    func end() async {
        countedPorts = nil
        _ = try? await Self.nft(["delete", "table"] + Self.table.split(separator: " ").map(String.init))
    }

    /// The nftables commands that replace our table, in one transaction, by one with a new counter. The first line makes the
    /// second valid if there is no table yet. The chain is before all usual ones (`raw` is -300), which may drop packets.
    static func rules(for ports: Set<UInt32>) -> String {
        let list = ports.sorted().map(String.init).joined(separator: ", ")
        let rule = ports.isEmpty ? "" : "iif { \(list) } oif { \(list) } counter name transit"
        return """
            add table \(table)
            delete table \(table)
            table \(table) {
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

    @discardableResult
    private static func nft(_ arguments: [String], input: String = "") async throws(Unavailable) -> String {
        do {
            let result = try await run(
                .name("nft"), arguments: Arguments(arguments), input: .string(input),
                output: .string(limit: longestOutput), error: .string(limit: longestOutput))
            guard case .exited(0) = result.terminationStatus else {
                let reason = result.standardError.split(separator: "\n").first.map(String.init) ?? ""
                throw Unavailable(description: "nft could not count packets: \(reason)")
            }
            return result.standardOutput
        } catch let error as Unavailable {
            throw error
        } catch {
            throw Unavailable(description: "nft, which counts packets, cannot be run: \(error)")
        }
    }
}
