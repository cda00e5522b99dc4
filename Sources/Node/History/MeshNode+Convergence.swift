internal import Addressing
internal import OSPF
internal import OSPFPacket
internal import Routing
internal import Timing

/// The record of what changed routes, what changed, and when the kernel had it.
extension MeshNode {
    /// Notes an update of the routes, before the installer has it. During initial database synchronization everything is new, and
    /// nothing is noted.
    mutating func noteConvergence(_ update: RouteTableUpdate, at now: Instant) {
        guard case .running = life, router != nil else { return }
        let (fib, table) = (installer.fib, router!.routeTable)
        convergences.calculated(router!.calculatedChanges, at: now) { draft in
            for (id, destination) in update.destinations {
                guard let before = fib.nextHops(of: id), before != destination.nextHops else { continue }
                draft.note(ConvergenceTracker.Move(destination, .destination(id)))
            }
            for (prefix, id) in update.routes {
                guard let id, let destination = table.destinations[id] else {
                    draft.noteLost(prefix)
                    continue
                }
                guard let before = fib.nextHops(to: prefix) else {
                    draft.noteGained(prefix)
                    continue
                }
                guard before != destination.nextHops else { continue }
                draft.note(ConvergenceTracker.Move(destination, .prefix(prefix)))
            }
        }
    }

    /// Ends the convergence that is under way, if the kernel has all routes.
    mutating func noteInstalledRoutes(at now: Instant) {
        guard let draft = convergences.current, !installer.isBusy, !installer.fib.isDirty else { return }
        convergences.finish()
        effects.append(.converged(convergence(draft, installed: now)))
    }

    private func convergence(_ draft: ConvergenceTracker.Draft, installed now: Instant) -> Convergence {
        let neighbors = Dictionary(
            (router?.neighborSnapshots ?? []).map {
                (NextHop(interface: $0.interface, gateway: $0.address), $0.routerID)
            }, uniquingKeysWith: { first, _ in first })
        var result = Convergence(
            number: draft.number, began: draft.began, calculated: draft.calculated, installed: now,
            calculations: draft.calculations)
        (result.causeCount, result.movedCount) = (draft.changeCount, draft.moveCount)
        (result.lostCount, result.gainedCount) = (draft.lostCount, draft.gainedCount)
        result.causes = Array(draft.changes.prefix(Convergence.mostTexts).map { text(of: $0) })
        result.lost = names(of: draft.lost, draft.changes)
        result.gained = names(of: draft.gained, [])
        let shared = sharedPrefixes(of: draft.moves)
        var moves: [[String]: Set<String>] = [:]
        for move in draft.moves {
            let ways = Set(move.nextHops.map { neighbors[$0].map(shortName) ?? name(ofInterface: $0.interface) })
            moves[ways.sorted(), default: []].formUnion(names(of: move, shared))
        }
        result.moves = moves.sorted { $0.key.lexicographicallyPrecedes($1.key) }.prefix(Convergence.mostTexts).map {
            Convergence.Move(destinations: Array($0.value.sorted().prefix(Convergence.mostTexts)), neighbors: $0.key)
        }
        return result
    }

    /// The node whose prefixes move or, where several nodes announce them, the prefixes.
    private func names(of move: ConvergenceTracker.Move, _ shared: [DestinationID: [IPv6Prefix]]) -> [String] {
        switch move.subject {
        case .destination(let id) where move.isShared: (shared[id] ?? []).map(\.description)
        case .prefix(let prefix) where move.isShared: [prefix.description]
        case .destination, .prefix: move.announcers.map(shortName)
        }
    }

    /// The first prefixes of the destinations that several nodes announce.
    private func sharedPrefixes(of moves: [ConvergenceTracker.Move]) -> [DestinationID: [IPv6Prefix]] {
        var found: [DestinationID: [IPv6Prefix]] = [:]
        for move in moves where move.isShared {
            if case .destination(let id) = move.subject { found[id] = [] }
        }
        guard !found.isEmpty, router != nil else { return [:] }
        for (prefix, id) in router!.routeTable.routes where found[id] != nil {
            if found[id]!.count < Convergence.mostTexts { found[id]!.append(prefix) }
        }
        return found
    }

    /// The name of a router, or its ID.
    func shortName(_ router: RouterID) -> String {
        router == self.router?.routerID ? name : self.router?.lastHostname(of: router) ?? router.description
    }

    /// The nodes that announce prefixes, or have withdrawn them with these changes; where several do or none, the prefixes.
    private func names(of prefixes: [IPv6Prefix], _ changes: [DatabaseChange]) -> [String] {
        var seen: Set<String> = []
        var withdrawn: [IPv6Prefix: Set<RouterID>] = [:]
        for change in changes {
            for prefix in Self.prefixes(of: try? change.old?.body()).keys {
                withdrawn[prefix, default: []].insert(change.key.advertisingRouter)
            }
        }
        let names = prefixes.sorted().map { prefix in
            let known = Set((router?.candidates(for: prefix) ?? []).map(\.announcer))
            let announcers = known.isEmpty ? withdrawn[prefix] ?? [] : known
            return announcers.count == 1 ? shortName(announcers.first!) : "\(prefix)"
        }
        return Array(names.filter { seen.insert($0).inserted }.prefix(Convergence.mostTexts))
    }
}
