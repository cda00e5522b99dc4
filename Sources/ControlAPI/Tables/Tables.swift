/// A type that `meshctl` shows as a table.
public protocol Tabular {
    /// The table of some items; `wide` has more columns.
    static func table(_ items: [Self], wide: Bool) -> TextTable
}

extension Neighbor: Tabular {
    /// NODE ROUTER-ID DEV STATE AGE DEAD-IN ADDRESS; if wide, ECHO RTT RTT-99 LOSS BFD PRI DR BDR CHANGES RETRANS REQUESTS;
    /// RESTART if one is announced; PROBLEM if wide or if there is one.
    public static func table(_ items: [Neighbor], wide: Bool) -> TextTable {
        let hasProblems = wide || items.contains { $0.problem != nil }
        var columns: [TextTable.Column] = [
            "NODE", "ROUTER-ID", "DEV", "STATE", .number("AGE"), .number("DEAD-IN"), "ADDRESS",
        ]
        if wide {
            columns += [
                "ECHO", .number("RTT"), .number("RTT-99"), .number("LOSS"), "BFD", .number("PRI"), "DR", "BDR",
                .number("CHANGES"), .number("RETRANS"), .number("REQUESTS"),
            ]
        }
        let hasRestarts = items.contains { $0.restart != nil }
        if hasRestarts { columns.append("RESTART") }
        if hasProblems { columns.append("PROBLEM") }
        var table = TextTable(columns: columns)
        for item in items {
            var cells = [
                item.node ?? "", item.routerID, item.interface, item.state, shortDuration(item.age),
                shortDuration(item.deadIn), item.address,
            ]
            if wide {
                cells += [
                    item.echo?.state ?? "off", roundTripText(item.echo?.roundTrip),
                    roundTripText(item.echo?.roundTrip99), item.echo?.loss.map(percentage) ?? "",
                    item.bfd?.state ?? "-",
                    "\(item.priority)", item.designatedRouter ?? "", item.backupDesignatedRouter ?? "",
                    "\(item.stateChanges)", "\(item.retransmissions)", "\(item.requests)",
                ]
            }
            if hasRestarts {
                cells.append(item.restart.map { "restarting, held for \(shortDuration($0.heldFor))" } ?? "")
            }
            if hasProblems { cells.append(item.problem ?? "") }
            table.append(cells)
        }
        return table
    }
}

/// A round trip as text: `23µs`, `1.2ms`.
private func roundTripText(_ seconds: Double?) -> String {
    guard let seconds else { return "" }
    return seconds < 0.001
        ? "\(Int((seconds * 1e6).rounded()))µs" : "\(Double(Int((seconds * 1e4).rounded())) / 10)ms"
}

/// A part as text: `0%`, `0.4%`, `31%`.
private func percentage(_ part: Double) -> String {
    let percent = part * 100
    return percent == 0 || percent >= 10
        ? "\(Int(percent.rounded()))%" : "\(Double(Int((percent * 10).rounded(.up))) / 10)%"
}

extension Interface: Tabular {
    /// DEV TYPE STATE COST MTU NEIGHBORS ADDRESS; if wide, INDEX CONFIGURED MAC HELLO DEAD DR BDR QUEUED; PROBLEM if wide or if
    /// there is one; DECISION if wide or if the list has an unused port without a problem.
    public static func table(_ items: [Interface], wide: Bool) -> TextTable {
        let hasProblems = wide || items.contains { $0.problem != nil }
        let showsDecisions = wide || items.contains { $0.type == "unused" && $0.problem == nil }
        var columns: [TextTable.Column] = [
            "DEV", "TYPE", "STATE", .number("COST"), .number("MTU"), "NEIGHBORS", "ADDRESS",
        ]
        if wide {
            columns += [
                .number("INDEX"), "CONFIGURED", "MAC", .number("HELLO"), .number("DEAD"), "DR", "BDR",
                .number("QUEUED"),
            ]
        }
        if hasProblems { columns.append("PROBLEM") }
        if showsDecisions { columns.append("DECISION") }
        var table = TextTable(columns: columns)
        for item in items {
            var cells = [
                item.name, item.type, item.state, "\(item.cost)", "\(item.mtu)",
                "\(item.neighborsFull)/\(item.neighbors) Full", item.address ?? "",
            ]
            if wide {
                cells += [
                    "\(item.index)", item.configuredType, item.mac ?? "", shortDuration(item.hello),
                    shortDuration(item.dead), item.designatedRouter ?? "", item.backupDesignatedRouter ?? "",
                    "\(item.queued)",
                ]
            }
            if hasProblems { cells.append(item.problem ?? "") }
            if showsDecisions { cells.append(item.decision ?? "") }
            table.append(cells)
        }
        return table
    }
}

extension Node: Tabular {
    /// NODE ROUTER-ID METRIC NOTE LINKS PREFIXES. If wide, LINKS has costs, and PREFIXES lists the prefixes in place of their
    /// number.
    public static func table(_ items: [Node], wide: Bool) -> TextTable {
        var table = TextTable(
            columns: ["NODE", "ROUTER-ID", .number("METRIC"), "NOTE", "LINKS", wide ? "PREFIXES" : .number("PREFIXES")])
        for item in items {
            var notes: [String] = []
            if item.isSelf { notes.append("self") }
            if !item.reachable { notes.append("unreachable") }
            if item.stubRouter { notes.append("stub") }
            if item.isBorder { notes.append("border") }
            if item.isExternal { notes.append("external") }
            let links = item.links.map { wide ? "\($0.node ?? $0.routerID):\($0.cost)" : $0.node ?? $0.routerID }
            table.append([
                item.node ?? "", item.routerID, item.metric.map { "\($0)" } ?? "", notes.joined(separator: ","),
                links.joined(separator: ","), wide ? item.prefixes.joined(separator: ",") : "\(item.prefixes.count)",
            ])
        }
        return table
    }
}

extension LSA: Tabular {
    /// TYPE ID ADVERTISER AGE SEQUENCE LENGTH; if wide, CODE SCOPE DEV CHECKSUM OWN; and SAYS, which summarizes the body.
    public static func table(_ items: [LSA], wide: Bool) -> TextTable {
        var columns: [TextTable.Column] = ["TYPE", "ID", "ADVERTISER", .number("AGE"), "SEQUENCE", .number("LENGTH")]
        if wide { columns += ["CODE", "SCOPE", "DEV", "CHECKSUM", "OWN"] }
        var table = TextTable(columns: columns + ["SAYS"])
        for item in items {
            var cells = [
                item.type, item.linkStateID, item.node ?? item.advertisingRouter, "\(item.age)", item.sequenceNumber,
                "\(item.length)",
            ]
            if wide {
                cells += [item.typeCode, item.scope, item.interface ?? "", item.checksum, item.isOwn ? "own" : ""]
            }
            table.append(cells + [item.summary])
        }
        return table
    }
}

extension VIP: Tabular {
    /// NAME ADDRESS STATE ANNOUNCED AGE CHECK ALSO; if wide, LAST STREAK CHECKS FAILURES; ERROR if wide or if there is one.
    /// ALSO has the other announcers.
    public static func table(_ items: [VIP], wide: Bool) -> TextTable {
        let hasErrors = wide || items.contains { $0.lastError != nil }
        var columns: [TextTable.Column] = ["NAME", "ADDRESS", "STATE", "ANNOUNCED", .number("AGE"), "CHECK", "ALSO"]
        if wide { columns += [.number("LAST"), .number("STREAK"), .number("CHECKS"), .number("FAILURES")] }
        if hasErrors { columns.append("ERROR") }
        var table = TextTable(columns: columns)
        for item in items {
            var cells = [
                item.name, item.address, item.state.rawValue, item.announcedText, shortDuration(item.age),
                item.check ?? "", item.others.joined(separator: ","),
            ]
            if wide {
                cells += [
                    item.lastCheck.map(shortDuration) ?? "", "\(item.streak)", "\(item.checks)", "\(item.failures)",
                ]
            }
            if hasErrors { cells.append(item.lastError ?? "") }
            table.append(cells)
        }
        return table
    }

    /// `last` for an address that is announced as last resort.
    private var announcedText: String { announced ? metric == 0 ? "yes" : "last" : "no" }
}
