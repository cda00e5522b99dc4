import Addressing
import OSPFPacket
internal import Timing

/// The bodies of our own LSAs (RFC 5340 §4.4.3). Each function returns those that may have changed, for the current
/// state of the router.
extension Router {
    /// An LSA of ours, and the body that it should have; `nil` to flush it.
    typealias Wanted = (key: DatabaseKey, body: LSABody?)

    func ownKey(_ type: LSAType, _ linkStateID: UInt32, interface: UInt32 = 0) -> DatabaseKey {
        Self.key(type, linkStateID, interface: interface, of: routerID)
    }

    private static func key(
        _ type: LSAType, _ linkStateID: UInt32, interface: UInt32 = 0, of router: RouterID
    ) -> DatabaseKey {
        DatabaseKey(
            interface: interface, lsa: LSAKey(type: type, linkStateID: linkStateID, advertisingRouter: router))
    }

    /// All LSAs that depend on what has changed. Prefixes are distributed over LSAs, of which only the changed ones are made.
    mutating func wantedBodies(after changes: Origination.Changes, at now: Instant) -> [Wanted] {
        var wanted: [Wanted] = []
        if changes.contains(.interfaces) {
            wanted += linkLSAs()
            wanted += routerLSAs()
            wanted += networkLSAs()
        }
        if changes.contains(.prefixes) { wanted += prefixLSAs(at: now) }
        if changes.contains(.externals) { wanted += externalLSAs() }
        if !changes.isDisjoint(with: [.identity, .interfaces]) { wanted += identityLSAs() }
        return wanted
    }

    /// The intra-area-prefix-LSAs and IPv4-prefix-LSAs with the node's prefixes (RFC 5340 §4.4.3.9).
    private mutating func prefixLSAs(at now: Instant) -> [Wanted] {
        let (own, routerID) = (origination.own, routerID)
        origination.prefixes.advance(at: now) { own[Self.key(.intraAreaPrefix, UInt32($0), of: routerID)] }
        origination.ipv4Prefixes.advance(at: now) { own[Self.key(.ipv4Prefix, UInt32($0), of: routerID)] }
        let prefixes = origination.prefixes.fragments.drainChanged().map { fragment, elements in
            let body = IntraAreaPrefixLSA(
                referencedType: .router, referencedLinkStateID: 0, referencedAdvertisingRouter: routerID,
                prefixes: elements)
            return (ownKey(.intraAreaPrefix, UInt32(fragment)), elements.isEmpty ? nil : LSABody.intraAreaPrefix(body))
        }
        let ipv4Prefixes = origination.ipv4Prefixes.fragments.drainChanged().map { fragment, elements in
            let body = elements.isEmpty ? nil : LSABody.ipv4Prefix(IPv4PrefixLSA(prefixes: elements))
            return (ownKey(.ipv4Prefix, UInt32(fragment)), body)
        }
        return prefixes + ipv4Prefixes
    }

    /// One link-LSA per interface with hellos (RFC 5340 §4.4.3.8), without prefixes: our addresses and prefixes are those of
    /// the node, not of a link.
    func linkLSAs() -> [Wanted] {
        interfaces.filter { !$0.isSilent }.map { interface in
            let body = LinkLSA(
                priority: interface.configuration.priority, options: options,
                linkLocalAddress: interface.configuration.linkLocalAddress, prefixes: [])
            return (ownKey(.link, interface.index, interface: interface.index), .link(body))
        }
    }

    /// The router-LSAs: one link per point-to-point neighbor that is full or whose link is held, and per transit network (RFC
    /// 5340 §4.4.3.2).
    private mutating func routerLSAs() -> [Wanted] {
        var wanted: [Origination.LinkKey: RouterLSA.Link] = [:]
        for interface in interfaces {
            for (neighbor, link) in routerLinks(of: interface) {
                wanted[Origination.LinkKey(interface: interface.index, neighbor: neighbor)] = link
            }
        }
        origination.links.update(to: wanted)
        // Flags and options, which may have changed, are in the LSA of every fragment.
        origination.links.markAllChanged()
        let flags: RouterLSA.Flags = origination.isBoundary ? .external : []
        var fragments = origination.links.drainChanged()
        // A router without links has a router-LSA, too: the first is never flushed.
        if fragments.isEmpty { fragments = [(0, [])] }
        return fragments.map { fragment, links in
            let body = RouterLSA(flags: flags, options: options, links: links)
            return (ownKey(.router, UInt32(fragment)), links.isEmpty && fragment > 0 ? nil : .router(body))
        }
    }

    /// The links of an interface, each with the router ID of the neighbor or the designated router.
    private func routerLinks(of interface: Interface) -> [(RouterID, RouterLSA.Link)] {
        // Maximum metrics keep paths from going through a stub router, for routers that ignore the R-bit (RFC 6987 §2).
        let metric = origination.isStubRouter ? UInt16.max : interface.configuration.cost
        switch interface.mode {
        case .passive, .standby, .waiting: return []
        case .pointToPoint:
            return interface.neighbors.filter(\.isLinked).map {
                let link = RouterLSA.Link(
                    type: .pointToPoint, metric: metric, interfaceID: interface.index,
                    neighborInterfaceID: $0.interfaceID, neighborRouterID: $0.routerID)
                return ($0.routerID, link)
            }
        case .elected(let outcome):
            let interfaceID: UInt32
            if outcome.designated == routerID {
                guard interface.neighbors.contains(where: { $0.state == .full }) else { return [] }
                interfaceID = interface.index
            } else {
                guard let designatedRouter = interface.neighbors.first(where: { $0.routerID == outcome.designated }),
                    designatedRouter.state == .full
                else { return [] }
                interfaceID = designatedRouter.interfaceID
            }
            let link = RouterLSA.Link(
                type: .transit, metric: metric, interfaceID: interface.index, neighborInterfaceID: interfaceID,
                neighborRouterID: outcome.designated)
            return [(outcome.designated, link)]
        }
    }

    /// The LSAs for the links whose designated router we are and on which a neighbor is full: the full neighbors and we, and
    /// the prefixes in the link-LSAs (RFC 5340 §4.4.3.3, §4.4.3.9). Earlier LSAs for other links are to be flushed.
    private mutating func networkLSAs() -> [Wanted] {
        var wanted: [Wanted] = []
        var designatedLinks: Set<UInt32> = []
        for interface in interfaces where interface.designatedRouter == routerID && interface.isBroadcast {
            let full = interface.neighbors.filter { $0.state == .full }.map(\.routerID)
            guard !full.isEmpty else { continue }
            designatedLinks.insert(interface.index)
            let attached = (full + [routerID]).sorted()
            let links = attached.compactMap { linkLSA(of: $0, on: interface.index) }
            let network = NetworkLSA(
                options: links.reduce(into: []) { $0.formUnion($1.options) }, attachedRouters: attached)
            wanted.append((ownKey(.network, interface.index), .network(network)))
            wanted += networkPrefixLSAs(links, on: interface.index)
        }
        let own = origination.own.keys.filter { $0.lsa.type == .network }.sorted()
        for key in own where !designatedLinks.contains(key.lsa.linkStateID) { wanted.append((key, nil)) }
        for index in origination.networkPrefixes.keys.sorted() where !designatedLinks.contains(index) {
            wanted += networkPrefixLSAs([], on: index)
        }
        return wanted
    }

    /// The intra-area-prefix-LSAs of a link whose designated router we are: the prefixes in the link-LSAs of its routers, each
    /// once, with the options of all and metric 0 (RFC 5340 §4.4.3.9). Without link-LSAs, those to flush.
    private mutating func networkPrefixLSAs(_ links: [LinkLSA], on index: UInt32) -> [Wanted] {
        var prefixes: [IPv6Prefix: LSAPrefix] = [:]
        for entry in links.flatMap(\.prefixes)
        where entry.options.isDisjoint(with: [.noUnicast, .localAddress]) && !entry.prefix.address.isLinkLocal {
            var merged = entry
            merged.metric = 0
            merged.options.formUnion(prefixes[entry.prefix]?.options ?? [])
            prefixes[entry.prefix] = merged
        }
        if prefixes.isEmpty, origination.networkPrefixes[index] == nil { return [] }
        var fragments = origination.networkPrefixes[index] ?? Origination.networkFragments()
        fragments.update(to: prefixes)
        let changed = fragments.drainChanged()
        origination.networkPrefixes[index] = fragments
        return changed.compactMap { fragment, elements in
            // After the top bit, 23 bits of the interface index and 8 of the fragment. A link with more prefixes than fit 256
            // LSAs loses the rest.
            guard fragment < 256 else { return nil }
            let linkStateID = Origination.networkPrefixBit | (index & 0x7f_ffff) << 8 | UInt32(fragment)
            let body = IntraAreaPrefixLSA(
                referencedType: .network, referencedLinkStateID: index, referencedAdvertisingRouter: routerID,
                prefixes: elements)
            return (ownKey(.intraAreaPrefix, linkStateID), elements.isEmpty ? nil : .intraAreaPrefix(body))
        }
    }

    /// The link-LSA of a router on a link of ours, if the database has it.
    private func linkLSA(of router: RouterID, on index: UInt32) -> LinkLSA? {
        let interfaceID: UInt32? =
            if router == routerID {
                index
            } else {
                interfaces[index].neighborIndex(of: router).map { interfaces[index].neighbors[$0].interfaceID }
            }
        guard let interfaceID else { return nil }
        let key = DatabaseKey(
            interface: index, lsa: LSAKey(type: .link, linkStateID: interfaceID, advertisingRouter: router))
        guard let entry = database[key], entry.lsa.age < LSAHeader.maxAge,
            case .link(let body)? = try? entry.lsa.body()
        else { return nil }
        return body
    }

    /// One AS-external-LSA per imported prefix (RFC 5340 §4.4.3.6), and those of prefixes that are no longer imported, to flush
    /// them.
    private mutating func externalLSAs() -> [Wanted] {
        var wanted: [Wanted] = []
        for (prefix, linkStateID) in origination.externalIDs.sorted(by: { $0.value < $1.value }) {
            let key = ownKey(.asExternal, linkStateID)
            guard let imported = origination.externals[prefix] else {
                origination.externalIDs[prefix] = nil
                wanted.append((key, nil))
                continue
            }
            // At most the largest metric that is not LSInfinity.
            let body = ASExternalLSA(
                isType2: imported.isType2, metric: min(imported.metric, 0xff_fffe), prefix: LSAPrefix(prefix: prefix))
            wanted.append((key, .asExternal(body)))
        }
        return wanted
    }

    /// The names of ports in the order of their interface IDs, as many as have room: the LSA must fit every link (1280 octets).
    private var announcedPortNames: [RouterInformationLSA.PortName] {
        var room = 800
        return portNames.sorted { $0.key < $1.key }.lazy.map {
            RouterInformationLSA.PortName(interfaceID: $0.key, name: $0.value)
        }.prefix { entry in
            room -= entry.size
            return room >= 0
        }
    }

    /// The Router Information LSA (RFC 7770), with the node's name (RFC 5642), and the smallest MTU and the names of its non-passive
    /// interfaces, if there are any; and the auto-configuration-LSA, if the fingerprint is announced (RFC 7503 §7.2).
    private func identityLSAs() -> [Wanted] {
        var wanted: [Wanted] = []
        // Bit 2, counted from the most significant: stub router support (RFC 7770 §2.4).
        var values: [RouterInformationLSA.TLV] = [.informationalCapabilities(1 << 29)]
        if !configuration.hostname.isEmpty { values.append(.hostname(configuration.hostname)) }
        let mtu = interfaces.lazy.filter { !$0.isPassive }.map(\.configuration.mtu).min()
        if let mtu { values.append(.smallestMTU(UInt32(clamping: mtu))) }
        let names = announcedPortNames
        if !names.isEmpty { values.append(.portNames(names)) }
        wanted.append((ownKey(.routerInformation, 0), .routerInformation(RouterInformationLSA(values: values))))
        if configuration.announcesFingerprint {
            let body = AutoConfigurationLSA(values: [.hardwareFingerprint(configuration.hardwareFingerprint)])
            wanted.append((ownKey(.autoConfiguration, 0), .autoConfiguration(body)))
        }
        return wanted
    }
}
