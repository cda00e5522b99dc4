public import Addressing
internal import FoundationEssentials

/// An IPv6 route in the kernel, as `ip` shows it, whichever router installed it.
public struct KernelRoute: Hashable, Sendable {
    /// The destination.
    public var prefix: IPv6Prefix
    /// The next hops; empty if the next-hop object of the route was not found.
    public var nextHops: Set<NextHop>
    /// The next hop that takes over when the only other one goes: the one of weight 1 beside one of the largest weight.
    public var backup: NextHop?
    /// The protocol of the program that added it, as `ip route` shows it: `71`, `ospf`, `bird`, …
    public var proto: String
    /// The kernel's metric, not that of OSPF; 0 if `ip` shows none.
    public var metric: Int
    /// The preferred source address, if any.
    public var preferredSource: IPv6Address?
    /// The ID of its next-hop object, if any.
    public var nextHopID: Int?

    public struct NextHop: Hashable, Sendable, Comparable, CustomStringConvertible {
        /// The gateway; `nil` if the destination itself is on the link.
        public var gateway: IPv6Address?
        /// The name of the port.
        public var device: String

        public init(gateway: IPv6Address?, device: String) {
            self.gateway = gateway
            self.device = device
        }

        /// By port, then by gateway, as text.
        public static func < (left: NextHop, right: NextHop) -> Bool { left.description < right.description }

        /// The port, and the gateway if there is one.
        public var description: String { device + (gateway.map { " \($0)" } ?? "") }
    }
}

extension Lab {
    /// The unicast IPv6 routes in a node's main table, without those that the kernel added by itself or because of router
    /// advertisements.
    public func kernelRoutes(of node: String) throws(LabError) -> [KernelRoute] {
        let ip = ["ip", "-n", namespace(of: node).name, "-j"]
        let routes: [RouteJSON] = try Self.decode(try Command(ip + ["-6", "route", "show", "table", "main"]).run())
        var objects: [Int: NextHopJSON] = [:]
        if routes.contains(where: { $0.nhid != nil && $0.nexthops == nil && $0.dev == nil }) {
            // Without `-6`: next-hop groups belong to no address family, so a query for IPv6 would omit them.
            let found: [NextHopJSON] = try Self.decode(try Command(ip + ["nexthop", "show"]).run())
            objects = Dictionary(found.map { ($0.id, $0) }) { $1 }
        }
        return routes.compactMap { $0.route(objects) }
    }

    /// The next hops by prefix; if a prefix has several routes, those of the one that the kernel prefers (the lowest metric).
    public func kernelNextHops(of node: String) throws(LabError) -> [IPv6Prefix: Set<KernelRoute.NextHop>] {
        let routes = try kernelRoutes(of: node).sorted { $0.metric > $1.metric }
        return Dictionary(routes.map { ($0.prefix, $0.nextHops) }) { $1 }
    }

    /// Decodes the output of `ip -j`.
    static func decode<Value: Decodable>(_ text: String) throws(LabError) -> [Value] {
        // If there is nothing to show, some versions of ip print nothing at all.
        if text.allSatisfy(\.isWhitespace) { return [] }
        do { return try JSONDecoder().decode([Value].self, from: Data(text.utf8)) } catch {
            throw LabError("Cannot parse the output of ip: \(error)\n\(text)")
        }
    }
}

/// A route in the output of `ip -j route show`.
private struct RouteJSON: Decodable {
    struct Hop: Decodable {
        var gateway: String?
        var dev: String
        var flags: [String]?
        var weight: Int?
    }
    var type: String?
    var dst: String
    var gateway: String?
    var dev: String?
    var nexthops: [Hop]?
    var nhid: Int?
    var `protocol`: String?
    var metric: Int?
    var prefsrc: String?

    /// The route; `nil` if the kernel added it by itself or because of a router advertisement, or if it is not unicast.
    /// `objects` are the next-hop objects by ID.
    func route(_ objects: [Int: NextHopJSON]) -> KernelRoute? {
        guard type == nil || type == "unicast", let proto = `protocol`, proto != "kernel", proto != "ra" else {
            return nil
        }
        let text = dst == "default" ? "::/0" : dst.contains("/") ? dst : dst + "/128"
        guard let prefix = IPv6Prefix(text) else { return nil }
        var hops: Set<KernelRoute.NextHop> = []
        var backup: KernelRoute.NextHop?
        /// Adds a next hop, or sets the backup.
        func add(_ gateway: String?, _ device: String, isBackup: Bool) {
            let hop = KernelRoute.NextHop(gateway: gateway.flatMap { IPv6Address($0) }, device: device)
            if isBackup { backup = hop } else { hops.insert(hop) }
        }
        if let nexthops {
            let place = Self.placeOfBackup(nexthops.map(\.weight))
            for (index, hop) in nexthops.enumerated() { add(hop.gateway, hop.dev, isBackup: index == place) }
        } else if let dev {
            add(gateway, dev, isBackup: false)
        } else if let nhid, let object = objects[nhid] {
            let members = object.group ?? [NextHopJSON.Member(id: nhid)]
            let place = Self.placeOfBackup(members.map(\.weight))
            for (index, member) in members.enumerated() {
                guard let single = objects[member.id], let dev = single.dev else { continue }
                add(single.gateway, dev, isBackup: index == place)
            }
        }
        return KernelRoute(
            prefix: prefix, nextHops: hops, backup: backup, proto: proto, metric: metric ?? 0,
            preferredSource: prefsrc.flatMap { IPv6Address($0) }, nextHopID: nhid)
    }
}

extension RouteJSON {
    /// Which of two weights is that of a backup: beside 65,535, of which versions of `ip` before 6.12 see only the lower octet.
    fileprivate static func placeOfBackup(_ weights: [Int?]) -> Int? {
        let weights = weights.map { $0 ?? 1 }
        return weights.count == 2 && weights[0] >= 255 && weights[1] == 1 ? 1 : nil
    }
}

/// A next-hop object or group in the output of `ip -j nexthop show`.
private struct NextHopJSON: Decodable {
    struct Member: Decodable {
        var id: Int
        var weight: Int?
    }
    var id: Int
    var group: [Member]?
    var gateway: String?
    var dev: String?
}
