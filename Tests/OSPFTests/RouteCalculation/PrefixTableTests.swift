import Addressing
import ShortestPath
import Testing
import Timing

@testable import OSPF

struct PrefixTableTests {
    /// Makes and withdraws thousands of announcements and compares with a plain dictionary. Meanwhile announcers become
    /// reachable and unreachable. The updates, applied one after the other, must give the right routes.
    @Test func routesStayRightThroughThousandsOfChanges() {
        var random = SplitMix64(seed: 3)
        func below(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }
        let prefixes = (0..<12).map { IPv6Prefix(host: IPv6Address(high: 1, low: UInt64($0))) }
        let candidates = (0..<4).map { Candidate(kind: .intraArea, announcer: Vertex(rawValue: UInt32($0)), metric: 0) }
        var announced: [IPv6Prefix: [Candidate]] = [:]
        var reachable: Set<Candidate> = Set(candidates)
        var table = PrefixTable()
        var result = RouteTable()
        for step in 0..<20_000 {
            let prefix = prefixes[below(prefixes.count)]
            let candidate = candidates[below(candidates.count)]
            if let index = announced[prefix]?.firstIndex(of: candidate), below(3) != 0 {
                announced[prefix]!.remove(at: index)
                table.remove(candidate, from: prefix)
            } else if announced[prefix, default: []].count < 6 {
                announced[prefix, default: []].append(candidate)
                table.add(candidate, to: prefix)
            }
            let changesReach = below(20) == 0
            if changesReach { reachable.formSymmetricDifference([candidates[below(4)]]) }
            guard changesReach || below(5) == 0 else { continue }
            var update = RouteTableUpdate()
            for group in table.drainGroups(changesReach ? .all : .new) where !table.groups[group].members.isEmpty {
                let usable = table.groups[group].list.candidates.filter(reachable.contains)
                let destination = usable.isEmpty ? nil : Self.destination(usable)
                guard table.groups[group].destination != destination else { continue }
                if let destination { update.destinations.append((group.destinationID, destination)) }
                table.setDestination(of: group, to: destination)
            }
            table.collectChanges(into: &update)
            result.apply(update)
            for prefix in prefixes {
                let usable = Set(announced[prefix] ?? []).intersection(reachable).sorted()
                let expected = usable.isEmpty ? nil : Self.destination(usable)
                guard result.routes[prefix].map({ result.destinations[$0]! }) == expected else {
                    Issue.record("step \(step): the route to \(prefix) is wrong")
                    return
                }
            }
            #expect(Set(result.routes.values) == Set(result.destinations.keys))
        }
    }

    /// A prefix with 1000 announcers, each with a metric of its own, stays in the group that its first announcer made: a group
    /// with a single prefix changes in place.
    @Test func aGroupOfOnePrefixChangesInPlace() {
        var table = PrefixTable()
        let prefix = IPv6Prefix(host: .loopback)
        let candidates = (0..<1000).map {
            Candidate(kind: .intraArea, announcer: Vertex(rawValue: UInt32($0)), metric: UInt32($0 * 7 % 1000))
        }
        for candidate in candidates { table.add(candidate, to: prefix) }
        #expect(table.groups.values.count == 1)
        #expect(table.groups[GroupNumber(rawValue: 0)].list.candidates == candidates)
        #expect(table.drainGroups(.new) == [GroupNumber(rawValue: 0)])
        for candidate in candidates { table.remove(candidate, from: prefix) }
        var update = RouteTableUpdate()
        table.collectChanges(into: &update)
        #expect(table.isEmpty)
    }

    /// Stands for the result of a calculation: it depends only on the reachable candidates.
    private static func destination(_ candidates: [Candidate]) -> Destination {
        Destination(
            kind: .intraArea, metric: 0, announcers: candidates.map { RouterID($0.announcer.rawValue) },
            nextHops: [NextHop(interface: 1, gateway: .loopback)])
    }
}
