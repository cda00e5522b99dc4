import Addressing
import OSPF
import Routing

/// A model of the kernel's routes and next-hop objects. It follows what kernels were observed to do, and shares no code with
/// ``FIB``.
struct ModelKernel {
    enum Object: Equatable {
        case single(NextHop)
        case group(NextHopGroup)
    }

    struct Route: Equatable {
        var target: RouteTarget
        var isForeign = false
    }

    var objects: [NextHopID: Object] = [:]
    /// IDs of objects of other programs.
    var foreignObjects: Set<NextHopID> = []
    var routes: [IPv6Prefix: Route] = [:]
    var serviceRoutes: Set<IPv6Prefix> = []
    /// Interfaces that are down.
    var downLinks: Set<UInt32> = []
    /// The number of changes tried.
    var changes = 0
    /// Members of resilient groups that became backups while they had flows.
    var demotions: Set<NextHopID> = []

    /// Makes a change. Returns why it failed; `nil` if it did not.
    mutating func apply(_ change: FIBChange) -> FIBFailure? {
        changes += 1
        switch change {
        case .addNextHop(let id, let hop):
            if objects[id] != nil || foreignObjects.contains(id) { return failure(.exists) }
            if downLinks.contains(hop.interface) { return failure(.linkUnusable) }
            objects[id] = .single(hop)
        case .addGroup(let id, let group):
            if objects[id] != nil || foreignObjects.contains(id) { return failure(.exists) }
            if !areSingles(group.objects) { return failure(.invalid) }
            objects[id] = .group(group)
        case .replaceGroup(let id, let group):
            guard case .group(let old) = objects[id] else { return failure(.missing) }
            if !areSingles(group.objects) || old.isResilient != group.isResilient { return failure(.invalid) }
            if group.isResilient {
                // Flows stay with what is in the group.
                for hop in old.members where group.backup == hop { demotions.insert(hop) }
            }
            objects[id] = .group(group)
        case .addRoute(let prefix, let target):
            if routes[prefix] != nil { return failure(.exists) }
            if let problem = problem(with: target) { return failure(problem) }
            routes[prefix] = Route(target: target)
        case .replaceRoute(let prefix, let target):
            guard routes[prefix] != nil else { return failure(.missing) }
            if let problem = problem(with: target) { return failure(problem) }
            routes[prefix] = Route(target: target)
        case .removeRoute(let prefix):
            guard let route = routes[prefix], !route.isForeign else { return failure(.missing) }
            routes[prefix] = nil
        case .addServiceRoute(let prefix):
            if downLinks.contains(1) { return failure(.linkUnusable) }
            if !serviceRoutes.insert(prefix).inserted { return failure(.exists) }
        case .replaceServiceRoute(let prefix):
            if !serviceRoutes.contains(prefix) { return failure(.missing) }
        case .removeServiceRoute(let prefix):
            if serviceRoutes.remove(prefix) == nil { return failure(.missing) }
        case .removeGroup(let id), .removeNextHop(let id):
            guard objects[id] != nil else { return failure(.missing) }
            delete(id)
        }
        return nil
    }

    /// A link goes down: the kernel removes the next-hop objects on it, and all that depends on them, without notification.
    mutating func loseLink(_ interface: UInt32) {
        downLinks.insert(interface)
        if interface == 1 { serviceRoutes = [] }
        for (id, object) in objects {
            if case .single(let hop) = object, hop.interface == interface { delete(id) }
        }
    }

    /// Removes next hops on a link from routes that use no objects, as when an administrator sets the link down.
    mutating func purgePlainRoutes(through interface: UInt32) {
        for (prefix, route) in routes {
            guard case .nextHops(let hops) = route.target else { continue }
            let kept = hops.filter { $0.interface != interface }
            routes[prefix] = kept.isEmpty ? nil : Route(target: .nextHops(kept), isForeign: route.isForeign)
        }
    }

    /// Removes an object, also from its groups, groups that are then empty, and the routes that point to a removed group.
    mutating func delete(_ id: NextHopID) {
        objects[id] = nil
        for (groupID, object) in objects {
            guard case .group(var group) = object, group.objects.contains(id) else { continue }
            group.members.removeAll { $0 == id }
            if group.backup == id { group.backup = nil }
            // A single member has all flows, whatever its weight.
            if group.members.isEmpty, let backup = group.backup {
                group = NextHopGroup([backup], isResilient: group.isResilient)
            }
            if group.members.isEmpty { delete(groupID) } else { objects[groupID] = .group(group) }
        }
        routes = routes.filter { $0.value.target != .group(id) }
    }

    /// What reading the kernel returns, with or without routes.
    func dump(routes wantsRoutes: Bool) -> KernelRoutes {
        var result = KernelRoutes(foreignIDs: foreignObjects, routes: nil)
        for (id, object) in objects {
            switch object {
            case .single(let hop): result.nextHops[id] = hop
            case .group(let group): result.groups[id] = group
            }
        }
        if wantsRoutes {
            result.routes = routes.filter { !$0.value.isForeign }.mapValues { $0.target }
            for prefix in serviceRoutes { result.serviceRoutes[prefix] = true }
        }
        return result
    }

    /// The next hops of a route; `nil` if there is no route.
    func nextHops(of prefix: IPv6Prefix) -> Set<NextHop>? {
        switch routes[prefix]?.target {
        case nil: return nil
        case .nextHops(let hops): return Set(hops)
        case .group(let id):
            guard case .group(let group) = objects[id] else { return [] }
            return Set(
                group.members.compactMap { member -> NextHop? in
                    if case .single(let hop) = objects[member] { hop } else { nil }
                })
        }
    }

    /// The group of a route; `nil` if it has none.
    func group(of prefix: IPv6Prefix) -> NextHopGroup? {
        guard case .group(let id) = routes[prefix]?.target, case .group(let group) = objects[id] else { return nil }
        return group
    }

    /// The next hop that takes over when the only one of a route goes; `nil` if there is none.
    func backup(of prefix: IPv6Prefix) -> NextHop? {
        guard let id = group(of: prefix)?.backup, case .single(let hop) = objects[id] else { return nil }
        return hop
    }

    private func areSingles(_ ids: [NextHopID]) -> Bool {
        !ids.isEmpty
            && ids.allSatisfy { id in
                if case .single = objects[id] { true } else { false }
            }
    }

    private func problem(with target: RouteTarget) -> FIBFailure.Reason? {
        switch target {
        case .group(let id): objects[id] == nil ? .invalid : nil
        case .nextHops(let hops): hops.contains { downLinks.contains($0.interface) } ? .linkUnusable : nil
        }
    }

    private func failure(_ reason: FIBFailure.Reason) -> FIBFailure { FIBFailure(reason, message: "model") }
}

/// A route table that changes at random, with the updates that a router would give.
struct ModelRouter {
    var destinations: [DestinationID: Destination] = [:]
    var routes: [IPv6Prefix: DestinationID] = [:]

    static func destination(_ hops: [NextHop]) -> Destination {
        Destination(kind: .intraArea, metric: 1, announcers: [RouterID(rawValue: 1)], nextHops: hops)
    }

    /// A destination with some of these next hops, often with a backup if it has only one.
    static func randomDestination(_ hops: [NextHop], _ random: inout SplitMix) -> Destination {
        var chosen = random.below(2) == 0 ? [hops[random.below(hops.count)]] : random.subset(hops)
        var backup: NextHop?
        if chosen.count == 1, random.below(3) > 0 {
            backup = random.pick(hops.filter { $0.interface != chosen[0].interface })
            chosen = [chosen[0]]
        }
        return Destination(
            kind: .intraArea, metric: 1, announcers: [RouterID(rawValue: 1)], nextHops: chosen, backup: backup,
            isAnycast: random.below(3) == 0)
    }

    /// Removes destinations without routes and returns them, as a router does.
    mutating func released() -> [DestinationID] {
        let used = Set(routes.values)
        let unused = destinations.keys.filter { !used.contains($0) }.sorted()
        for id in unused { destinations[id] = nil }
        return unused
    }

    /// One random change.
    mutating func step(_ random: inout SplitMix, hops: [NextHop], prefixes: [IPv6Prefix]) -> RouteTableUpdate {
        var update = RouteTableUpdate()
        switch random.below(10) {
        case 0..<4:
            guard let id = random.pick(destinations.keys.sorted()) else { break }
            let chosen = Self.randomDestination(hops, &random)
            destinations[id] = chosen
            update.destinations.append((id, chosen))
        case 4..<7:
            let id = (0...).lazy.map { DestinationID(rawValue: $0) }.first { destinations[$0] == nil }!
            let chosen = Self.randomDestination(hops, &random)
            destinations[id] = chosen
            update.destinations.append((id, chosen))
            for prefix in prefixes where random.below(4) == 0 {
                routes[prefix] = id
                update.routes.append((prefix, id))
            }
        case 7:
            // All prefixes of a destination move to a new one, as when a router changes a metric.
            guard let old = random.pick(destinations.keys.sorted()), let chosen = destinations[old] else { break }
            let id = (0...).lazy.map { DestinationID(rawValue: $0) }.first { destinations[$0] == nil }!
            destinations[id] = chosen
            update.destinations.append((id, chosen))
            for (prefix, owner) in routes.sorted(by: { $0.key < $1.key }) where owner == old {
                routes[prefix] = id
                update.routes.append((prefix, id))
            }
        default:
            for prefix in prefixes where random.below(5) == 0 && routes[prefix] != nil {
                routes[prefix] = nil
                update.routes.append((prefix, nil))
            }
        }
        update.released = released()
        update.destinations.removeAll { destination in update.released.contains { $0 == destination.id } }
        return update
    }

    /// Renumbers all destinations and returns the whole table as updates of one destination each, as a restarted router does.
    mutating func restart(_ random: inout SplitMix) -> [RouteTableUpdate] {
        var renamed: [DestinationID: DestinationID] = [:]
        var updates: [RouteTableUpdate] = []
        for (index, id) in random.shuffled(destinations.keys.sorted()).enumerated() {
            let new = DestinationID(rawValue: UInt32(1000 + index))
            renamed[id] = new
            let prefixes = routes.filter { $0.value == id }.keys.sorted()
            updates.append(
                RouteTableUpdate(
                    destinations: [(new, destinations[id]!)],
                    routes: prefixes.map { ($0, new) }))
        }
        destinations = Dictionary(uniqueKeysWithValues: destinations.map { (renamed[$0.key]!, $0.value) })
        routes = routes.mapValues { renamed[$0]! }
        return updates
    }
}

/// A small generator of random numbers: a seed gives the same ones everywhere.
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    mutating func pick<Element>(_ list: [Element]) -> Element? { list.isEmpty ? nil : list[below(list.count)] }

    /// A random subset in the same order; not empty.
    mutating func subset<Element>(_ list: [Element]) -> [Element] {
        let chosen = list.filter { _ in below(2) == 0 }
        return chosen.isEmpty ? [list[below(list.count)]] : chosen
    }

    mutating func shuffled<Element>(_ list: [Element]) -> [Element] {
        var list = list
        for index in list.indices.dropFirst() { list.swapAt(index, below(index + 1)) }
        return list
    }
}
