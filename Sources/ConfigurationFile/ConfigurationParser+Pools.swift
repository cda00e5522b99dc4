import Addressing
internal import MeshConfiguration
import Services
import Yams

extension Configuration {
    mutating func readPools(_ list: [(node: Node, key: String)], _ reader: ConfigurationReader) {
        var taken = addressesInUse
        var names: Set<String> = []
        for (node, key) in list {
            guard let pool = AddressPool(node, key: key, reader, besides: &taken) else { continue }
            if names.insert(pool.name).inserted {
                pools.append(pool)
            } else {
                reader.note(Complaint("another pool is named \"\(pool.name)\" already"), at: node, key: key)
            }
        }
    }

    /// The addresses of VIPs, and those of ``ipv4Pools``.
    private var addressesInUse: AddressesInUse {
        AddressesInUse(
            vips.map { (AddressRange(IPv6Prefix(host: $0.address)), "VIP \"\($0.name)\"") }
                + ipv4Pools.map { (AddressRange($0.base), $0.key) })
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

/// Addresses that are in use already, and what uses them, as text. There may be thousands, so the ranges are sorted.
private struct AddressesInUse {
    /// Ascending. They overlap only where the configuration is refused anyway.
    private var uses: [(range: AddressRange, user: String)]

    init(_ uses: [(range: AddressRange, user: String)]) { self.uses = uses.sorted { $0.range.first < $1.range.first } }

    var count: Int { uses.count }

    /// What uses an address of the range; `nil` if all are free.
    func user(of range: AddressRange) -> String? {
        let following = index(after: range.last)
        guard following > 0, uses[following - 1].range.overlaps(range) else { return nil }
        return uses[following - 1].user
    }

    mutating func insert(_ range: AddressRange, _ user: String) {
        uses.insert((range, user), at: index(after: range.last))
    }

    /// The number of ranges that begin at an address or below it.
    private func index(after address: IPv6Address) -> Int {
        var candidates = 0..<uses.count
        while !candidates.isEmpty {
            let middle = (candidates.lowerBound + candidates.upperBound) / 2
            candidates =
                uses[middle].range.first <= address
                ? middle + 1..<candidates.upperBound : candidates.lowerBound..<middle
        }
        return candidates.lowerBound
    }
}

extension AddressPool {
    /// The maximum number of ranges in all pools. Each VIP and each IPv4 pool of `addressing` counts as one.
    private static let rangeLimit = 1000

    /// One entry of `pools`. A range that overlaps addresses in use, among them earlier ranges of this pool, is a problem and
    /// left out.
    fileprivate init?(
        _ node: Node, key: String, _ reader: ConfigurationReader, besides taken: inout AddressesInUse
    ) {
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
            if let user = taken.user(of: range) {
                let who = user == Self.user(name) ? "this pool" : user
                reader.note(Complaint("\(range) overlaps what \(who) has already"), at: node, key: key)
            } else if taken.count < Self.rangeLimit {
                taken.insert(range, Self.user(name))
                ranges.append(range)
            } else {
                reader.note(Complaint("more than \(Self.rangeLimit) ranges", hint: "join some"), at: node, key: key)
                return
            }
        }
        if list.isEmpty { section.note(Complaint("has no address"), at: "addresses") }
    }

    private static func user(_ name: String) -> String { "pool \"\(name)\"" }
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
