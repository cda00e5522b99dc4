internal import ControlAPI
internal import Subprocess

/// Counts the packets that cross this node, from one port to another: those that neither begin nor end in it, in its pods
/// or behind a port of another kind.
/// No counter of the kernel's own tells them from those of pods, so a rule of nftables does, which is there only while
/// somebody asks.
actor TransitCounter {
    /// Packets cannot be counted.
    struct Unavailable: Error, CustomStringConvertible {
        let description: String
    }

    private static let table = "inet kubermesh_transit"
    private static let longestOutput = 1 << 16

    /// The ports between which packets are counted; `nil` while none are.
    private var counted: Set<UInt32>?

    /// Packets between ports, given by their indices, since the first call, or since other ports were asked for.
    func packets(between ports: Set<UInt32>) async throws(Unavailable) -> UInt64 {
        if counted != ports {
            try await Self.nft(["-f", "-"], input: Self.rules(for: ports))
            counted = ports
        }
        let output: String
        do {
            output = try await Self.nft(
                ["-j", "list", "counters", "table"] + Self.table.split(separator: " ").map(String.init))
        } catch {
            // Somebody flushed the rules; the next call makes them again.
            counted = nil
            throw error
        }
        guard let packets = Self.packets(in: output) else {
            throw Unavailable(description: "nft gave an answer that is not understood")
        }
        return packets
    }

    /// Whether packets are counted.
    var isCounting: Bool { counted != nil }

    /// Ends the counting, also that of an earlier run which could not.
    func end() async {
        counted = nil
        _ = try? await Self.nft(["delete", "table"] + Self.table.split(separator: " ").map(String.init))
    }

    /// A table with nothing but a counter, in one transaction in place of one that is there.
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

    /// Reads the JSON of a list of counters.
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
            throw Unavailable(description: "packets are counted by nft, which cannot be run: \(error)")
        }
    }
}
