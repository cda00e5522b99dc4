internal import FoundationEssentials

/// A neighbor in any state, Full or not, as one router of a lab reports it, whatever its implementation.
public struct ReportedNeighbor: Hashable, Sendable {
    /// The neighbor's router ID.
    public var routerID: String
    /// The router's port on which it is heard.
    public var port: String
    /// `Full`, `2-Way`, `ExStart`, …
    public var state: String
    /// The neighbor's role on a segment: `DR`, `BDR` or `DROther`. `nil` on other links, and always from agents, which report
    /// the DR and the BDR per interface.
    public var role: String?
}

extension Lab {
    /// The neighbors of a node in any state; none of a node without a router. Throws if its router does not answer.
    public func neighbors(of name: String) throws(LabError) -> [ReportedNeighbor] {
        switch try topology.node(name).router {
        case .frr: try frrNeighbors(of: name)
        case .bird: Self.birdNeighbors(try birdc(name, "show ospf neighbors"))
        case .meshd: try meshdNeighbors(of: name)
        case .bridge, .none: []
        }
    }

    private func frrNeighbors(of name: String) throws(LabError) -> [ReportedNeighbor] {
        struct Answer: Decodable {
            struct Neighbor: Decodable {
                var neighborId: String
                var state: String
                var ifState: String?
                var interfaceName: String
            }
            var neighbors: [Neighbor]
        }
        let text = try vtysh(name, "show ipv6 ospf6 neighbor json")
        guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(text.utf8)) else {
            throw LabError("Cannot parse the neighbors that FRR on \(name) lists: \(text)")
        }
        return answer.neighbors.map {
            let state = $0.state == "Twoway" ? "2-Way" : $0.state
            // FRR's `ifState` is the neighbor's role on a segment.
            let role = $0.ifState == "PointToPoint" ? nil : $0.ifState
            return ReportedNeighbor(routerID: $0.neighborId, port: $0.interfaceName, state: state, role: role)
        }
    }

    /// Parses lines such as `10.0.0.2  1  Full/PtP  3.750  cluster0  fe80::1`.
    static func birdNeighbors(_ text: String) -> [ReportedNeighbor] {
        text.split(separator: "\n").compactMap { line in
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count >= 5, words[0].split(separator: ".").count == 4 else { return nil }
            let parts = words[2].split(separator: "/")
            guard parts.count == 2 else { return nil }
            let roles = ["DR": "DR", "BDR": "BDR", "Other": "DROther"]
            return ReportedNeighbor(
                routerID: String(words[0]), port: String(words[4]), state: String(parts[0]),
                role: roles[String(parts[1])])
        }
    }
}
