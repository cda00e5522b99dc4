public import Addressing
internal import OSPF
internal import OSPFPacket

/// What changes do to a mesh.
public struct Impact: Sendable {
    /// Two routers between which the way gets longer or shorter.
    public struct Detour: Hashable, Sendable {
        public var from: RouterID
        public var to: RouterID
        public var before: UInt32
        public var after: UInt32
    }

    /// A prefix with fewer announcers.
    public struct Loss: Hashable, Sendable {
        public var prefix: IPv6Prefix
        /// The routers that announced it, and those of them that still do.
        public var before: [RouterID]
        public var after: [RouterID]
        /// The routers of which it becomes the last resort only.
        public var lastResort: [RouterID]
        /// The parts of the mesh, by their place in ``parts``, that had a way to an announcer and have none.
        public var partsWithout: [Int]
    }

    /// The routers that are in the mesh no more.
    public var failed: [RouterID]
    /// The rest in parts that reach each other no more, the largest first: one part if nobody is cut off.
    public var parts: [[RouterID]]
    /// The parts before, without those that failed.
    public var partsBefore: [[RouterID]]
    /// Pairs of routers of which the second is not reached from the first any more, those that failed not counted: at most
    /// ``mostDetours``; and how many there are.
    public var lost: [(from: RouterID, to: RouterID)]
    public var lostCount: Int
    /// The pairs of routers with a longer way: the largest additions first, at most ``mostDetours``; and how many there are.
    public var longer: [Detour]
    public var longerCount: Int
    /// The number of pairs with a shorter way.
    public var shorterCount: Int
    /// The number of pairs between which there was a way and is one.
    public var pairCount: Int
    /// Prefixes with fewer announcers, or out of reach of a part, apart from those of failed routers alone. In order.
    public var losses: [Loss]
    /// Prefixes that only failed routers announced. In order.
    public var gone: [IPv6Prefix]

    /// The length of ``longer`` and ``lost`` at most.
    public static let mostDetours = 1000

    /// Whether routers that reached each other do so no more, those that failed not counted.
    public var cutsOff: Bool { lostCount > 0 }
}

extension MeshModel {
    /// What changes would do.
    public func impact(of changes: [Change]) throws(ChangeError) -> Impact { impact(of: try applying(changes)) }

    /// The difference between this mesh and what it becomes.
    public func impact(of after: MeshModel) -> Impact {
        var before = self
        var after = after
        let old = AllDistances(before.graph())
        let new = AllDistances(after.graph())
        let remaining = Set(new.routers)
        var impact = Impact(
            failed: old.routers.filter { !remaining.contains($0) }, parts: new.parts(),
            partsBefore: old.parts().map { $0.filter(remaining.contains) }.filter { !$0.isEmpty }, lost: [],
            lostCount: 0, longer: [],
            longerCount: 0, shorterCount: 0, pairCount: 0, losses: [], gone: [])
        // The costs of a drained router make others route around it; those of its own ways mean nothing.
        let drained = Set(after.routers.filter { after.isStub($0) && !before.isStub($0) })
        compareDistances(old, new, except: drained, into: &impact)
        comparePrefixes(after, into: &impact)
        return impact
    }

    private func compareDistances(
        _ old: AllDistances, _ new: AllDistances, except drained: Set<RouterID>, into impact: inout Impact
    ) {
        let places = Dictionary(uniqueKeysWithValues: old.routers.enumerated().map { ($1, $0) })
        for (from, router) in new.routers.enumerated() {
            guard let oldFrom = places[router] else { continue }
            for (to, other) in new.routers.enumerated() where to != from {
                guard let oldTo = places[other], let before = old.distance(oldFrom, oldTo) else { continue }
                guard let after = new.distance(from, to) else {
                    impact.lostCount += 1
                    if impact.lost.count < Impact.mostDetours { impact.lost.append((router, other)) }
                    continue
                }
                impact.pairCount += 1
                if drained.contains(router) { continue }
                if after < before { impact.shorterCount += 1 }
                guard after > before else { continue }
                impact.longerCount += 1
                impact.longer.append(Impact.Detour(from: router, to: other, before: before, after: after))
                // Keeps the largest, sorting only once in a while.
                if impact.longer.count >= 16 * Impact.mostDetours { impact.keepLargestDetours() }
            }
        }
        impact.keepLargestDetours()
    }

    private func comparePrefixes(_ after: MeshModel, into impact: inout Impact) {
        let (oldMetrics, newMetrics) = (announcements(), after.announcements())
        let (old, new) = (oldMetrics.mapValues { $0.keys.sorted() }, newMetrics.mapValues { $0.keys.sorted() })
        let part = Dictionary(
            uniqueKeysWithValues: impact.parts.enumerated().flatMap { place, routers in routers.map { ($0, place) } })
        let partBefore = Dictionary(
            uniqueKeysWithValues: impact.partsBefore.enumerated().flatMap { place, routers in
                routers.map { ($0, place) }
            })
        let failed = Set(impact.failed)
        for (prefix, before) in old.sorted(by: { $0.key < $1.key }) {
            let left = new[prefix] ?? []
            if left.isEmpty, before.allSatisfy(failed.contains) {
                impact.gone.append(prefix)
                continue
            }
            let served = Set(left.compactMap { part[$0] })
            let servedBefore = Set(before.compactMap { partBefore[$0] })
            let parts = impact.parts
            let without = parts.indices.filter { place in
                !served.contains(place)
                    && parts[place].contains { router in partBefore[router].map(servedBefore.contains) ?? false }
            }
            // That the own prefixes of a router are out of reach when the router is, goes without saying.
            let (one, other) = (oldMetrics[prefix] ?? [:], newMetrics[prefix] ?? [:])
            let demoted = left.filter {
                (one[$0] ?? 0) < AdvertisedPrefix.lastResort && (other[$0] ?? 0) >= AdvertisedPrefix.lastResort
            }
            guard left.count < before.count || before.count > 1 && !without.isEmpty || !demoted.isEmpty else {
                continue
            }
            impact.losses.append(
                Impact.Loss(
                    prefix: prefix, before: before, after: left, lastResort: demoted, partsWithout: without))
        }
    }

    /// The routers that announce each prefix as their own or as external, in order. Without prefixes of networks.
    func announcers() -> [IPv6Prefix: [RouterID]] { announcements().mapValues { $0.keys.sorted() } }

    /// The same with the lowest metric of each, which is 0 for external prefixes.
    private func announcements() -> [IPv6Prefix: [RouterID: UInt16]] {
        var result: [IPv6Prefix: [RouterID: UInt16]] = [:]
        for (key, lsa) in lsas {
            let list: [(IPv6Prefix, UInt16)]
            switch try? lsa.body() {
            case .intraAreaPrefix(let body) where body.referencedType == .router:
                list = body.prefixes.map { ($0.prefix, $0.metric) }
            case .ipv4Prefix(let body): list = body.prefixes.map { ($0.prefix, $0.metric) }
            case .asExternal(let body): list = [(body.prefix.prefix, 0)]
            default: continue
            }
            for (prefix, metric) in list {
                let known = result[prefix]?[key.advertisingRouter] ?? .max
                result[prefix, default: [:]][key.advertisingRouter] = min(known, metric)
            }
        }
        return result
    }
}

extension Impact {
    fileprivate mutating func keepLargestDetours() {
        longer.sort { left, right in
            let (one, other) = (left.after - left.before, right.after - right.before)
            return one != other ? one > other : (left.from, left.to) < (right.from, right.to)
        }
        longer.removeLast(max(0, longer.count - Self.mostDetours))
    }
}
