public import Addressing

/// The summary of `ping`.
public struct PingSummary: Hashable, Sendable {
    /// The number of requests sent.
    public var sent: Int
    /// The number of replies received.
    public var received: Int

    /// Parses the line “… packets transmitted, … received …”; `nil` if there is none.
    public init?(_ text: String) {
        for line in text.split(separator: "\n") where line.contains(" packets transmitted, ") {
            let numbers = line.split(separator: ",").compactMap { part in
                part.split(separator: " ").first.flatMap { Int($0) }
            }
            guard numbers.count >= 2 else { continue }
            sent = numbers[0]
            received = numbers[1]
            return
        }
        return nil
    }
}

extension Lab {
    /// The name of the link on which the kernel of one node sends packets to another's address; of several next hops, the one
    /// that the kernel chooses. `nil` if that is no link of the lab. Throws if there is no route.
    public func linkInUse(from node: String, to other: String) throws(LabError) -> String? {
        let address = addresses.address(of: other)
        let text = try Command(["ip", "-n", namespace(of: node).name, "-6", "route", "get", address.description]).run()
        let words = text.split(whereSeparator: \.isWhitespace)
        guard let place = words.firstIndex(of: "dev"), place + 1 < words.count else { return nil }
        let index = addresses.ports.firstIndex {
            [$0.first, $0.second].contains { $0.node == node && $0.name == words[place + 1] }
        }
        return index.map { topology.links[$0].name }
    }

    /// Whether three pings from a node to an address are all answered.
    public func canReach(from node: String, to address: IPv6Address) throws(LabError) -> Bool {
        let output = try command(on: node, ["ping", "-c", "3", "-i", "0.05", "-W", "3", address.description]).output()
        return PingSummary(output.text)?.received == 3
    }
}
