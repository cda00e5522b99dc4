public import Addressing
import OSPFPacket
public import Timing

/// Read access to the state of a router. Nothing here changes that state.
extension Router {
    /// Copies the large tables that this copy of a router shares with the original, so that the next change of the original
    /// does not copy them. Whoever has the copy calls this, on their own thread; see `Detach.swift` in `Addressing`.
    public mutating func detach() {
        database.detach()
        aging.detach()
        calculation.detach()
        routeTable.detach()
        origination.own.detach()
    }

    /// The interfaces in order of their index.
    public var interfaceSnapshots: [InterfaceSnapshot] {
        interfaces.map { interface in
            InterfaceSnapshot(
                configuration: interface.configuration,
                effectiveKind: interface.isBroadcast
                    ? .broadcast
                    : interface.isSilent ? interface.configuration.kind : .pointToPoint,
                state: interface.state(of: routerID), designatedRouter: interface.designatedRouter,
                backupDesignatedRouter: interface.backupDesignatedRouter, neighborCount: interface.neighbors.count,
                fullNeighborCount: interface.neighbors.count { $0.state == .full }, queuedLSAs: interface.flood.count,
                standbyFor: interface.activeInterface,
                mismatches: interface.mismatches.values.sorted { $0.neighbor < $1.neighbor })
        }
    }

    /// The neighbors in order of interface and router ID.
    public var neighborSnapshots: [NeighborSnapshot] {
        interfaces.flatMap { interface in
            interface.neighbors.map {
                NeighborSnapshot(
                    interface: interface.index, routerID: $0.routerID, interfaceID: $0.interfaceID,
                    address: $0.address, priority: $0.priority, options: $0.options, state: $0.state, since: $0.since,
                    inactivityDeadline: $0.inactivityDeadline, designatedRouter: $0.designatedRouter,
                    backupDesignatedRouter: $0.backupDesignatedRouter, stateChanges: $0.stateChanges,
                    retransmissionCount: $0.adjacency?.retransmissions.count ?? 0,
                    unacknowledgedSince: $0.adjacency?.retransmissions.stuckSince,
                    requestCount: $0.adjacency?.requests.count ?? 0,
                    lastFallback: $0.lastFallback, mismatchedMTU: $0.mismatchedMTU,
                    restart: $0.restart, heldUntil: $0.held?.until)
            }
        }
    }

    /// All LSAs with their ages at `now`, in the order of their keys.
    public func databaseSnapshot(at now: Instant) -> [DatabaseEntrySnapshot] {
        database.entries.sorted { $0.key < $1.key }.map { key, entry in
            var lsa = entry.lsa
            lsa.age = entry.age(at: now)
            return DatabaseEntrySnapshot(
                interface: key.interface == 0 ? nil : key.interface, lsa: lsa, installed: entry.installed,
                isOwn: key.lsa.advertisingRouter == routerID)
        }
    }

    /// Whether a router is a neighbor on an interface.
    public func hasNeighbor(_ router: RouterID, on interface: UInt32) -> Bool {
        interfaces.contains(NeighborKey(interface: interface, router: router))
    }

    /// The name that a router announces (RFC 5642), or our own configured name; `nil` if there is none.
    public func hostname(of router: RouterID) -> String? {
        router == routerID && !configuration.hostname.isEmpty
            ? configuration.hostname : calculation.hostname(of: router)
    }

    /// The name that a router announces or, when it announces none any more, announced last.
    public func lastHostname(of router: RouterID) -> String? { calculation.lastHostname(of: router) }

    /// All routers that have a router-LSA, in order of router ID.
    public var nodes: [RouterReachability] { calculation.nodes() }

    /// The smallest MTU that reachable routers announce for their interfaces, in octets; `nil` if none announces one.
    public var smallestMTU: UInt32? { calculation.smallestMTU }

    /// All candidates for the route to `prefix`: the best first, unreachable ones last.
    public func candidates(for prefix: IPv6Prefix) -> [PrefixCandidate] { calculation.candidates(for: prefix) }

    /// The reachable routers that announce `prefix` as their own, or as the designated router of a network with it.
    public func owners(of prefix: IPv6Prefix) -> Set<RouterID> { calculation.owners(of: prefix) }

    /// The prefixes that other routers announce as their own, and those of all networks, reachable or not: each once, in no
    /// particular order.
    public var prefixesOfOthers: [IPv6Prefix] { calculation.prefixes(ofOthersThan: routerID) }

    /// The single addresses that other routers announce, reachable or not, but for those of one machine.
    public var sharedAddressesOfOthers: Set<IPv6Address> { calculation.sharedAddresses(ofOthersThan: routerID) }

    /// The addresses that other routers announce as addresses of one machine, reachable or not.
    public var reservedAddressesOfOthers: Set<IPv6Address> { calculation.reservedAddresses(ofOthersThan: routerID) }

    /// The prefixes that several reachable routers claim as their own although they should belong to one: a maximum of 256,
    /// in order.
    public var duplicatePrefixes: [DuplicatePrefix] { calculation.duplicatePrefixes() }

    /// The reachable routers that would be cut off from the largest part of the mesh if this one forwarded no transit traffic,
    /// in order.
    public var routersSeparatedWithoutThis: [RouterID] { calculation.routersSeparated(without: routerID) }

    /// How many route calculations there were, by the work that they did.
    public var calculationStatistics: RouteCalculationStatistics { calculation.statistics }

    /// Whether others are asked to route around this router.
    public var isStubRouter: Bool { origination.isStubRouter }

    /// The number of LSAs in the database, and their total size in octets.
    public var databaseSize: (lsas: Int, octets: Int) { (database.entries.count, database.octetCount) }

    /// The sum of the checksums of all LSAs of area and AS scope: equal on all routers with equal databases.
    public var databaseChecksum: UInt32 { database.checksumSum }

    /// Whether ``RouterEvent/timer`` would declare a neighbor dead at `now`, because its hellos are missing.
    public func hasSilentNeighbor(at now: Instant) -> Bool {
        interfaces.contains { $0.neighbors.contains { $0.inactivityDeadline <= now } }
    }

    /// Whether any neighbor is in a state from ExStart to Loading.
    public var isExchanging: Bool {
        interfaces.contains { $0.neighbors.contains { $0.state >= .exStart && $0.state < .full } }
    }

    /// When another router with our router ID was last detected, on a link or by its LSAs; `nil` if never since we got this ID.
    public var duplicateRouterIDSeen: Instant? { duplicates.lastSeen }

    /// Whether this router resumes an earlier run (``RouterConfiguration/resumptionLimit``).
    public var isResuming: Bool { resumption != nil }

    /// Whether the database is synchronized: every interface that is neither passive nor on standby has a full neighbor, all
    /// full neighbors were reachable in the last calculation, no exchange and no resumption is under way, and no origination
    /// or calculation is pending. `false` if every interface is passive or on standby.
    public var isSynchronized: Bool {
        let active = interfaces.filter { !$0.isSilent }
        guard !active.isEmpty, isSettled, !isExchanging else { return false }
        return active.allSatisfy { interface in
            let full = interface.neighbors.filter { $0.state == .full }
            return !full.isEmpty && full.allSatisfy { calculation.distance(to: $0.routerID) != nil }
        }
    }

    /// Whether the router is at rest: no exchange and no resumption is under way, no link is held, no acknowledgment is owed or
    /// expected, no LSA is being flushed or merged with others, and nothing waits to be flooded, originated or calculated.
    public var isQuiet: Bool {
        isSettled && graceEnd == nil && origination.nextDeadline == nil && database.maxAged.isEmpty
            && interfaces.allSatisfy { interface in
                interface.flood.isEmpty && interface.delayedAcknowledgments.isEmpty
                    && interface.neighbors.allSatisfy { $0.held == nil && $0.restart == nil && $0.isQuiet }
            }
    }

    /// Whether no origination and no calculation waits for its time, and no resumption is under way.
    private var isSettled: Bool {
        !isResuming && !origination.isWaiting && origination.changes.isEmpty && !prefixesChanged
            && spfDelay.deadline == nil
    }
}
