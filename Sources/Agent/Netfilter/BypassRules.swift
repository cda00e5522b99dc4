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

    /// One family of addresses, as nftables names it.
    private struct Family: Sendable {
        /// The suffix of names of sets.
        let suffix: String
        /// The header with the addresses.
        let header: String
        let addressType: String
        /// Matches errors of ICMP that quote the packet to which they belong.
        let quotingErrors: String
        /// The destination address of the packet that an error quotes, as a range of bits of the ICMP message.
        let quotedDestination: String

        static let all = [
            Family(
                suffix: "6", header: "ip6", addressType: "ipv6_addr", quotingErrors: "icmpv6 type { 1, 2, 3, 4 }",
                // After 8 octets of ICMPv6 and 24 of the IPv6 header.
                quotedDestination: "@th,256,128"),
            Family(
                suffix: "4", header: "ip", addressType: "ipv4_addr", quotingErrors: "icmp type { 3, 11, 12 }",
                // After 8 octets of ICMP and 16 of the IPv4 header.
                quotedDestination: "@th,192,32"),
        ]

        func contains(_ address: IPv6Address) -> Bool { (address.ipv4 == nil) == (suffix == "6") }
    }

    /// How many connections and clients the table remembers: as many as connection tracking does by default.
    private static let mostConnections = 262_144

    /// Commands that make the table with these contents. The connections that an existing table remembers stay.
    static func update(_ contents: ProxyBypass.Contents) -> String {
        let sets = Family.all.map { family in
            """
            add set inet \(table) services\(family.suffix) { type \(family.addressType); }
            add set inet \(table) quoted\(family.suffix) { typeof \(family.quotedDestination); }
            add set inet \(table) translated\(family.suffix) { type inet_proto . \(family.addressType) . inet_service . \(family.addressType) . inet_service; flags dynamic, timeout; size \(mostConnections); }
            add set inet \(table) clients\(family.suffix) { type \(family.addressType); flags dynamic, timeout; size \(mostConnections); }

            """
        }
        return """
            add table inet \(table)
            add set inet \(table) ports { type iface_index; }
            add set inet \(table) uplinks { type iface_index; }
            \(sets.joined())flush set inet \(table) ports
            flush set inet \(table) uplinks
            \(element("add", "ports", contents.ports.map(String.init)))\(element("add", "uplinks", contents.uplinks.map(String.init)))\(refill(contents.addresses))add chain inet \(table) prerouting { type filter hook prerouting priority raw; }
            add chain inet \(table) forward { type filter hook forward priority filter; }
            flush chain inet \(table) prerouting
            flush chain inet \(table) forward
            \(Family.all.map { rules($0) }.joined())
            """
    }

    /// Commands that replace the table, whatever is in it.
    static func replacement(_ contents: ProxyBypass.Contents) -> String {
        // The first line makes the second valid if there is no table.
        "add table inet \(table)\ndelete table inet \(table)\n" + update(contents)
    }

    /// Commands that make the addresses in the table exactly these.
    static func refill(_ addresses: Set<IPv6Address>) -> String {
        Family.all.map {
            "flush set inet \(table) services\($0.suffix)\nflush set inet \(table) quoted\($0.suffix)\n"
        }.joined() + command("add", addresses.sorted())
    }

    /// Commands that add and remove addresses.
    static func change(adding: [IPv6Address], removing: [IPv6Address]) -> String {
        command("add", adding) + command("delete", removing)
    }

    private static func command(_ verb: String, _ addresses: [IPv6Address]) -> String {
        Family.all.map { family in
            let addresses = addresses.filter(family.contains)
            return element(verb, "services\(family.suffix)", addresses.map { $0.ipv4?.description ?? $0.description })
                + element(verb, "quoted\(family.suffix)", addresses.map(number))
        }.joined()
    }

    /// A command about elements of a set; none without elements.
    private static func element(_ verb: String, _ set: String, _ elements: [String]) -> String {
        elements.isEmpty ? "" : "\(verb) element inet \(table) \(set) { \(elements.joined(separator: ", ")) }\n"
    }

    /// An address as a number, the form of a range of bits in nftables.
    private static func number(_ address: IPv6Address) -> String {
        if let ipv4 = address.ipv4 { return "\(ipv4.rawValue)" }
        return "0x"
            + [address.high, address.low].map { half in
                let digits = String(half, radix: 16)
                return String(repeating: "0", count: 16 - digits.count) + digits
            }.joined()
    }

    /// The rules of a family. In `prerouting`:
    ///
    /// - requests, from any uplink to a port of the mesh;
    /// - answers, from a port of the mesh to any uplink, unless this node has translated the connection;
    /// - errors about requests, such as “packet too big”, which connection tracking would call invalid, unless their receiver
    ///   has a connection that this node has translated.
    ///
    /// In `forward`: remembers connections to services whose destination this node has translated, as a gateway does that forwards a
    /// port of its public address to a service. Their answers must be translated back, so they must be tracked. As in
    /// connection tracking, a connection without an answer is forgotten soon.
    private static func rules(_ family: Family) -> String {
        let (header, suffix) = (family.header, family.suffix)
        let services = "@services\(suffix)"
        let connection = "meta l4proto . \(header) saddr . th sport . \(header) daddr . th dport"
        return """
            add rule inet \(table) prerouting iif @uplinks \(header) daddr \(services) fib daddr oif @ports notrack
            add rule inet \(table) prerouting iif @ports \(header) saddr \(services) fib daddr oif @uplinks meta l4proto . \(header) daddr . th dport . \(header) saddr . th sport != @translated\(suffix) notrack
            add rule inet \(table) prerouting iif @ports \(family.quotingErrors) \(family.quotedDestination) @quoted\(suffix) fib daddr oif @uplinks \(header) daddr != @clients\(suffix) notrack
            add rule inet \(table) forward \(header) daddr \(services) ct status dnat ct state new update @translated\(suffix) { \(connection) timeout 2m }
            add rule inet \(table) forward \(header) daddr \(services) ct status dnat ct state established update @translated\(suffix) { \(connection) timeout 3h } update @clients\(suffix) { \(header) saddr timeout 3h }

            """
    }
}
