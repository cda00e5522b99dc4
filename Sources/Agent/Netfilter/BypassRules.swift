internal import Addressing
internal import Node

/// The commands for our nftables table.
///
/// Packets in transit to and from addresses of services are not tracked (`notrack`). Neither the translations of kube-proxy nor
/// its rules for addresses without endpoints apply to packets that are not tracked: the former need a tracked connection, the
/// latter match new connections only. The same holds for the rules of its iptables mode.
enum BypassRules {
    /// The name of the table, in the family `inet`.
    static let table = "kubermesh_bypass"
    /// The chains with rules, in the order in which packets pass them.
    static let chains = ["prerouting", "tracked", "forward"]
    /// The counter of packets of connections for which there is no room in the table.
    static let counter = "forgotten"

    /// One family of addresses, as nftables names it.
    private struct Family: Sendable {
        /// The suffix of names of sets.
        let suffix: String
        /// The header with the addresses.
        let header: String
        let addressType: String
        /// ICMP: the protocol, the header, and the types of errors, which quote the packet to which they belong.
        let icmp: (protocol: String, header: String, errors: String)

        static let all = [
            Family(
                suffix: "6", header: "ip6", addressType: "ipv6_addr", icmp: ("ipv6-icmp", "icmpv6", "{ 1, 2, 3, 4 }")),
            Family(suffix: "4", header: "ip", addressType: "ipv4_addr", icmp: ("icmp", "icmp", "{ 3, 11, 12 }")),
        ]

        func contains(_ address: IPv6Address) -> Bool { (address.ipv4 == nil) == (suffix == "6") }
    }

    /// How many connections the table remembers: as many as connection tracking does by default.
    private static let mostConnections = 262_144

    /// Commands that make the table with these contents. The connections that an existing table remembers stay; with
    /// `keepsAddresses`, other addresses in it stay, too.
    static func update(_ contents: ProxyBypass.Contents, keepsAddresses: Bool) -> String {
        let sets = Family.all.map { family in
            """
            add set inet \(table) services\(family.suffix) { type \(family.addressType); }
            add set inet \(table) translated\(family.suffix) { type inet_proto . \(family.addressType) . inet_service . \(family.addressType) . inet_service; flags dynamic, timeout; size \(mostConnections); }

            """
        }
        return """
            add table inet \(table)
            add counter inet \(table) \(counter)
            add set inet \(table) ports { type iface_index; }
            add set inet \(table) uplinks { type iface_index; }
            \(sets.joined())\(refill(contents, keepsAddresses: keepsAddresses))add chain inet \(table) prerouting { type filter hook prerouting priority raw; policy accept; }
            add chain inet \(table) tracked { type filter hook prerouting priority -199; policy accept; }
            add chain inet \(table) forward { type filter hook forward priority filter; policy accept; }
            \(chains.map { "flush chain inet \(table) \($0)\n" }.joined())\(Family.all.map { rules($0) }.joined())
            """
    }

    /// Commands that replace the table, whatever is in it.
    static func replacement(_ contents: ProxyBypass.Contents) -> String {
        // The first line makes the second valid if there is no table.
        "add table inet \(table)\ndelete table inet \(table)\n" + update(contents, keepsAddresses: false)
    }

    /// Commands that make the ports and addresses in the table exactly these; with `keepsAddresses`, other addresses stay.
    static func refill(_ contents: ProxyBypass.Contents, keepsAddresses: Bool) -> String {
        let sets = ["ports", "uplinks"] + (keepsAddresses ? [] : Family.all.map { "services\($0.suffix)" })
        return sets.map { "flush set inet \(table) \($0)\n" }.joined()
            + element("add", "ports", contents.ports.map(String.init))
            + element("add", "uplinks", contents.uplinks.map(String.init))
            + change(adding: contents.addresses.sorted(), removing: [])
    }

    /// Commands that add and remove addresses.
    static func change(adding: [IPv6Address], removing: [IPv6Address]) -> String {
        command("add", adding) + command("delete", removing)
    }

    private static func command(_ verb: String, _ addresses: [IPv6Address]) -> String {
        Family.all.map { family in
            element(
                verb, "services\(family.suffix)",
                addresses.filter(family.contains).map { $0.ipv4?.description ?? $0.description })
        }.joined()
    }

    /// A command about elements of a set; none without elements.
    private static func element(_ verb: String, _ set: String, _ elements: [String]) -> String {
        elements.isEmpty ? "" : "\(verb) element inet \(table) \(set) { \(elements.joined(separator: ", ")) }\n"
    }

    /// The rules of a family. In `prerouting`, before connection tracking:
    ///
    /// - requests, from any uplink to a port of the mesh;
    /// - answers, from a port of the mesh to any uplink, unless this node has translated the connection.
    ///
    /// In `tracked`, after it: ICMP errors and echo replies that belong to no connection that is tracked here. Connection tracking
    /// has found theirs if there is one; else it calls them invalid, as those about packets that were not tracked, and firewalls
    /// drop them.
    ///
    /// In `forward`: remembers connections to services whose destination this node has translated, as a gateway does that forwards a
    /// port of its public address to a service. Their answers must be translated back, so they must be tracked. A connection
    /// that connection tracking will forget soon, because it has no answer yet or is closed, is forgotten soon here, too. Where
    /// there is no room, an `update` ends its rule, and the packet gets to the counter.
    private static func rules(_ family: Family) -> String {
        let (header, suffix, icmp) = (family.header, family.suffix, family.icmp)
        let (services, translated) = ("@services\(suffix)", "@translated\(suffix)")
        let request = "meta l4proto . \(header) saddr . th sport . \(header) daddr . th dport"
        let answer = "meta l4proto . \(header) daddr . th dport . \(header) saddr . th sport"
        let answers = "iif @ports \(header) saddr \(services) fib daddr oif @uplinks"
        let remembering = [("\(header) daddr \(services)", request), ("\(header) saddr \(services)", answer)].map {
            """
            add rule inet \(table) forward \($0) meta l4proto != \(icmp.protocol) ct status dnat ct expiration > 3m update \(translated) { \($1) timeout 3h } return
            add rule inet \(table) forward \($0) meta l4proto != \(icmp.protocol) ct status dnat update \(translated) { \($1) timeout 3m } return

            """
        }
        return """
            add rule inet \(table) prerouting iif @uplinks \(header) daddr \(services) fib daddr oif @ports notrack
            add rule inet \(table) prerouting \(answers) meta l4proto != \(icmp.protocol) \(answer) != \(translated) notrack
            add rule inet \(table) tracked iif @ports \(icmp.header) type \(icmp.errors) ct state invalid fib daddr oif @uplinks notrack
            add rule inet \(table) tracked \(answers) \(icmp.header) type echo-reply ct state invalid notrack
            \(remembering.joined())add rule inet \(table) forward \(header) daddr \(services) meta l4proto != \(icmp.protocol) ct status dnat counter name \(counter)

            """
    }
}
