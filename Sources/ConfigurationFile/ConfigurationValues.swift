import Addressing
internal import MeshConfiguration
import Services
import Yams

/// Readers of single values. Each returns the value, or throws a ``Complaint`` that says what is wrong or what a valid value
/// is.
enum Read {
    /// Any scalar, as text.
    static func text(_ node: Node) throws -> String {
        guard case .scalar(let scalar) = node else { throw Complaint("must be a text, not \(node.kindInWords)") }
        return scalar.string
    }

    /// A text of 1 to `length` octets without ASCII control characters.
    static func name(_ node: Node, upTo length: Int = 255) throws -> String {
        let text = try text(node)
        guard !text.isEmpty, text.utf8.count <= length,
            text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7f })
        else { throw Complaint("must be 1 to \(length) octets of plain text") }
        return text
    }

    static func boolean(_ node: Node) throws -> Bool {
        switch try text(node) {
        case "true", "yes", "on": return true
        case "false", "no", "off": return false
        default: throw Complaint("must be true or false, not \(node.kindInWords)")
        }
    }

    static func integer<Number: FixedWidthInteger>(_ node: Node, in range: ClosedRange<Number>) throws -> Number {
        guard let value = Number(try text(node)), range.contains(value) else {
            throw Complaint(
                "must be a whole number from \(range.lowerBound) to \(range.upperBound), not \(node.kindInWords)")
        }
        return value
    }

    static func duration(_ node: Node, in range: ClosedRange<Duration>) throws -> Duration {
        let text = try text(node)
        guard let value = Duration(configurationText: text) else {
            let unitless = !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
            throw Complaint(
                "\"\(text.prefix(40))\" is not a duration",
                hint: unitless
                    ? "add the unit: \(text.prefix(9))s or \(text.prefix(9))ms" : "for example 500ms, 1s, 1.5s, 2m")
        }
        guard range.contains(value) else {
            throw Complaint(
                "\(text) is out of range",
                hint: "from \(range.lowerBound.configurationText) to \(range.upperBound.configurationText)")
        }
        return value
    }

    /// A duration that OSPF carries in whole seconds.
    static func wholeSeconds(_ node: Node) throws -> Duration {
        let value = try duration(node, in: .seconds(1) ... .seconds(65535))
        guard value.components.attoseconds == 0 else {
            throw Complaint(
                "must be whole seconds, not \(value.configurationText), because OSPF packets carry whole seconds")
        }
        return value
    }

    /// A prefix of either family; that of IPv4 in its mapped form.
    static func prefix(_ node: Node) throws -> IPv6Prefix {
        let text = try text(node)
        if let prefix = IPv6Prefix(text) { return prefix }
        if let address = IPv6Address(text) {
            throw Complaint("the length is missing", hint: "write \(IPv6Prefix(host: address)) for one address")
        }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        if parts.count == 2, let address = IPv6Address(String(parts[0])), let length = Int(parts[1]), length >= 0,
            length <= (address.ipv4 == nil ? 128 : 32)
        {
            let prefix = IPv6Prefix(address, length: address.ipv4 == nil ? length : 96 + length)
            throw Complaint("\(text) has bits set after its length", hint: "did you mean \(prefix)?")
        }
        throw Complaint(
            "\"\(text.prefix(60))\" is not a prefix", hint: "for example 2001:db8:1::/64 or 192.0.2.0/24")
    }

    /// A prefix that may be announced, also a default route: not link-local or multicast, not `::/128` or `::1/128`, and, of
    /// IPv4, not reserved.
    static func unicastPrefix(_ node: Node) throws -> IPv6Prefix {
        let prefix = try prefix(node)
        let isSpecial = prefix.isHost && (prefix.address == .unspecified || prefix.address == .loopback)
        guard !isSpecial, !prefix.address.isLinkLocal, !prefix.address.isMulticast, prefix.ipv4?.isReserved != true
        else {
            throw Complaint("\(prefix) cannot be routed: it is link-local, loopback, multicast or reserved")
        }
        return prefix
    }

    /// A range of cluster IPs: not so short that it contains addresses of others.
    static func serviceRange(_ node: Node) throws -> IPv6Prefix {
        let prefix = try unicastPrefix(node)
        guard prefix.canBeServiceRange else {
            throw Complaint("\(prefix) is too short for a range of cluster IPs", hint: "at least /8, or /32 for IPv6")
        }
        return prefix
    }

    static func ipv6Prefix(_ node: Node) throws -> IPv6Prefix {
        let prefix = try unicastPrefix(node)
        guard prefix.ipv4 == nil else { throw Complaint("\(prefix) is an IPv4 prefix; an IPv6 prefix is needed") }
        return prefix
    }

    static func ipv4Address(_ node: Node) throws -> IPv4Address {
        let address = try address(node)
        guard let ipv4 = address.ipv4 else { throw Complaint("\(address) is not an IPv4 address") }
        return ipv4
    }

    /// A pool, the same on all nodes, from which each node assigns itself a prefix of `length`.
    static func pool(_ node: Node, length: Int) throws -> PrefixPool {
        let base = try unicastPrefix(node)
        guard let ipv4 = base.ipv4 else { throw Complaint("\(base) is not an IPv4 prefix") }
        guard let pool = PrefixPool(base: ipv4, length: length) else {
            throw Complaint("\(ipv4) must have room for prefixes of length /\(length), at most 65536 of them")
        }
        return pool
    }

    /// A routable address, or a prefix with one address (`/32` or `/128`).
    static func address(_ node: Node) throws -> IPv6Address {
        let text = try text(node)
        let prefix = IPv6Prefix(text).flatMap { $0.isHost ? $0 : nil }
        guard let address = prefix?.address ?? IPv6Address(text) else {
            throw Complaint(
                "\"\(text.prefix(60))\" is not an address", hint: "for example 2001:db8::1 or 192.0.2.1")
        }
        guard address.isRoutable else { throw Complaint("\(address) is not an address that can be routed") }
        return address
    }

    static func routerID(_ node: Node) throws -> RouterID {
        guard let value = RouterID(try text(node)) else {
            throw Complaint("\(node.kindInWords) is not a router ID", hint: "four numbers, as in 10.0.0.1")
        }
        guard value != .none else {
            throw Complaint("0.0.0.0 is not a router ID", hint: "without the key, one is derived")
        }
        return value
    }

    static func area(_ node: Node) throws -> AreaID {
        guard let value = AreaID(try text(node)) else {
            throw Complaint("\(node.kindInWords) is not an area", hint: "a number, or four with dots, as in 0.0.0.0")
        }
        return value
    }

    static func endpoint(_ node: Node) throws -> Endpoint {
        guard let value = Endpoint(try text(node)) else {
            throw Complaint(
                "\(node.kindInWords) is not an address with a port", hint: "for example [::1]:9179 or 127.0.0.1:9179")
        }
        return value
    }

    static func absolutePath(_ node: Node) throws -> String {
        let text = try text(node)
        guard text.hasPrefix("/"), !text.hasSuffix("/"), !text.utf8.contains(0) else {
            throw Complaint("\(node.kindInWords) is not an absolute path of a file")
        }
        return text
    }

    /// The value that belongs to the word, which must be one of `words`.
    static func word<Value>(_ node: Node, _ words: KeyValuePairs<String, Value>) throws -> Value {
        let text = try text(node)
        if let match = words.first(where: { $0.key == text }) { return match.value }
        let known = words.map(\.key)
        let hint = Suggestion.nearest(to: text, among: known).map { "did you mean \"\($0)\"?" }
        throw Complaint("\(node.kindInWords) is not one of \(known.joined(separator: ", "))", hint: hint)
    }
}
