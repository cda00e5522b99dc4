internal import Yams

/// The agent of this project.
extension Lab {
    /// Starts `meshd`.
    mutating func startMeshd(_ node: Topology.Node) throws(LabError) {
        let file = "\(directory(of: node.name))/kubermesh.yaml"
        try writeConfiguration(try meshdConfiguration(node), to: file)
        try startDaemon([try Binaries.path(of: "meshd"), "--config", file], on: node, log: "meshd")
    }

    /// The configuration of a node: a generated one with ``Topology/Node/config`` merged over it, or, with
    /// ``Topology/Node/configIsWhole``, only that of the topology. Checks of VIPs are frequent, so that tests need not wait.
    /// HTTP can have the same address on every node: each has its own `lo`.
    func meshdConfiguration(_ node: Topology.Node) throws(LabError) -> String {
        if node.configIsWhole { return node.config }
        let options = node.ospf
        var text = """
            apiVersion: kubermesh/v1
            node:
              name: \(node.name)

            """
        if let routerID = options.routerID { text += "  routerID: \(routerID)\n" }
        text += """
            addressing:
              base: \(AddressBook.base)
            interfaces:
              - match: "cluster*"
                type: \(options.type ?? "auto")
                hello: \(options.hello ?? 1)s
                dead: \(options.dead ?? 4)s

            """
        if let cost = options.cost { text += "    cost: \(cost)\n" }
        if let retransmit = options.retransmit { text += "    retransmit: \(retransmit)s\n" }
        if let priority = options.priority { text += "    priority: \(priority)\n" }
        if !node.vips.isEmpty { text += "vips:\n" }
        for vip in node.vips {
            text += """
                  - name: \(vip.name)
                    address: \(vip.address)
                    check: { tcp: \(vip.port), interval: 200ms, timeout: 200ms, rise: 2, fall: 2 }

                """
        }
        text += """
            control:
              socket: \(controlSocket(of: node.name))
            http:
              listen: "[::1]:9179"

            """
        guard !node.config.isEmpty else { return text }
        do {
            guard let generated = try Yams.compose(yaml: text), let own = try Yams.compose(yaml: node.config) else {
                return text
            }
            return try Yams.serialize(node: merged(generated, with: own))
        } catch {
            throw LabError("The configuration given for the node \(node.name) is not YAML: \(error)")
        }
    }

    /// Mappings are merged key by key; anything else is replaced.
    private func merged(_ base: Yams.Node, with other: Yams.Node) -> Yams.Node {
        guard case .mapping(var result) = base, case .mapping(let additions) = other else { return other }
        for (key, value) in additions { result[key] = result[key].map { merged($0, with: value) } ?? value }
        return .mapping(result)
    }
}
