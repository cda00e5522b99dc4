import Addressing
import OSPFPacket

@testable import OSPF

/// The routes that follow from a database, straight from the definitions and as simple as possible: plain dictionaries,
/// Bellman-Ford from the root and from each neighbor, every prefix on its own. It shares no code with the router's calculation.
struct RouteOracle {
    /// A ``Destination``. `announcers` and `nextHops` are sets, because their order is not the oracle's concern.
    struct Path: Equatable {
        var kind: PathKind
        var metric: Int
        var internalMetric: Int
        /// Whether the calculating router has the prefix itself.
        var isOwn = false
        /// 1 for an external path through a border router, and for any external path if the area is the backbone (RFC 2328
        /// §16.4.1).
        var preference = 0
        var announcers: Set<RouterID>
        var nextHops: Set<NextHop>
    }

    enum Node: Hashable {
        case router(RouterID)
        case network(RouterID, UInt32)
    }

    private let bodies: [LSAKey: LSABody]
    private let root: RouterID
    private let isBackbone: Bool
    private let neighbors: [UsableNeighbor]
    private var routers: [RouterID: [(UInt32, RouterLSA)]] = [:]
    private var edges: [(from: Node, to: Node, cost: Int)] = []
    /// The links of the root that both ends have.
    private var rootLinks: [(link: RouterLSA.Link, to: Node)] = []
    /// From the root and from each neighbor, to every node.
    private var distances: [Node: [Node: Int]] = [:]

    init(_ bodies: [LSAKey: LSABody], root: RouterID, neighbors: [UsableNeighbor], isBackbone: Bool = true) {
        self.isBackbone = isBackbone
        self.bodies = bodies
        self.root = root
        self.neighbors = neighbors
        for (key, body) in bodies {
            if case .router(let router) = body {
                routers[key.advertisingRouter, default: []].append((key.linkStateID, router))
            }
        }
        for router in routers.keys { routers[router]!.sort { $0.0 < $1.0 } }
        makeEdges()
        for router in Set(neighbors.map(\.routerID)).union([root]) where routers[router] != nil {
            distances[.router(router)] = distances(from: .router(router), withoutLostLinks: true)
        }
    }

    /// Whether the router has a router-LSA, and the V6-bit in the one with the lowest link state ID, which counts for all.
    private func isPresent(_ router: RouterID) -> Bool { routers[router]?[0].1.options.contains(.v6) ?? false }

    private func links(_ router: RouterID) -> [RouterLSA.Link] {
        isPresent(router) ? routers[router]!.flatMap { $0.1.links } : []
    }

    /// Whether paths may lead through a node: not through a router with the R-bit clear.
    private func allowsTransit(through node: Node) -> Bool {
        if case .router(let router) = node { return routers[router]![0].1.options.contains(.r) }
        return true
    }

    /// The routers that a network-LSA lists; none if it is missing.
    private func attached(_ router: RouterID, _ interface: UInt32) -> [RouterID] {
        let key = LSAKey(type: .network, linkStateID: interface, advertisingRouter: router)
        if case .network(let network) = bodies[key] { return network.attachedRouters }
        return []
    }

    /// The links that both ends have. From a router an edge costs at least 1, from a network 0.
    private mutating func makeEdges() {
        for router in routers.keys {
            for link in links(router) {
                let target: Node
                if link.type == .transit {
                    guard attached(link.neighborRouterID, link.neighborInterfaceID).contains(router) else { continue }
                    target = .network(link.neighborRouterID, link.neighborInterfaceID)
                    edges.append((target, .router(router), 0))
                } else {
                    let hasReverseLink = links(link.neighborRouterID).contains {
                        $0.type != .transit && $0.neighborRouterID == router
                            && $0.interfaceID == link.neighborInterfaceID
                            && $0.neighborInterfaceID == link.interfaceID
                    }
                    guard hasReverseLink, link.neighborRouterID != router else { continue }
                    target = .router(link.neighborRouterID)
                }
                edges.append((.router(router), target, max(1, Int(link.metric))))
                if router == root { rootLinks.append((link, target)) }
            }
        }
    }

    /// Bellman-Ford: repeats until no edge shortens a path. What the root cannot send over any more is lost for all, and only not
    /// known to all yet.
    private func distances(from source: Node, withoutLostLinks: Bool = false) -> [Node: Int] {
        var result = [source: 0]
        var isSettled = false
        while !isSettled {
            isSettled = true
            for edge in edges where edge.from == source || allowsTransit(through: edge.from) {
                if withoutLostLinks, edge.from == .router(root), !isUsable(edge) { continue }
                guard let known = result[edge.from], known + edge.cost < result[edge.to] ?? .max else { continue }
                result[edge.to] = known + edge.cost
                isSettled = false
            }
        }
        return result
    }

    /// Whether the root can send over one of its edges: to a network always, to a router over a cable with a usable neighbor.
    private func isUsable(_ edge: (from: Node, to: Node, cost: Int)) -> Bool {
        guard case .router(let id) = edge.to else { return true }
        return rootLinks.contains { link, target in
            target == edge.to && max(1, Int(link.metric)) == edge.cost
                && neighbors.contains {
                    $0.interface == link.interfaceID && $0.routerID == id && $0.interfaceID == link.neighborInterfaceID
                }
        }
    }

    /// The distance between two routers; `nil` if there is no path.
    func distance(from source: RouterID, to target: RouterID) -> Int? {
        distances(from: .router(source))[.router(target)]
    }

    private func distance(_ node: Node) -> Int? {
        guard isPresent(root) else { return nil }
        return distances[.router(root)]?[node]
    }

    /// The neighbors over which a shortest path to `node` begins; for a network of the root, also the link itself.
    private func nextHops(_ node: Node) -> Set<NextHop> {
        var result: Set<NextHop> = []
        guard let total = distance(node) else { return [] }
        for (link, target) in rootLinks {
            let cost = max(1, Int(link.metric))
            for neighbor in neighbors where neighbor.interface == link.interfaceID {
                let router = Node.router(neighbor.routerID)
                switch target {
                case .router(let id):
                    guard neighbor.routerID == id, neighbor.interfaceID == link.neighborInterfaceID else { continue }
                case .network(let designated, let interface):
                    guard neighbor.routerID != root, edges.contains(where: { $0.from == target && $0.to == router })
                    else { continue }
                    if node == target, cost == total, attached(designated, interface).contains(root) {
                        result.insert(NextHop(onLink: link.interfaceID))
                    }
                }
                guard router == node || allowsTransit(through: router), let rest = distances[router]?[node] else {
                    continue
                }
                if cost + rest == total { result.insert(neighbor.nextHop) }
            }
        }
        return result
    }

    // MARK: Prefixes

    /// The expected route table: own prefixes and those without a next hop have no route.
    func routes() -> [IPv6Prefix: Path] {
        var pathsByPrefix: [IPv6Prefix: [Path]] = [:]
        for prefix in announced() { pathsByPrefix[prefix] = internalPaths(to: prefix) + externalPaths(to: prefix) }
        var result: [IPv6Prefix: Path] = [:]
        for (prefix, paths) in pathsByPrefix {
            guard let best = Self.best(paths), !best.isOwn, !best.nextHops.isEmpty else { continue }
            result[prefix] = best
            result[prefix]!.preference = 0
        }
        return result
    }

    /// The prefixes that the root announces as its own intra-area prefixes.
    var ownPrefixes: Set<IPv6Prefix> {
        announced().filter { prefix in internalPaths(to: prefix).contains { $0.isOwn } }
    }

    /// The best of several paths to a prefix or AS boundary router, merged with all that are equally good.
    private static func best(_ paths: [Path]) -> Path? {
        func rank(_ path: Path) -> [Int] {
            let metric = path.kind == .externalType2 ? path.metric : 0
            let distance = path.kind == .externalType2 ? path.internalMetric : path.metric
            return [Int(path.kind.rawValue), metric, path.preference, distance]
        }
        guard let least = paths.map(rank).min(by: { $0.lexicographicallyPrecedes($1) }) else { return nil }
        let equals = paths.filter { rank($0) == least }
        var result = equals[0]
        for other in equals {
            result.announcers.formUnion(other.announcers)
            result.nextHops.formUnion(other.nextHops)
            result.isOwn = result.isOwn || other.isOwn
        }
        return result
    }

    /// All prefixes in intra-area, inter-area and external LSAs.
    private func announced() -> Set<IPv6Prefix> {
        var result: Set<IPv6Prefix> = []
        for body in bodies.values {
            switch body {
            case .intraAreaPrefix(let lsa): result.formUnion(lsa.prefixes.map(\.prefix))
            case .interAreaPrefix(let lsa): result.insert(lsa.prefix.prefix)
            case .asExternal(let lsa): result.insert(lsa.prefix.prefix)
            default: break
            }
        }
        return result
    }

    /// Every intra-area and inter-area path to exactly this prefix. An own prefix has the metric −1, lower than any other's.
    private func internalPaths(to prefix: IPv6Prefix) -> [Path] {
        var result: [Path] = []
        for (key, body) in bodies {
            let router = key.advertisingRouter
            switch body {
            case .intraAreaPrefix(let lsa):
                let node =
                    lsa.referencedType == .router ? Node.router(router) : .network(router, lsa.referencedLinkStateID)
                for entry in lsa.prefixes where entry.prefix == prefix {
                    if node == .router(root) {
                        result.append(
                            Path(
                                kind: .intraArea, metric: -1, internalMetric: 0, isOwn: true, announcers: [root],
                                nextHops: []))
                    } else if let distance = distance(node) {
                        result.append(
                            Path(
                                kind: .intraArea, metric: distance + Int(entry.metric), internalMetric: 0,
                                announcers: [router], nextHops: nextHops(node)))
                    }
                }
            case .interAreaPrefix(let lsa) where lsa.prefix.prefix == prefix && lsa.metric != 0xff_ffff:
                guard router != root, isBorder(router), let distance = distance(.router(router)) else { continue }
                result.append(
                    Path(
                        kind: .interArea, metric: distance + Int(lsa.metric), internalMetric: 0, announcers: [router],
                        nextHops: nextHops(.router(router))))
            default: break
            }
        }
        return result
    }

    private func isBorder(_ router: RouterID) -> Bool {
        isPresent(router) && routers[router]![0].1.flags.contains(.border) && allowsTransit(through: .router(router))
    }

    /// Every external path to exactly this prefix.
    private func externalPaths(to prefix: IPv6Prefix) -> [Path] {
        var result: [Path] = []
        for (key, body) in bodies {
            guard case .asExternal(let lsa) = body, lsa.prefix.prefix == prefix, lsa.metric != 0xff_ffff else {
                continue
            }
            let kind = lsa.isType2 ? PathKind.externalType2 : .externalType1
            func add(_ distance: Int, isIntraArea: Bool = true, _ hops: Set<NextHop>) {
                result.append(
                    Path(
                        kind: kind, metric: Int(lsa.metric) + (lsa.isType2 ? 0 : distance),
                        internalMetric: lsa.isType2 ? distance : 0,
                        isOwn: key.advertisingRouter == root, preference: isIntraArea && !isBackbone ? 0 : 1,
                        announcers: [key.advertisingRouter], nextHops: hops)
                )
            }
            guard key.advertisingRouter != root else {
                add(0, [])
                continue
            }
            guard let path = pathToBoundaryRouter(key.advertisingRouter) else { continue }
            guard let address = lsa.forwardingAddress else {
                add(path.metric, isIntraArea: path.kind == .intraArea, path.nextHops)
                continue
            }
            // The longest matching prefix with an intra-area or inter-area path.
            let matches = announced().filter { $0.contains(address) }.sorted { $0.length > $1.length }
            guard let match = matches.lazy.compactMap({ Self.best(internalPaths(to: $0)) }).first, !match.isOwn else {
                continue
            }
            let hops = match.nextHops.map { hop in
                hop.gateway.isUnspecified ? NextHop(interface: hop.interface, gateway: address) : hop
            }
            add(match.metric, isIntraArea: match.kind == .intraArea, Set(hops))
        }
        return result
    }

    /// The path to an AS boundary router: intra-area if there is one, otherwise the best over border routers.
    private func pathToBoundaryRouter(_ router: RouterID) -> Path? {
        func path(_ kind: PathKind, _ distance: Int, _ node: RouterID) -> Path {
            Path(
                kind: kind, metric: distance, internalMetric: 0, announcers: [],
                nextHops: nextHops(.router(node)))
        }
        if isPresent(router), routers[router]![0].1.flags.contains(.external), let distance = distance(.router(router))
        {
            return path(.intraArea, distance, router)
        }
        let paths = bodies.compactMap { key, body -> Path? in
            guard case .interAreaRouter(let lsa) = body, lsa.destination == router, lsa.metric != 0xff_ffff,
                key.advertisingRouter != root, isBorder(key.advertisingRouter),
                let distance = distance(.router(key.advertisingRouter))
            else { return nil }
            return path(.interArea, distance + Int(lsa.metric), key.advertisingRouter)
        }
        return Self.best(paths)
    }

    // MARK: Alternates

    /// The cost of the root's link to a neighbor.
    func cost(of router: RouterID, to neighbor: UsableNeighbor) -> Int { optionalCost(of: router, to: neighbor)! }

    /// `nil` if the database does not have the link in both directions.
    func optionalCost(of router: RouterID, to neighbor: UsableNeighbor) -> Int? {
        rootLinks.lazy.filter { link, target in
            guard link.interfaceID == neighbor.interface else { return false }
            switch target {
            case .router(let id): return id == neighbor.routerID && link.neighborInterfaceID == neighbor.interfaceID
            case .network:
                return edges.contains { $0.from == target && $0.to == .router(neighbor.routerID) }
            }
        }.map { max(1, Int($0.link.metric)) }.first
    }

    /// The root's distance to a prefix to which it has no route with a next hop in its table: an external one of its own, or
    /// that of a network. `nil` if that is not so, or not like `path`, the path of another router.
    func ownLength(_ prefix: IPv6Prefix, _ path: Path) -> Int? {
        guard let best = Self.best(internalPaths(to: prefix) + externalPaths(to: prefix)), best.kind == path.kind else {
            return nil
        }
        if best.kind == .externalType2, best.metric != path.metric { return nil }
        return best.kind == .externalType2 ? best.internalMetric : best.metric
    }

    /// The metric at which the root announces a prefix of its own; the lowest, if there are several.
    func ownMetric(_ prefix: IPv6Prefix) -> Int {
        var metrics: [Int] = []
        for (key, body) in bodies {
            guard case .intraAreaPrefix(let lsa) = body, key.advertisingRouter == root, lsa.referencedType == .router
            else { continue }
            metrics += lsa.prefixes.filter { $0.prefix == prefix }.map { Int($0.metric) }
        }
        return metrics.min()!
    }
}
