public import Addressing
internal import Links
internal import Node
internal import Routing

/// A model of a kernel's routes, next-hop objects and addresses: what it accepts, what it refuses, and what it removes without
/// notification when a link loses its carrier.
public struct ModelKernel: Sendable {
    private enum Object: Sendable {
        case single(NextHop)
        case group(NextHopGroup)
    }

    /// The addresses on `lo`: `true` for one with our mark, which the agent has added, `false` for one of another program.
    public internal(set) var addresses: [IPv6Address: Bool] = [:]
    /// Our nftables table; `nil` if it does not exist.
    var bypass: ProxyBypass.Contents?
    /// Whether another program has changed or removed that table since it was last written.
    private(set) var isBypassChanged = false
    /// Whether it forwards packets.
    public internal(set) var forwards = true
    /// Whether all requests about routes fail, as with ENOBUFS.
    var isUnreachable = false
    /// Addresses that it refuses to add; those on `lo` stay.
    var refusedAddresses: Set<IPv6Address> = []
    /// Addresses that its neighbor table has as those of other machines.
    var addressesOfOthers: Set<IPv6Address> = []
    /// Routes of other programs.
    var foreignRoutes: [ForeignRoute] = []
    /// Default routes of other programs.
    var defaultRoutes: Set<DefaultRoute> = []
    /// Prefixes to which it refuses new routes; it still replaces routes that exist.
    var refusedPrefixes: Set<IPv6Prefix> = []
    /// The number of routes that were removed on request, or with the object that they pointed at.
    public private(set) var routeLosses = 0
    /// How often each service route was removed on request.
    private(set) var serviceRouteLosses: [IPv6Prefix: Int] = [:]
    /// The number of addresses that the agent has removed.
    private(set) var addressRemovals = 0
    /// How many of them had no mark of ours; must be 0.
    private(set) var foreignAddressRemovals = 0
    /// Single next hops and groups.
    private var objects: [NextHopID: Object] = [:]
    /// The node's routes, each with its group.
    private var routes: [IPv6Prefix: NextHopID] = [:]
    /// The node's service routes, which other routes to the same prefix come before.
    private(set) var serviceRoutes: Set<IPv6Prefix> = []
    /// The source address for new IPv4 routes; `nil` for none.
    var preferredSource: IPv4Address?
    /// The source addresses of IPv4 routes. When one is removed, its routes go too, without notification.
    private var sources: [IPv6Prefix: IPv4Address] = [:]
    /// The indexes of the interfaces with carrier.
    private var interfacesWithCarrier: Set<UInt32> = []
    /// The source addresses of IPv4 service routes.
    private var serviceSources: [IPv6Prefix: IPv4Address] = [:]
    /// The number of requested changes of routes that succeeded; a change of a group is not one.
    public private(set) var routeChanges = 0
    /// The number of requested changes of routes and next-hop objects that succeeded.
    public private(set) var changes = 0

    /// The prefixes of the node's routes.
    var prefixes: some Collection<IPv6Prefix> { routes.keys }
    var groupCount: Int { objects.values.count { if case .group = $0 { true } else { false } } }
    var singleCount: Int { objects.count - groupCount }

    /// Applies a change. Returns why it is refused; `nil` if it is not.
    mutating func apply(_ change: FIBChange) -> FIBFailure? {
        if let reason = refusal(of: change) { return FIBFailure(reason, message: "\(reason)") }
        changes += 1
        switch change {
        case .addNextHop(let id, let hop): objects[id] = .single(hop)
        case .addGroup(let id, let group), .replaceGroup(let id, let group): objects[id] = .group(group)
        case .addRoute(let prefix, .group(let id)), .replaceRoute(let prefix, .group(let id)):
            routes[prefix] = id
            sources[prefix] = prefix.ipv4 == nil ? nil : preferredSource
            routeChanges += 1
        case .addRoute, .replaceRoute: preconditionFailure("this kernel has next-hop objects")
        case .removeRoute(let prefix):
            routes[prefix] = nil
            routeChanges += 1
            routeLosses += 1
        case .addServiceRoute(let prefix), .replaceServiceRoute(let prefix):
            serviceRoutes.insert(prefix)
            serviceSources[prefix] = prefix.ipv4 == nil ? nil : preferredSource
        case .removeServiceRoute(let prefix):
            serviceRoutes.remove(prefix)
            serviceRouteLosses[prefix, default: 0] += 1
        case .removeGroup(let id), .removeNextHop(let id): remove(id)
        }
        return nil
    }

    /// Why a change is refused; `nil` if it is not.
    private func refusal(of change: FIBChange) -> FIBFailure.Reason? {
        switch change {
        case .addNextHop(let id, let hop):
            objects[id] != nil ? .exists : interfacesWithCarrier.contains(hop.interface) ? nil : .linkUnusable
        case .addGroup(let id, let group): objects[id] != nil ? .exists : refusal(of: group)
        case .replaceGroup(let id, let group):
            objects[id] == nil ? .missing : refusal(of: group, replacing: objects[id])
        case .addRoute(let prefix, _) where refusedPrefixes.contains(prefix): .refused
        case .addRoute(let prefix, _) where hasNoSource(prefix): .refused
        case .replaceRoute(let prefix, _) where hasNoSource(prefix): .refused
        case .addRoute(let prefix, let target): routes[prefix] != nil ? .exists : refusal(of: target)
        case .replaceRoute(let prefix, let target): routes[prefix] == nil ? .missing : refusal(of: target)
        case .removeRoute(let prefix): routes[prefix] == nil ? .missing : nil
        case .addServiceRoute(let prefix) where refusedPrefixes.contains(prefix): .refused
        case .addServiceRoute(let prefix) where hasNoSource(prefix): .refused
        case .replaceServiceRoute(let prefix) where hasNoSource(prefix): .refused
        case .addServiceRoute(let prefix): serviceRoutes.contains(prefix) ? .exists : nil
        case .replaceServiceRoute(let prefix), .removeServiceRoute(let prefix):
            serviceRoutes.contains(prefix) ? nil : .missing
        case .removeGroup(let id), .removeNextHop(let id): objects[id] == nil ? .missing : nil
        }
    }

    /// Whether a route would have a source address that is not on `lo`.
    private func hasNoSource(_ prefix: IPv6Prefix) -> Bool {
        guard prefix.ipv4 != nil, let preferredSource else { return false }
        return addresses[IPv6Address(preferredSource)] == nil
    }

    private func refusal(of group: NextHopGroup, replacing old: Object? = nil) -> FIBFailure.Reason? {
        if case .group(let old) = old, old.isResilient != group.isResilient { return .invalid }
        let areSingles = group.objects.allSatisfy { if case .single = objects[$0] { true } else { false } }
        return areSingles && !group.members.isEmpty ? nil : .invalid
    }

    private func refusal(of target: RouteTarget) -> FIBFailure.Reason? {
        guard case .group(let id) = target, case .group = objects[id] else { return .invalid }
        return nil
    }

    /// Removes an object, also from its groups. Groups that become empty go too, and routes that point at a removed object.
    private mutating func remove(_ id: NextHopID) {
        objects[id] = nil
        for (groupID, object) in objects {
            guard case .group(var group) = object, group.objects.contains(id) else { continue }
            group.members.removeAll { $0 == id }
            if group.backup == id { group.backup = nil }
            if group.members.isEmpty, let backup = group.backup { (group.members, group.backup) = ([backup], nil) }
            if group.members.isEmpty { remove(groupID) } else { objects[groupID] = .group(group) }
        }
        let count = routes.count
        routes = routes.filter { $0.value != id }
        routeLosses += count - routes.count
    }

    /// Another program removes a route. Returns whether there was one.
    mutating func removeOwnRoute(_ prefix: IPv6Prefix) -> Bool { routes.removeValue(forKey: prefix) != nil }

    /// Another program removes a service route. Returns whether there was one.
    mutating func removeServiceRoute(_ prefix: IPv6Prefix) -> Bool { serviceRoutes.remove(prefix) != nil }

    /// Removes all routes and next-hop objects of the node.
    mutating func removeAllRoutes() { (objects, routes, serviceRoutes) = ([:], [:], []) }

    /// Carries out a request to nftables.
    mutating func carryOut(_ request: ProxyBypass.Request) -> ProxyBypass.Outcome {
        if isUnreachable { return .failed("the simulated kernel is out of buffers") }
        switch request {
        case .update(var contents, let keepsAddresses):
            if keepsAddresses, let bypass { contents.addresses.formUnion(bypass.addresses) }
            (bypass, isBypassChanged) = (contents, false)
        case .replace(let contents): (bypass, isBypassChanged) = (contents, false)
        case .change(let adding, let removing):
            guard bypass != nil else { return .changedByOthers }
            bypass?.addresses.formUnion(adding)
            bypass?.addresses.subtract(removing)
        case .check: return isBypassChanged ? .changedByOthers : .done
        case .remove: (bypass, isBypassChanged) = (nil, false)
        }
        return .done
    }

    /// Another program removes all nftables tables.
    mutating func flushTables() {
        if bypass != nil { isBypassChanged = true }
        bypass = nil
    }

    /// Adds or removes an address.
    mutating func carryOut(_ request: AddressLedger.Request) -> AddressLedger.Outcome {
        switch request {
        case .add(let address, let ifUnclaimed):
            if ifUnclaimed, addressesOfOthers.contains(address) { return .refused("another machine has it") }
            if refusedAddresses.contains(address) { return .refused("permission denied") }
            if let isOurs = addresses[address] { return .present(isOurs: isOurs) }
            addresses[address] = true
            return .added
        case .remove(let address):
            if let isOurs = removeAddress(address) {
                addressRemovals += 1
                if !isOurs { foreignAddressRemovals += 1 }
            }
            return .removed
        }
    }

    /// Removes an address, and the routes with it as the source. Returns whether it had our mark; `nil` if it was not there.
    mutating func removeAddress(_ address: IPv6Address) -> Bool? {
        guard let isOurs = addresses.removeValue(forKey: address) else { return nil }
        if let source = address.ipv4 {
            for (prefix, other) in sources where other == source { routes[prefix] = nil }
            sources = sources.filter { $0.value != source }
            serviceRoutes = serviceRoutes.filter { serviceSources[$0] != source }
        }
        return isOurs
    }

    /// The routes of other programs that overlap `pools`.
    func foreignRoutes(overlapping pools: [IPv6Prefix]) -> [ForeignRoute] {
        foreignRoutes.filter { route in pools.contains { $0.contains(route.prefix) || route.prefix.contains($0) } }
    }

    /// Corrects settings. This model knows only forwarding.
    mutating func apply(_ wanted: [KernelSetting]) -> [SettingOutcome] {
        guard wanted.contains(.forwarding) else { return [] }
        let result: SettingOutcome.Result = forwards ? .unchanged : .changed(from: "0")
        forwards = true
        return [SettingOutcome(name: "net.ipv6.conf.all.forwarding", wanted: "1", result: result)]
    }

    /// Sets the carrier of an interface. Without carrier, its next-hop objects are removed, as in Linux.
    mutating func setCarrier(_ interface: UInt32, hasCarrier: Bool) {
        if hasCarrier {
            interfacesWithCarrier.insert(interface)
            return
        }
        interfacesWithCarrier.remove(interface)
        for (id, object) in objects {
            if case .single(let hop) = object, hop.interface == interface { remove(id) }
        }
    }

    /// What the node reads: all next-hop objects and groups, and with `.everything` its routes.
    func read(_ extent: FIB.ReadExtent) -> KernelRoutes {
        var result = KernelRoutes(routes: nil)
        for (id, object) in objects {
            switch object {
            case .single(let hop): result.nextHops[id] = hop
            case .group(let group): result.groups[id] = group
            }
        }
        guard extent == .everything else { return result }
        result.routes = routes.mapValues { .group($0) }
        for prefix in serviceRoutes {
            result.serviceRoutes[prefix] = serviceSources[prefix] == (prefix.ipv4 == nil ? nil : preferredSource)
        }
        return result
    }

    /// The next hops of the route to exactly this prefix; `nil` if there is no such route.
    public func nextHops(of prefix: IPv6Prefix) -> [NextHop]? {
        guard let group = group(of: prefix) else { return nil }
        return group.members.compactMap { if case .single(let hop) = objects[$0] { hop } else { nil } }.sorted()
    }

    /// The backup of the only next hop of the route to exactly this prefix; `nil` if there is none.
    public func backup(of prefix: IPv6Prefix) -> NextHop? {
        guard let id = group(of: prefix)?.backup, case .single(let hop) = objects[id] else { return nil }
        return hop
    }

    /// Whether the route to exactly this prefix has a resilient group; `nil` if there is no such route.
    func isResilient(_ prefix: IPv6Prefix) -> Bool? { group(of: prefix)?.isResilient }

    private func group(of prefix: IPv6Prefix) -> NextHopGroup? {
        guard let id = routes[prefix], case .group(let group) = objects[id] else { return nil }
        return group
    }

    /// The next hops of the longest match for an address; `nil` if there is no route.
    func nextHops(towards address: IPv6Address) -> [NextHop]? {
        for length in stride(from: 128, through: address.ipv4 == nil ? 0 : 96, by: -1) {
            if let found = nextHops(of: IPv6Prefix(address, length: length)) { return found }
        }
        return nil
    }
}
