public import Addressing
internal import OSPF
internal import OSPFPacket
internal import ShortestPath

/// A link or router whose failure alone cuts routers off from each other.
public struct SinglePointOfFailure: Hashable, Sendable {
    /// What fails.
    public enum Cause: Hashable, Sendable {
        case router(RouterID)
        case link(ModelLink)
    }

    public var cause: Cause
    /// The routers that are cut off from most of the others: all parts but the largest. In order.
    public var cutOff: [RouterID]
}

/// The result of failing everything once.
public struct SingleFailures: Sendable {
    /// The number of links and routers that were failed, one at a time.
    public var linkCount: Int
    public var routerCount: Int
    /// The routers in parts that do not reach each other even without a failure, the largest first.
    public var parts: [[RouterID]]
    /// Routers first, then links.
    public var points: [SinglePointOfFailure]
    /// Addresses that several routers may announce (VIPs) and that one does. In order.
    public var singleHolders: [(prefix: IPv6Prefix, holder: RouterID)]
}

extension MeshModel {
    /// Fails every router and every link once, by itself, and tells which of them cut others off.
    public mutating func singleFailures() -> SingleFailures {
        let links = allLinks()
        var map = Connections(graph(), links)
        var result = SingleFailures(
            linkCount: links.count, routerCount: routers.count, parts: map.parts, points: [], singleHolders: [])
        for router in routers {
            let cutOff = map.cutOff(without: router)
            if !cutOff.isEmpty { result.points.append(SinglePointOfFailure(cause: .router(router), cutOff: cutOff)) }
        }
        for (number, link) in links.enumerated() {
            let cutOff = map.cutOff(withoutLink: number)
            if !cutOff.isEmpty { result.points.append(SinglePointOfFailure(cause: .link(link), cutOff: cutOff)) }
        }
        let own = ownAddresses()
        result.singleHolders = announcers().filter { $0.value.count == 1 && $0.key.isHost && !own.contains($0.key) }
            .map { ($0.key, $0.value[0]) }.sorted { $0.0 < $1.0 }
        return result
    }

    /// The addresses that routers announce as their own (LA-bit, RFC 5340 §A.4.1.1).
    private func ownAddresses() -> Set<IPv6Prefix> {
        var result: Set<IPv6Prefix> = []
        for lsa in lsas.values {
            switch try? lsa.body() {
            case .intraAreaPrefix(let body):
                for entry in body.prefixes where entry.options.contains(.localAddress) { result.insert(entry.prefix) }
            case .ipv4Prefix(let body):
                for entry in body.prefixes where entry.options.contains(.localAddress) { result.insert(entry.prefix) }
            default: break
            }
        }
        return result
    }
}

/// Who is connected with whom by which links, for many searches.
private struct Connections {
    private let routers: [RouterID]
    private let places: [RouterID: Int]
    private let isTransit: [Bool]
    /// The links of each router: the other router and the number of the link. A segment connects each two of its routers.
    private let neighbors: [[(router: Int, link: Int)]]
    /// The part of the mesh that each router is in.
    private var part: [Int] = []
    /// Kept from search to search.
    private var waiting: [Int] = []

    init(_ area: AreaGraph, _ links: [ModelLink]) {
        let all = area.routers.keys.sorted()
        let places = Dictionary(uniqueKeysWithValues: all.enumerated().map { ($1, $0) })
        self.places = places
        var lists = [[(router: Int, link: Int)]](repeating: [], count: all.count)
        for (number, link) in links.enumerated() {
            for end in link.ends {
                guard let place = places[end.port.router] else { continue }
                for other in link.ends where other.port != end.port {
                    if let peer = places[other.port.router] { lists[place].append((peer, number)) }
                }
            }
        }
        routers = all
        isTransit = all.map { area.graph.isTransit(area.routers[$0]!) }
        neighbors = lists
        part = parts(withoutRouter: nil, withoutLink: nil)
    }

    /// The part of each transit router, numbered from 0; −1 for the router that is left out, and for those that forward nothing.
    private mutating func parts(withoutRouter absent: Int?, withoutLink link: Int?) -> [Int] {
        var result = [Int](repeating: -1, count: routers.count)
        var count = 0
        for start in routers.indices where isTransit[start] && result[start] < 0 && start != absent {
            result[start] = count
            waiting.append(start)
            while let router = waiting.popLast() {
                for (peer, number) in neighbors[router]
                where number != link && result[peer] < 0 && peer != absent && isTransit[peer] {
                    result[peer] = count
                    waiting.append(peer)
                }
            }
            count += 1
        }
        return result
    }

    /// The routers in parts, the largest first, each in order. A router that forwards nothing is in the part of a neighbor.
    var parts: [[RouterID]] {
        var members: [Int: [RouterID]] = [:]
        var alone: [[RouterID]] = []
        for router in routers.indices {
            let neighbor = neighbors[router].first { isTransit[$0.router] }?.router
            if let place = isTransit[router] ? router : neighbor {
                members[part[place], default: []].append(routers[router])
            } else {
                alone.append([routers[router]])
            }
        }
        return (members.values + alone).sorted { $0.count != $1.count ? $0.count > $1.count : $0[0] < $1[0] }
    }

    /// The routers that are cut off if a router fails.
    mutating func cutOff(without router: RouterID) -> [RouterID] {
        guard let place = places[router], isTransit[place] else { return [] }
        return separated(parts(withoutRouter: place, withoutLink: nil), withoutRouter: place, withoutLink: nil)
    }

    /// The routers that are cut off if a link fails.
    mutating func cutOff(withoutLink number: Int) -> [RouterID] {
        separated(parts(withoutRouter: nil, withoutLink: number), withoutRouter: nil, withoutLink: number)
    }

    /// The routers that do not reach the largest rest of a part any more that they reached.
    private func separated(_ now: [Int], withoutRouter absent: Int?, withoutLink link: Int?) -> [RouterID] {
        // By the old part, the number of transit routers in each new one.
        var sizes: [Int: [Int: Int]] = [:]
        for router in routers.indices where now[router] >= 0 {
            sizes[part[router], default: [:]][now[router], default: 0] += 1
        }
        // Of equally large ones, the one with the lowest number has the lowest router.
        let largest = sizes.mapValues { pieces in pieces.max { ($0.value, $1.key) < ($1.value, $0.key) }!.key }
        return routers.indices.filter { router in
            guard router != absent else { return false }
            if isTransit[router] { return largest[part[router]] != now[router] }
            // What forwards nothing is at the end of its links, and reaches the parts of its neighbors.
            var (before, after): (Set<Int>, Set<Int>) = ([], [])
            for (peer, number) in neighbors[router] where isTransit[peer] && peer != absent {
                before.insert(part[peer])
                if number != link { after.insert(now[peer]) }
            }
            return before.contains { largest[$0].map { !after.contains($0) } ?? false }
        }.map { routers[$0] }
    }
}
