internal import Addressing
internal import Node

/// The commands for our nftables table, and what its listing says.
///
/// Packets in transit to and from addresses of services are not tracked (`notrack`). Neither the translations of kube-proxy nor
/// its rules for addresses without endpoints apply to packets that are not tracked: the former need a tracked connection, the
/// latter match new connections only. The same holds for the rules of its iptables mode.
enum BypassRules {
    /// The name of the table, in the family `inet`.
    static let table = "kubermesh_bypass"
    static let qualifiedTable = "inet \(table)"

    /// One family of addresses, as nftables names it.
    private struct Family {
        /// The suffix of names of sets.
        let suffix: String
        /// The header with the addresses.
        let header: String
        let addressType: String
        /// Matches errors of ICMP that quote the packet to which they belong.
        let quotingErrors: String
        /// The destination address of the packet that an error quotes, as a range of bits of the ICMP message.
        let quotedDestination: String

        static let ipv6 = Family(
            suffix: "6", header: "ip6", addressType: "ipv6_addr", quotingErrors: "icmpv6 type { 1, 2, 3, 4 }",
            // After 8 octets of ICMPv6 and 24 of the IPv6 header.
            quotedDestination: "@th,256,128")
        static let ipv4 = Family(
            suffix: "4", header: "ip", addressType: "ipv4_addr", quotingErrors: "icmp type { 3, 11, 12 }",
            // After 8 octets of ICMP and 16 of the IPv4 header.
            quotedDestination: "@th,192,32")
    }

    /// Commands that replace the table, whatever is in it, by one with these contents. The first line makes the second valid if
    /// there is no table.
    static func replacement(_ contents: ProxyBypass.Contents) -> String {
        let addresses = contents.addresses.sorted()
        let (ipv4, ipv6) = (addresses.filter { $0.ipv4 != nil }, addresses.filter { $0.ipv4 == nil })
        let pods = contents.pods.map { pod in pod.ipv4.map { (true, "\($0)") } ?? (false, "\(pod)") }
        // In nftables, `*` at the end is a wildcard, and there is no way to write a quotation mark.
        let ports = contents.ports.filter { !$0.contains { "\"\\*".contains($0) } }.map { "\"\($0)\"" }
        let kinds = ProxyBypass.containerKinds.map { "\"\($0)\"" }.joined(separator: ", ")
        return """
            add table \(qualifiedTable)
            delete table \(qualifiedTable)
            table \(qualifiedTable) {
                set ports { type ifname\(elements(ports.joined(separator: ", "))); }
            \(sets(.ipv6, ipv6, pods: pods.filter { !$0.0 }.map(\.1)))
            \(sets(.ipv4, ipv4, pods: pods.filter(\.0).map(\.1)))
                chain prerouting {
                    type filter hook prerouting priority raw
                    meta iifkind { \(kinds) } iifname != @ports return
            \(rules(.ipv6))
            \(rules(.ipv4))
                }
                chain forward {
                    type filter hook forward priority filter
            \(translationRule(.ipv6))
            \(translationRule(.ipv4))
                }
            }

            """
    }

    /// Commands that add and remove addresses.
    static func change(adding: [IPv6Address], removing: [IPv6Address]) -> String {
        command("add", adding) + command("delete", removing)
    }

    private static func command(_ verb: String, _ addresses: [IPv6Address]) -> String {
        [(Family.ipv6, addresses.filter { $0.ipv4 == nil }), (.ipv4, addresses.filter { $0.ipv4 != nil })]
            .filter { !$1.isEmpty }.map { family, addresses in
                """
                \(verb) element \(qualifiedTable) services\(family.suffix) { \(list(addresses)) }
                \(verb) element \(qualifiedTable) quoted\(family.suffix) { \(quotedList(addresses)) }

                """
            }.joined()
    }

    private static func list(_ addresses: [IPv6Address]) -> String {
        addresses.map { $0.ipv4?.description ?? $0.description }.joined(separator: ", ")
    }

    /// The addresses as numbers, the form of a range of bits in nftables.
    private static func quotedList(_ addresses: [IPv6Address]) -> String {
        func hexadecimal(_ value: UInt64) -> String {
            let digits = String(value, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
        return addresses.map { address in
            address.ipv4.map { "\($0.rawValue)" } ?? "0x\(hexadecimal(address.high))\(hexadecimal(address.low))"
        }.joined(separator: ", ")
    }

    private static func elements(_ text: String) -> String { text.isEmpty ? "" : "; elements = { \(text) }" }

    private static func sets(_ family: Family, _ addresses: [IPv6Address], pods: [String]) -> String {
        return """
                set pods\(family.suffix) { type \(family.addressType); flags interval\(elements(pods.joined(separator: ", "))) }
                set services\(family.suffix) { type \(family.addressType)\(elements(list(addresses))) }
                set quoted\(family.suffix) { typeof \(family.quotedDestination)\(elements(quotedList(addresses))) }
                set translated\(family.suffix) {
                    type \(family.addressType) . \(family.addressType); flags dynamic, timeout; timeout 5d; size 65536
                }
            """
    }

    /// The rules for packets that are received. Packets of this node's pods stay tracked, so that policies for pods and the
    /// service proxy work for them: here by their addresses, before by the device that they come from. Packets from a service to a client stay tracked if this node has translated the connection
    /// (``translationRule(_:)``). The last rule is for errors about packets to a service, such as “packet too big”, which
    /// connection tracking would call invalid.
    private static func rules(_ family: Family) -> String {
        let header = family.header
        let (services, pods) = ("@services\(family.suffix)", "@pods\(family.suffix)")
        return """
                    \(header) saddr \(pods) return
                    \(header) daddr \(pods) return
                    \(header) daddr \(services) fib daddr type != local notrack
                    \(header) saddr \(services) fib daddr type != local \(header) daddr . \(header) saddr != @translated\(family.suffix) notrack
                    \(family.quotingErrors) \(family.quotedDestination) @quoted\(family.suffix) fib daddr type != local notrack
            """
    }

    /// Remembers connections to services whose destination this node has translated, as a gateway does that forwards a port of
    /// its public address to a service: their answers must be translated back, so they must be tracked. The time to live is
    /// that of established TCP connections in connection tracking.
    private static func translationRule(_ family: Family) -> String {
        let header = family.header
        return """
                    \(header) daddr @services\(family.suffix) ct status dnat update @translated\(family.suffix) { \(header) saddr . \(header) daddr }
            """
    }

    /// What `nft list table` says, apart from the elements themselves.
    struct Listing: Hashable {
        /// The lines without those of elements.
        private(set) var structure: [Substring] = []
        /// The number of elements of each set, except those that packets add (`translated`).
        private(set) var counts: [Substring: Int] = [:]

        init(_ text: String) {
            var set: Substring = ""
            var isInElements = false
            for line in text.split(separator: "\n") {
                let words = line.split(separator: " ").map { $0.drop { $0 == "\t" } }.filter { !$0.isEmpty }
                if words.first == "set", words.count > 1 { set = words[1] }
                if words.first == "elements" {
                    isInElements = true
                    counts[set] = 1
                }
                guard isInElements else {
                    structure.append(line)
                    continue
                }
                counts[set, default: 0] += line.utf8.count { $0 == UInt8(ascii: ",") }
                if words.last == "}" { isInElements = false }
            }
            counts = counts.filter { !$0.key.hasPrefix("translated") }
        }

        /// The number of elements of all sets.
        var count: Int { counts.values.reduce(0, +) }

        /// Notes that addresses were added and removed.
        mutating func count(adding: [IPv6Address], removing: [IPv6Address]) {
            for (addresses, step) in [(adding, 1), (removing, -1)] {
                for address in addresses {
                    for set in ["services", "quoted"] {
                        let name = Substring(set + (address.ipv4 == nil ? "6" : "4"))
                        counts[name, default: 0] += step
                        if counts[name] == 0 { counts[name] = nil }
                    }
                }
            }
        }
    }
}
