public import ControlAPI
internal import ControlClient

/// Queries to the control sockets of the agents of a lab.
extension Lab {
    /// A list from an agent: `try lab.list(Route.self, of: "n1")`. `query` starts with `?`. Throws if the agent does not
    /// answer, or answers with an error.
    public func list<Item: ListItem>(_ type: Item.Type, of node: String, _ query: String = "") throws(LabError)
        -> [Item]
    {
        let paths = [
            Neighbor.listKind: "neighbors", Interface.listKind: "interfaces", Route.listKind: "routes",
            Node.listKind: "nodes", LSA.listKind: "lsdb", VIP.listKind: "vips",
            Authentication.listKind: "auth", Event.listKind: "events",
        ]
        let path = "/v1/\(paths[type.listKind] ?? "")\(query)"
        return try ask(node, path, ListDocument<Item>.self).items
    }

    /// The status of an agent. Throws if the agent does not answer, or answers with an error.
    public func status(of node: String) throws(LabError) -> Status {
        try ask(node, "/v1/status", StatusDocument.self).status
    }

    /// What an agent knows of the mesh. Throws if the agent does not answer, or answers with an error.
    public func snapshot(of node: String) throws(LabError) -> SnapshotDocument {
        try ask(node, "/v1/snapshot", SnapshotDocument.self)
    }

    /// The decoded answer of an agent to a GET.
    private func ask<Answer: Decodable>(_ node: String, _ path: String, _ type: Answer.Type) throws(LabError) -> Answer
    {
        let reply: ControlClient.Reply
        do { reply = try ControlClient(socket: controlSocket(of: node)).get(path) } catch {
            throw LabError("The agent on \(node) does not answer: \(error).\n\(log(of: node))")
        }
        guard reply.status == 200, let answer = try? JSON.decode(type, from: reply.body) else {
            throw LabError(
                "Unexpected response of the agent on \(node) to \(path), status \(reply.status): "
                    + String(decoding: reply.body, as: UTF8.self))
        }
        return answer
    }

    /// The prefixes whose routes an agent reports as installed in the kernel; none if it does not answer yet, or with an error.
    func installedPrefixes(ofAgent node: String) throws(LabError) -> [String] {
        guard let reply = try? ControlClient(socket: controlSocket(of: node)).get("/v1/routes"), reply.status == 200,
            let routes = try? JSON.decode(ListDocument<Route>.self, from: reply.body)
        else { return [] }
        return routes.items.filter { $0.fib.state == .installed }.map(\.prefix)
    }

    func meshdNeighbors(of name: String) throws(LabError) -> [ReportedNeighbor] {
        try list(Neighbor.self, of: name).map {
            ReportedNeighbor(routerID: $0.routerID, port: $0.interface, state: $0.state, role: nil)
        }
    }

    func meshdDatabase(of name: String) throws(LabError) -> [DatabaseEntry] {
        try list(LSA.self, of: name).filter { $0.age < Self.maxAge }.compactMap { lsa in
            guard let type = UInt16(lsa.typeCode.dropFirst(2), radix: 16),
                let id = Self.number(dotted: lsa.linkStateID),
                let router = Self.number(dotted: lsa.advertisingRouter),
                let sequence = UInt32(lsa.sequenceNumber.dropFirst(2), radix: 16),
                let checksum = UInt16(lsa.checksum.dropFirst(2), radix: 16)
            else { return nil }
            return DatabaseEntry(
                type: type, linkStateID: id, advertisingRouter: router, sequence: sequence, checksum: checksum)
        }
    }
}
