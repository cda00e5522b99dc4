import Addressing
import OSPFPacket
import Testing

@testable import OSPF

/// Alternates of all routers of random areas.
struct RandomAlternateTests {
    /// All routers of an area, each with its route table, calculated step by step as the area changes.
    private struct Mesh {
        var randomArea: RandomArea
        var calculations: [RouterID: RouteCalculation] = [:]
        var tables: [RouterID: RouteTable] = [:]
        var neighbors: [RouterID: [UsableNeighbor]] = [:]
        var bodies: [LSAKey: LSABody] = [:]
        let maximumPaths: Int

        init(seed: UInt64) {
            randomArea = RandomArea(
                seed: seed, routers: 4 + UInt32(seed % 6), cables: 6 + Int(seed % 9), segments: Int(seed % 3))
            maximumPaths = seed % 5 == 0 ? 1 : 64
            for number in 1...randomArea.count {
                calculations[RouterID(number)] = RouteCalculation(isBackbone: randomArea.isBackbone)
                tables[RouterID(number)] = RouteTable()
            }
        }

        var routers: [RouterID] {
            (1...randomArea.count).map { RouterID($0) }.filter { !randomArea.downRouters.contains($0) }
        }

        /// Every router gets the whole database and calculates.
        mutating func converge() {
            randomArea.flood(all: true)
            let new = randomArea.area.bodies
            for key in Set(new.keys).union(bodies.keys).sorted() where new[key] != bodies[key] {
                for router in calculations.keys {
                    calculations[router]!.databaseChanged(
                        key, to: new[key].map { LSA(key: key, sequenceNumber: 1, body: $0) })
                }
            }
            bodies = new
            for router in routers {
                neighbors[router] = randomArea.neighbors(of: router).filter {
                    !randomArea.downRouters.contains($0.routerID)
                }
                let update = calculations[router]!.run(
                    root: router, neighbors: neighbors[router]!, maximumPaths: maximumPaths, findsAlternates: true)
                tables[router]!.apply(update)
            }
        }

        func destination(_ prefix: IPv6Prefix, at router: RouterID) -> Destination? {
            tables[router]!.routes[prefix].flatMap { tables[router]!.destinations[$0] }
        }

        var prefixes: Set<IPv6Prefix> { Set(routers.flatMap { Array(tables[$0]!.routes.keys) }) }
    }

    /// What fails: next hops that routers lose, and know that they lose, and routers that forward nothing.
    private struct Failure {
        var text: String
        /// The interfaces that lose their carrier.
        var ports: Set<UInt32> = []
        /// Only at this router; elsewhere such an interface leads nowhere without its router knowing.
        var onlyAt: RouterID?
        var router: RouterID?
    }

    private static func failures(_ area: RandomArea) -> [Failure] {
        var result = area.cables.filter(\.isUp).map {
            Failure(text: "cable \($0.a.interface)", ports: [$0.a.interface, $0.b.interface])
        }
        for segment in area.segments {
            let port = segment.members[0].interface
            result.append(Failure(text: "segment \(port)", ports: [port]))
            for end in segment.members {
                result.append(Failure(text: "port of \(end.router) to \(port)", ports: [port], onlyAt: end.router))
            }
        }
        for number in 1...area.count { result.append(Failure(text: "router \(number)", router: RouterID(number))) }
        return result
    }

    /// Whether packets to `prefix` can go around in a circle, while only the routers beside the failure have acted.
    private func circle(_ mesh: Mesh, _ prefix: IPv6Prefix, _ failure: Failure?) -> [RouterID]? {
        var done: Set<RouterID> = []
        var trail: [RouterID] = []
        func visit(_ router: RouterID) -> [RouterID]? {
            if trail.contains(router) { return trail + [router] }
            guard !done.contains(router), router != failure?.router,
                let destination = mesh.destination(prefix, at: router)
            else { return nil }
            func owner(_ hop: NextHop) -> RouterID? {
                mesh.neighbors[router]!.first { $0.nextHop == hop }?.routerID
            }
            func isLost(_ hop: NextHop) -> Bool {
                guard let failure else { return false }
                if let dead = failure.router { return owner(hop) == dead }
                return failure.ports.contains(hop.interface) && (failure.onlyAt ?? router) == router
            }
            var hops = destination.nextHops.filter { !isLost($0) }
            if hops.isEmpty, let backup = destination.backup, !isLost(backup) { hops = [backup] }
            trail.append(router)
            defer { trail.removeLast() }
            for hop in hops {
                guard let next = owner(hop) else { continue }
                if let only = failure?.onlyAt, next == only, failure!.ports.contains(hop.interface) { continue }
                if let found = visit(next) { return found }
            }
            done.insert(router)
            return nil
        }
        for router in mesh.routers {
            if let found = visit(router) { return found }
        }
        return nil
    }

    /// The rule, from the definition and the oracle's routes of all routers: which neighbors may be the alternate, the best
    /// first.
    private func expected(
        _ mesh: Mesh, _ router: RouterID, _ prefix: IPv6Prefix, _ oracles: [RouterID: RouteOracle],
        _ routes: [RouterID: [IPv6Prefix: RouteOracle.Path]]
    ) -> [NextHop] {
        let area = mesh.randomArea
        guard let path = routes[router]![prefix], let installed = mesh.destination(prefix, at: router)?.nextHops,
            installed.count == 1,
            let primary = mesh.neighbors[router]!.first(where: { $0.nextHop == installed[0] })
        else { return [] }
        func measure(_ path: RouteOracle.Path) -> Int {
            path.kind == .externalType2 ? path.internalMetric : path.metric
        }
        let distance = measure(path)
        let cost = oracles[router]!.cost(of: router, to: primary)
        var result: [(rank: (Int, Int), hop: NextHop)] = []
        for other in mesh.neighbors[router]! where other.interface != primary.interface {
            guard let way = oracles[router]!.optionalCost(of: router, to: other),
                let back = oracles[other.routerID]!.distance(from: other.routerID, to: router)
            else { continue }
            let isOwn = path.kind == .intraArea && oracles[other.routerID]!.ownPrefixes.contains(prefix)
            let found = isOwn ? nil : routes[other.routerID]![prefix]
            if !isOwn {
                guard !area.stubRouters.contains(other.routerID) else { continue }
            }
            var length = 0
            if let found {
                guard found.kind == path.kind else { continue }
                if path.kind == .externalType2, found.metric != path.metric { continue }
                length = measure(found)
            } else if !isOwn {
                // The neighbor is where an external route ends, or a router on the network.
                guard let own = oracles[other.routerID]!.ownLength(prefix, path) else { continue }
                length = own
            }
            guard isOwn || length < back + distance else { continue }
            let around = oracles[other.routerID]!.distance(from: other.routerID, to: primary.routerID).map {
                $0 + distance - cost
            }
            let protects = other.routerID != primary.routerID && (isOwn || around.map { length < $0 } ?? true)
            let isDownstream = isOwn || (length, other.routerID) < (distance, router)
            guard protects || isDownstream else { continue }
            if isOwn { length = oracles[other.routerID]!.ownMetric(prefix) }
            result.append(((protects ? 0 : 1, way + length), other.nextHop))
        }
        return result.sorted { $0.rank != $1.rank ? $0.rank < $1.rank : $0.hop < $1.hop }.map(\.hop)
    }

    /// Whatever single cable, segment, port or router fails: no packet goes around in a circle, although all routers beside the
    /// failure use their alternates and all others their old routes.
    @Test func noRepairLoops() {
        var repairs = 0
        for seed in 0..<120 as Range<UInt64> {
            var mesh = Mesh(seed: seed)
            for _ in 0..<4 {
                for _ in 0..<3 { mesh.randomArea.change() }
                mesh.converge()
                let failures = Self.failures(mesh.randomArea)
                for prefix in mesh.prefixes.sorted() {
                    guard circle(mesh, prefix, nil) == nil else { continue }
                    repairs += mesh.routers.count { mesh.destination(prefix, at: $0)?.backup != nil }
                    for failure in failures {
                        if let found = circle(mesh, prefix, failure) {
                            Issue.record("seed \(seed): \(prefix) circles over \(found) without \(failure.text)")
                            return
                        }
                    }
                }
            }
        }
        #expect(repairs > 5000)
    }

    /// A router has the best alternate that the rule permits, and none if it permits none; external routes may have none.
    @Test func alternatesAreThoseOfTheRule() {
        var found = 0
        for seed in 0..<120 as Range<UInt64> {
            var mesh = Mesh(seed: seed)
            for step in 0..<4 {
                for _ in 0..<3 { mesh.randomArea.change() }
                mesh.converge()
                var oracles: [RouterID: RouteOracle] = [:]
                var routes: [RouterID: [IPv6Prefix: RouteOracle.Path]] = [:]
                for router in mesh.routers {
                    let oracle = RouteOracle(
                        mesh.bodies, root: router, neighbors: mesh.neighbors[router]!,
                        isBackbone: mesh.randomArea.isBackbone)
                    (oracles[router], routes[router]) = (oracle, oracle.routes())
                }
                for router in mesh.routers {
                    for prefix in mesh.tables[router]!.routes.keys.sorted() {
                        let destination = mesh.destination(prefix, at: router)!
                        let rule = expected(mesh, router, prefix, oracles, routes)
                        if destination.backup != nil { found += 1 }
                        let isRight =
                            destination.kind == .intraArea
                            ? destination.backup == rule.first : destination.backup.map(rule.contains) ?? true
                        guard !isRight else { continue }
                        Issue.record(
                            "seed \(seed), step \(step): \(router) to \(prefix) (\(destination)), permitted \(rule)")
                        return
                    }
                }
            }
        }
        #expect(found > 1000)
    }
}
