extension Route: Tabular {
    /// PREFIX KIND NODE METRIC NEXTHOP DEV AGE FIB and, if wide, VIA WEIGHT DETAIL; with one line for each next hop, and one for
    /// the backup, which has `backup` in the column FIB.
    public static func table(_ items: [Route], wide: Bool) -> TextTable {
        var columns: [TextTable.Column] = [
            "PREFIX", "KIND", "NODE", .number("METRIC"), "NEXTHOP", "DEV", .number("AGE"), "FIB",
        ]
        if wide { columns += ["VIA", .number("WEIGHT"), "DETAIL"] }
        var table = TextTable(columns: columns)
        for item in items {
            let first = item.nextHops.first
            var cells = [
                item.prefix, item.kind, item.nodes.joined(separator: ","),
                item.kind == Self.serviceKind ? "" : "\(item.metric)", first?.gateway ?? "",
                first?.interface ?? "", shortDuration(item.age), item.fib.state.rawValue,
            ]
            if wide {
                cells += [
                    first?.node ?? first?.routerID ?? "", first.map { "\($0.weight)" } ?? "", item.fib.detail ?? "",
                ]
            }
            table.append(cells)
            for hop in item.nextHops.dropFirst() {
                var cells = ["", "", "", "", hop.gateway, hop.interface, "", ""]
                if wide { cells += [hop.node ?? hop.routerID ?? "", "\(hop.weight)", ""] }
                table.append(cells, continues: true)
            }
            if let backup = item.backup {
                var cells = ["", "", "", "", backup.gateway, backup.interface, "", "backup"]
                if wide { cells += [backup.node ?? backup.routerID ?? "", "", ""] }
                table.append(cells, continues: true)
            }
        }
        return table
    }

    /// The route for people: its announcers, which of them are chosen, its next hops, and its state in the kernel.
    public var explanation: String {
        var text = "\(prefix)  \(kind)" + (kind == Self.serviceKind ? "" : ", metric \(metric)")
        if let internalMetric { text += " (distance to the announcer or its forwarding address \(internalMetric))" }
        text += ", unchanged for \(shortDuration(age))\n"
        if let announcers, !announcers.isEmpty {
            var table = TextTable(columns: ["", "", "", "", "", ""])
            for (index, announcer) in announcers.enumerated() {
                let verdict = announcer.selected ? "chosen" : "not chosen" + (announcer.reason.map { ": \($0)" } ?? "")
                table.append(
                    [
                        index == 0 ? "  announced by" : "", announcer.node ?? announcer.routerID,
                        announcer.node == nil ? "" : announcer.routerID,
                        announcer.distance.map { "distance \($0)" } ?? "unreachable", "+ metric \(announcer.metric)",
                        verdict,
                    ], continues: true)
            }
            text += table.text(headers: false)
        }
        if kind == Self.serviceKind {
            text += "  purpose       processes here reach cluster IPs, which rules of the service proxy translate\n"
        }
        var table = TextTable(columns: ["", "", "", ""])
        for (index, hop) in nextHops.enumerated() {
            table.append(
                [
                    index == 0 ? "  next hop    " : "", "\(hop.gateway) dev \(hop.interface)",
                    (hop.node ?? hop.routerID).map { "to \($0)" } ?? "",
                    nextHops.count > 1 ? "weight \(hop.weight)" : "",
                ], continues: true)
        }
        if let backup {
            table.append(
                [
                    "  backup      ", "\(backup.gateway) dev \(backup.interface)",
                    (backup.node ?? backup.routerID).map { "to \($0)" } ?? "", "",
                ], continues: true)
        }
        text += table.text(headers: false)
        return text + "  kernel        \(fib.state.rawValue)\(fib.detail.map { ": \($0)" } ?? "")\n"
    }
}

extension Route.NextHop {
    /// The address of the next hop or `on-link`, for people.
    fileprivate var gateway: String { address == "::" ? "on-link" : address }
}

extension Status {
    /// The maximum number of announced prefixes in the status for people. With many services there are hundreds.
    private static let announcesShown = 12

    /// The number of cached objects of a kind, for people; `nil` for this node's own Node, which is one or a problem.
    private static func text(_ kind: String, _ number: Int) -> String? {
        switch kind {
        case "services": counted(number, "Service")
        case "endpointslices": counted(number, "EndpointSlice")
        case "nodeaddresses": counted(number, "Node")
        case "servicecidrs": counted(number, "ServiceCIDR")
        case "nodes": nil
        default: "\(number) \(kind)"
        }
    }

    /// The status for people.
    public func text(node: String) -> String {
        // Label and text. A line with an empty label continues the one above. `problems` is `nil` from older agents, which
        // have problems only under the configuration, the cluster and the kernel.
        var lines: [(String, String)] = [
            ("node", node + (address.map { "  \($0)" } ?? "")),
            (
                "state",
                "\(phase.rawValue)\(ready ? ", ready" : ", not ready")\(drained ? ", drained" : stubRouter ? ", stub router" : "")\(isolated == true ? ", ISOLATED" : "")"
            ),
        ]
        if let problems {
            lines += problems.enumerated().map { ($0.offset == 0 ? "problems" : "", $0.element.line) }
        } else {
            lines += notReady.map { ("", $0) }
        }
        lines += [
            ("router ID", "\(routerID)\(routerIDIsDerived ? " (derived)" : ""), area \(area), instance \(instance)"),
            ("interfaces", "\(counts.interfacesUp) up of \(counts.interfaces)"),
        ]
        lines += (otherNetworks ?? []).map { ("", "not using \($0)") }
        lines += [
            ("neighbors", "\(counts.neighborsFull) Full of \(counts.neighbors)"),
            ("nodes", "\(counts.nodesReachable) reachable of \(counts.nodes)"),
            ("routes", "\(counts.routesInstalled) in the kernel of \(counts.routes)"),
            ("database", "\(counted(counts.lsas, "LSA")), \(counted(counts.spfRuns, "shortest-path run"))"),
        ]
        if counts.vips > 0 { lines.append(("vips", "\(counts.vipsAnnounced) announced of \(counts.vips)")) }
        let shown = announces.prefix(Self.announcesShown).joined(separator: " ")
        let more = announces.count - Self.announcesShown
        lines.append(
            (
                "announces",
                announces.isEmpty
                    ? "nothing" : more > 0 ? "\(shown) and \(counted(more, "more prefix", "more prefixes"))" : shown
            ))
        lines.append(("configuration", configuration.file ?? "none, defaults"))
        if !configuration.ok {
            lines.append(("", "the file is not in use; the configuration read at \(configuration.loaded) is"))
        }
        if problems == nil { lines += configuration.problems.map { ("", $0) } }
        if !configuration.needsRestart.isEmpty {
            lines.append(("", "takes effect at the next start: " + configuration.needsRestart.joined(separator: ", ")))
        }
        if let cluster {
            let objects = cluster.objects.sorted { $0.key < $1.key }.compactMap { Self.text($0.key, $0.value) }.joined(
                separator: ", ")
            lines.append(
                ("kubernetes", "\(cluster.connected ? "connected" : "not connected") by \(cluster.source); \(objects)"))
            let shown = Set((problems ?? []).map(\.problem))
            lines += cluster.problems.filter { !shown.contains($0) }.map { ("", $0.asOneLine) }
            for pool in cluster.pools ?? [] {
                let size = pool.addresses.map { " of \($0)" } ?? ""
                lines.append(("", "pool \(pool.name): \(pool.used)\(size) \(pool.family) addresses in use"))
            }
            if cluster.assignsAddresses == true { lines.append(("", "this agent assigns them to services")) }
            if let reason = cluster.drainReason { lines.append(("", "drains this node: \(reason)")) }
        }
        lines.append(
            (
                "kernel",
                "table \(kernel.table == 254 ? "main" : "\(kernel.table)"), protocol \(kernel.routeProtocol), "
                    + (kernel.nextHopObjects ? "next-hop objects" : "multipath routes")
            ))
        if problems == nil { lines += kernel.problems.map { ("", $0) } }
        lines.append(("meshd", "\(version), pid \(pid), up \(shortDuration(uptime))"))
        var table = TextTable(columns: ["", ""])
        for (name, value) in lines { table.append([name, value], continues: true) }
        var text = table.text(headers: false)
        if !events.isEmpty {
            text += "latest events\n"
            // Few, so that the rest of the status stays in view.
            for event in events.suffix(8) { text += "  \(event.time)  \(event.level)  \(event.message)\n" }
        }
        return text
    }
}

extension LSA {
    /// The header in one line, then every field of the body if ``body`` is not `nil`.
    public var explanation: String {
        var text = "\(type)-LSA \(linkStateID) of \(advertisingRouter)\(node.map { " (\($0))" } ?? "")"
        text += "  \(typeCode) \(scope)\(interface.map { " \($0)" } ?? "")  age \(age)  sequence \(sequenceNumber)"
        text += "  checksum \(checksum)  length \(length)\(isOwn ? "  own" : "")\n"
        if let body { text += body.indentedText(depth: 1) }
        return text
    }
}

extension JSONValue {
    /// A scalar, or a list of scalars, as text; `nil` for other values.
    private var scalarText: String? {
        switch self {
        case .null: "-"
        case .bool(let value): value ? "yes" : "no"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let value): value
        case .array(let values) where values.allSatisfy { $0.isScalar }:
            values.isEmpty ? "-" : values.compactMap(\.scalarText).joined(separator: " ")
        case .array, .object: nil
        }
    }

    private var isScalar: Bool {
        switch self {
        case .array, .object: false
        default: true
        }
    }

    /// Keys and values in lines, nested values indented below their key, by `depth` steps at the top. Keys are sorted, those of
    /// scalars and of lists of scalars first. In a list, an object of nothing but such values takes one line.
    func indentedText(depth: Int) -> String {
        let indent = String(repeating: "  ", count: depth)
        switch self {
        case .object(let members):
            let sorted = members.sorted { $0.key < $1.key }
            let simple = sorted.compactMap { member in member.value.scalarText.map { "\(indent)\(member.key): \($0)\n" }
            }
            let compound = sorted.filter { $0.value.scalarText == nil }
                .map { "\(indent)\($0.key):\n" + $0.value.indentedText(depth: depth + 1) }
            return (simple + compound).joined()
        case .array(let values):
            return values.map { value in
                guard case .object(let members) = value, members.values.allSatisfy({ $0.scalarText != nil }) else {
                    return value.indentedText(depth: depth)
                }
                let fields = members.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.scalarText ?? "")" }
                return "\(indent)- \(fields.joined(separator: ", "))\n"
            }.joined()
        default: return "\(indent)\(scalarText ?? "")\n"
        }
    }
}
