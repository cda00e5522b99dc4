extension Authentication {
    /// The list for people: the policy, and a table each of keys, neighbors, refused senders and keys of BFD, if there are any.
    public static func text(_ items: [Authentication], headers: Bool) -> String {
        var parts = [policyText(items.filter { $0.kind == "policy" })]
        let tables: [(kind: String, make: ([Authentication]) -> TextTable)] = [
            ("key", keyTable), ("neighbor", neighborTable), ("refused", refusedTable), ("bfd", sessionTable),
        ]
        for (kind, make) in tables {
            let rows = items.filter { $0.kind == kind }
            if !rows.isEmpty { parts.append(make(rows).text(headers: headers)) }
        }
        return parts.filter { !$0.isEmpty }.joined(separator: "\n")
    }

    /// What holds on all ports, and the ports on which something else does.
    private static func policyText(_ policies: [Authentication]) -> String {
        var text = ""
        for policy in policies {
            guard let port = policy.interface else {
                text += policy.meaning + (policy.file.map { "; keys: \($0)" } ?? "") + "\n"
                continue
            }
            text += "on \(port): \(policy.meaning)\n"
        }
        return text
    }

    private var meaning: String {
        switch state {
        case "required": "required: OSPF packets without a valid key are refused"
        case "optional": "not required: OSPF packets without a valid key are accepted"
        case "off" where interface == nil: "off: OSPF packets are not authenticated, this node has no keys (auth.keys)"
        default: "\(state): OSPF packets are not authenticated"
        }
    }

    /// KEY ALGORITHM USE FROM UNTIL STATE, with a line for sending and one for acceptance.
    private static func keyTable(_ items: [Authentication]) -> TextTable {
        var table = TextTable(columns: ["KEY", "ALGORITHM", "USE", "FROM", "UNTIL", "STATE"])
        for item in items {
            let isSending = item.state == "sending"
            table.append([
                "\(item.key ?? 0)", item.algorithm ?? "", "send", item.send?.from ?? "", item.send?.until ?? "",
                [isSending ? "in use" : nil, item.send?.text(isInUse: isSending)].compactMap(\.self)
                    .joined(separator: ", "),
            ])
            table.append(
                [
                    "", "", "accept", item.accept?.from ?? "-", item.accept?.until ?? "-",
                    item.accept?.text(isInUse: false) ?? item.state,
                ], continues: true)
        }
        return table
    }

    /// NEIGHBOR ROUTER-ID DEV ADDRESS KEY ALGORITHM AGE.
    private static func neighborTable(_ items: [Authentication]) -> TextTable {
        var table = TextTable(columns: [
            "NEIGHBOR", "ROUTER-ID", "DEV", "ADDRESS", "KEY", "ALGORITHM", .number("AGE"),
        ])
        for item in items {
            table.append([
                item.node ?? "", item.routerID ?? "", item.interface ?? "", item.address ?? "",
                item.key.map { "\($0)" } ?? "none", item.algorithm ?? "", item.age.map(shortDuration) ?? "",
            ])
        }
        return table
    }

    /// REFUSED ROUTER-ID DEV ADDRESS KEY REASON AGE LAST PACKETS.
    private static func refusedTable(_ items: [Authentication]) -> TextTable {
        var table = TextTable(columns: [
            "REFUSED", "ROUTER-ID", "DEV", "ADDRESS", "KEY", "REASON", .number("AGE"), .number("LAST"),
            .number("PACKETS"),
        ])
        for item in items {
            table.append([
                item.node ?? "", item.routerID ?? "", item.interface ?? "", item.address ?? "",
                item.key.map { "\($0)" } ?? "none", item.state, item.age.map(shortDuration) ?? "",
                item.lastHeard.map(shortDuration) ?? "", item.packets.map { "\($0)" } ?? "",
            ])
        }
        return table
    }

    /// BFD DEV KEY TYPE SESSION FILE.
    private static func sessionTable(_ items: [Authentication]) -> TextTable {
        var table = TextTable(columns: ["BFD", "DEV", "KEY", "TYPE", "SESSION", "FILE"])
        for item in items {
            table.append([
                item.node ?? item.routerID ?? "", item.interface ?? "", item.key.map { "\($0)" } ?? "",
                item.algorithm ?? "", item.state, item.file ?? "",
            ])
        }
        return table
    }
}

extension Authentication.Period {
    /// What the period means now; `nil` if nothing needs to be said of a key that is in use.
    fileprivate func text(isInUse: Bool) -> String? {
        let time = seconds.map(shortDuration) ?? ""
        switch state {
        case "valid":
            let parts = [isInUse ? nil : "valid", seconds == nil ? nil : "expires in \(time)"].compactMap(\.self)
            return parts.isEmpty ? nil : parts.joined(separator: ", ")
        case "early": return "begins in \(time)"
        case "over": return "expired \(time) ago"
        default: return "clock not set"
        }
    }
}
