import Addressing
internal import MeshConfiguration
import Services
import Yams

extension Configuration {
    mutating func readPools(_ list: [(node: Node, key: String)], _ reader: ConfigurationReader) {
        var taken = addressesInUse
        for (node, key) in list {
            guard let pool = AddressPool(node, key: key, reader, besides: taken) else { continue }
            taken.append(Taken(by: "pool \"\(pool.name)\"", ranges: pool.ranges))
            if pools.contains(where: { $0.name == pool.name }) {
                reader.note(Complaint("another pool is named \"\(pool.name)\" already"), at: node, key: key)
            } else {
                pools.append(pool)
            }
        }
    }

    /// Addresses that other parts of the configuration use.
    private var addressesInUse: [Taken] {
        vips.map { Taken(by: "VIP \"\($0.name)\"", ranges: [AddressRange(IPv6Prefix(host: $0.address))]) }
            + ipv4Pools.map { Taken(by: $0.key, ranges: [AddressRange($0.base)]) }
    }

    /// The pools from which nodes assign themselves addresses and ranges.
    var ipv4Pools: [(key: String, base: IPv4Prefix)] {
        [("addressing.ipv4.nodes", addressing.ipv4.nodes), ("addressing.ipv4.pods", addressing.ipv4.pods)]
            .compactMap { key, pool in pool.map { (key, $0.base) } }
    }
}

extension AddressRange {
    /// All addresses of an IPv4 prefix.
    init(_ prefix: IPv4Prefix) { self.init(IPv6Prefix(prefix)) }
}

/// Addresses that are in use already, and what uses them, for people.
private struct Taken {
    var by: String
    var ranges: [AddressRange]
}

extension AddressPool {
    /// The maximum number of ranges in all pools. Each VIP and each IPv4 pool of `addressing` counts as one.
    private static let rangeLimit = 1000

    /// One entry of `pools`. A range that overlaps `taken`, or an earlier range of this pool, is a problem and left out.
    fileprivate init?(_ node: Node, key: String, _ reader: ConfigurationReader, besides taken: [Taken]) {
        guard let section = reader.section(node, key: key, keys: ["name", "addresses", "autoAssign"]) else {
            return nil
        }
        guard section.has("name"), section.has("addresses") else {
            section.note(
                Complaint(
                    "needs a \"name\" and \"addresses\"", hint: "for example addresses: [ 192.168.4.10-192.168.4.20 ]"))
            return nil
        }
        let name = section.value("name") { try Read.name($0, upTo: 63) }
        guard let name, let list = section.list("addresses") else { return nil }
        self.init(name: name, ranges: [])
        section.read("autoAssign", into: &assignsAutomatically, Read.boolean)
        for (node, key) in list {
            guard let range = reader.value(node, key: key, Read.range) else { continue }
            let others = taken + [Taken(by: "this pool", ranges: ranges)]
            if let other = others.first(where: { $0.ranges.contains { $0.overlaps(range) } }) {
                reader.note(Complaint("\(range) overlaps what \(other.by) has already"), at: node, key: key)
            } else if others.reduce(0, { $0 + $1.ranges.count }) < Self.rangeLimit {
                ranges.append(range)
            } else {
                reader.note(Complaint("more than \(Self.rangeLimit) ranges", hint: "join some"), at: node, key: key)
                return
            }
        }
        if list.isEmpty { section.note(Complaint("has no address"), at: "addresses") }
    }
}

extension Read {
    /// A range of addresses: a prefix, a first and a last address, or a single one.
    static func range(_ node: Node) throws -> AddressRange {
        let text = try text(node)
        guard !text.contains("/") else {
            let prefix = try unicastPrefix(node)
            guard !prefix.isDefault else { throw Complaint("\(prefix) contains all addresses") }
            return AddressRange(prefix)
        }
        let ends = try text.split(separator: "-", omittingEmptySubsequences: false).map { end in
            try address(Node(end.filter { $0 != " " }.description))
        }
        guard ends.count <= 2, let first = ends.first, let last = ends.last else {
            throw Complaint("\(node.kindInWords) is not a range", hint: "for example 192.168.4.10-192.168.4.20")
        }
        guard let range = AddressRange(first, last) else {
            throw Complaint(
                "\(first) and \(last) are not a range: the lower address comes first, and both are of one family")
        }
        return range
    }
}
