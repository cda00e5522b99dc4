internal import Addressing
internal import ControlAPI
internal import Links
internal import Liveness
internal import MeshConfiguration
internal import Node
internal import OSPF
internal import OSPFPacket
internal import Services
internal import Timing

extension AgentSnapshot {
    var neighborList: [Neighbor] {
        guard let router else { return [] }
        let links = interfaceSnapshots
        return router.neighborSnapshots.map { neighbor in
            Neighbor(
                node: name(of: neighbor.routerID), routerID: neighbor.routerID.description,
                interface: name(ofInterface: neighbor.interface), address: neighbor.address.description,
                state: neighbor.state.description, age: age(since: neighbor.since),
                deadIn: Self.seconds(neighbor.inactivityDeadline - now), priority: Int(neighbor.priority),
                designatedRouter: neighbor.designatedRouter.textUnlessNone,
                backupDesignatedRouter: neighbor.backupDesignatedRouter.textUnlessNone,
                stateChanges: neighbor.stateChanges, retransmissions: neighbor.retransmissionCount,
                requests: neighbor.requestCount, echo: echo(of: neighbor), bfd: session(of: neighbor),
                restart: neighbor.restart.map {
                    Neighbor.Restart(reason: $0.reason.text, heldFor: Self.seconds($0.until - now))
                },
                // What keeps routes from using it, else the first problem about it in the list of problems.
                problem: links[neighbor.interface].flatMap { link in
                    node.problem(of: neighbor, on: link, at: now)
                        ?? node.problems(of: neighbor, on: link, at: now).first?.text
                })
        }
    }

    private func echo(of neighbor: NeighborSnapshot) -> Neighbor.Echo? {
        let key = EchoTarget.Key(interface: neighbor.interface, address: neighbor.address)
        if node.liveness.isExempt(key) {
            return Neighbor.Echo(
                state: "exempt", roundTrip: nil, roundTrip99: nil, loss: nil, sent: 0, answered: 0)
        }
        guard let known = echoes[key] else { return nil }
        let state =
            switch known.state {
            case .untested: "untested"
            case .unanswered: "unanswered"
            case .answering: "answering"
            case .failed(let answersAgain): answersAgain ? "recovering" : "failed"
            }
        let figures = known.figures
        return Neighbor.Echo(
            state: state, roundTrip: figures.roundTrip(quantile: 0.5).map(Self.exactSeconds),
            roundTrip99: figures.roundTrip(quantile: 0.99).map(Self.exactSeconds), loss: figures.loss,
            sent: Int(clamping: figures.sent), answered: Int(clamping: figures.answered),
            unexpected: Int(clamping: figures.unexpected),
            largestPacket: node.largestPacket(to: neighbor.address, on: neighbor.interface))
    }

    private static func exactSeconds(_ duration: Duration) -> Double { Double(duration.nanoseconds) / 1e9 }

    /// The interfaces of the router, by index.
    private var interfaceSnapshots: [UInt32: InterfaceSnapshot] {
        Dictionary((router?.interfaceSnapshots ?? []).map { ($0.configuration.index, $0) }, uniquingKeysWith: { $1 })
    }

    /// The ports of the mesh.
    var interfaceList: [Interface] {
        let snapshots = interfaceSnapshots
        let neighbors = router?.neighborSnapshots ?? []
        return interfaces.ports.values.sorted { $0.link.index < $1.link.index }.map { port in
            let link = port.link
            var item = Interface(
                name: link.name, index: Int(link.index), type: port.rule.role.typeText,
                configuredType: port.rule.role.typeText, state: InterfaceState.down.rawValue, carrier: link.hasCarrier,
                problem: nil, address: nil, mac: link.macAddress?.description, mtu: link.mtu, cost: cost(of: port),
                hello: Self.seconds(port.rule.hello), dead: Self.seconds(port.rule.dead))
            item.decision = "the rule \(port.rule.pattern.text) of `interfaces` matches it"
            // The reason why the port is down, else mismatches, else that nobody is heard on it.
            switch port.state {
            case .down(let reason): item.problem = reason
            case .up(let configuration): item.address = configuration.linkLocalAddress.description
            }
            item.avoided = node.isAvoided(link.index) ? true : nil
            guard let snapshot = snapshots[link.index] else { return item }
            item.state = snapshot.state.rawValue
            if !snapshot.configuration.isPassive { item.type = snapshot.effectiveKind.rawValue }
            item.neighbors = snapshot.neighborCount
            item.neighborsFull = snapshot.fullNeighborCount
            item.designatedRouter = snapshot.designatedRouter.textUnlessNone
            item.backupDesignatedRouter = snapshot.backupDesignatedRouter.textUnlessNone
            item.queued = snapshot.queuedLSAs
            var mismatches = snapshot.mismatches.filter { $0.deadline > now }.map {
                "\(label(of: $0.neighbor)): \(Mismatch.hello($0.field, theirs: $0.theirs, ours: $0.ours))"
            }
            for neighbor in neighbors where neighbor.interface == link.index {
                guard let text = node.problem(of: neighbor, on: snapshot, at: now) else { continue }
                mismatches.append("\(label(of: neighbor.routerID)): \(text)")
            }
            if !mismatches.isEmpty { item.problem = mismatches.joined(separator: "; ") }
            if item.problem == nil { item.problem = node.silentPortReason(on: snapshot, at: now) }
            if item.problem == nil { item.problem = node.cableProblems(ofPort: link.index, at: now).first?.text }
            return item
        }
    }

    /// The ports that are not used, and why: all, or those that an operator may miss (gone, or on another network).
    func unusedInterfaceList(all: Bool) -> [Interface] {
        let ports = interfaces.unused.values.filter { all || $0.reason.mayBeMissed }
        return ports.sorted { $0.link.index < $1.link.index }.map { port in
            let link = port.link
            var item = Interface(
                name: link.name, index: Int(link.index), type: "unused", configuredType: "unused",
                state: InterfaceState.down.rawValue, carrier: link.hasCarrier, problem: nil, address: nil,
                mac: link.macAddress?.description, mtu: link.mtu, cost: 0, hello: 0, dead: 0)
            item.decision = port.reason.text(of: link.name)
            if port.reason.mayBeMissed { item.problem = item.decision }
            return item
        }
    }

    /// The routers in the database.
    var nodeList: [ControlAPI.Node] {
        guard let router else { return [] }
        var links: [RouterID: [RouterLSA.Link]] = [:]
        for entry in router.databaseSnapshot(at: now)
        where entry.lsa.key.type == .router && entry.lsa.age < LSAHeader.maxAge {
            guard case .router(let body)? = try? entry.lsa.body() else { continue }
            links[entry.lsa.key.advertisingRouter, default: []] += body.links
        }
        return router.nodes.map { node in
            ControlAPI.Node(
                node: node.hostname, routerID: node.routerID.description, isSelf: node.routerID == router.routerID,
                reachable: node.distance != nil, metric: node.distance.map(Int.init), stubRouter: node.isStub,
                isBorder: node.flags.contains(.border), isExternal: node.flags.contains(.external),
                prefixes: node.prefixes.map(\.prefix.description),
                links: (links[node.routerID] ?? []).map { link in
                    ControlAPI.Node.Link(
                        routerID: link.neighborRouterID.description, node: name(of: link.neighborRouterID),
                        type: link.type.text, cost: Int(link.metric), interfaceID: Int(link.interfaceID),
                        neighborInterfaceID: Int(link.neighborInterfaceID))
                })
        }
    }

    /// What this node knows of the mesh.
    var document: SnapshotDocument {
        let lsas = router?.databaseSnapshot(at: now).map(\.lsa).filter { $0.key.type.scope != .linkLocal } ?? []
        return SnapshotDocument(
            node: node.name, routerID: (router?.routerID ?? .none).description, time: Timestamp.now,
            ports: interfaces.ports.values.map(\.link).sorted { $0.index < $1.index }.map {
                SnapshotDocument.Port(name: $0.name, interfaceID: Int($0.index))
            },
            lsas: lsas.map(\.octets))
    }

    /// VIPs and service addresses.
    var vipList: [ControlAPI.VIP] { configuredVIPs + clusterVIPs }

    private var configuredVIPs: [ControlAPI.VIP] {
        vips.entries.map { entry in
            return ControlAPI.VIP(
                name: entry.vip.name, address: entry.vip.address.description, state: entry.stateText,
                announced: entry.isAnnounced && node.ledger.isPlaced(entry.vip.address),
                metric: isDrained ? Int(AdvertisedPrefix.lastResort) : 0, age: age(since: entry.since),
                check: entry.vip.check?.probe.text,
                lastError: entry.lastError ?? refusal(of: entry.vip.address),
                lastCheck: entry.lastCheck.map { age(since: $0) },
                streak: entry.health.streak,
                checks: entry.checks, failures: entry.failures,
                others: others(announcing: entry.vip.address))
        }
    }

    private var clusterVIPs: [ControlAPI.VIP] {
        serviceAddresses.entries.sorted { $0.key < $1.key }.map { address, entry in
            return ControlAPI.VIP(
                name: entry.services.joined(separator: ","), address: address.description,
                state: entry.stateText, announced: gate.hasOpened && node.ledger.isPlaced(address),
                metric: isDrained || !gate.isOpen || entry.isLastResort ? Int(AdvertisedPrefix.lastResort) : 0,
                age: age(since: entry.since), check: nil,
                lastError: refusal(of: address), lastCheck: nil, streak: 0, checks: 0, failures: 0,
                others: others(announcing: address))
        }
    }

    /// Why an address was last refused (``AddressLedger/refusal(of:)``), as text for people; `nil` without a refusal.
    private func refusal(of address: IPv6Address) -> String? {
        node.ledger.refusal(of: address).map { "the address cannot be put on lo: \($0)" }
    }

    /// The other routers that announce an address, by name or router ID.
    private func others(announcing address: IPv6Address) -> [String] {
        let announcers = router?.candidates(for: IPv6Prefix(host: address)) ?? []
        return announcers.map(\.announcer).filter { $0 != router?.routerID }.map { label(of: $0) }.sorted()
    }
}

extension RouterID {
    fileprivate var textUnlessNone: String? { self == .none ? nil : description }
}

extension InterfaceRule.Role {
    /// The name in the configuration.
    var typeText: String {
        switch self {
        case .active(let kind): kind.rawValue
        case .passive: "passive"
        case .ignored: "ignored"
        }
    }
}

extension InterfaceTable.Unused.Reason {
    /// Whether an operator may wonder why a port is not used for this reason. The other reasons follow from the
    /// configuration of the node or of the machine.
    fileprivate var mayBeMissed: Bool {
        switch self {
        case .gone, .foreignNetwork: true
        case .noRule, .ignored, .hasMaster: false
        }
    }
}

extension InterfaceRule.Pattern {
    /// The text in the configuration.
    fileprivate var text: String {
        switch self {
        case .everyCabledPort: "*"
        case .named(let glob): glob.description
        }
    }
}

extension RouterLSA.LinkType {
    /// The name in the API.
    var text: String {
        switch self {
        case .pointToPoint: "p2p"
        case .transit: "transit"
        case .virtual: "virtual"
        }
    }
}

extension ServiceAddresses.Entry {
    fileprivate var stateText: ControlAPI.VIP.State {
        switch self.state {
        case .announced, .lastResort: .service
        case .flapping: .flapping
        case .leaving: .leaving
        }
    }
}

extension VIPTable.Entry {
    fileprivate var stateText: ControlAPI.VIP.State {
        guard vip.check != nil else { return .unchecked }
        switch health {
        case .unknown: return .unknown
        case .healthy: return .healthy
        case .unhealthy: return .unhealthy
        case .stalled: return .stalled
        }
    }
}

extension Probe {
    /// A short description: `tcp [::1]:6443`.
    fileprivate var text: String {
        let targets = endpoints.map(\.description).joined(separator: " or ")
        switch self {
        case .tcp: return "tcp \(targets)"
        case .http(let probe): return "\(probe.tls == nil ? "http" : "https") \(targets)\(probe.path)"
        case .command(let probe): return "exec \(probe.command.joined(separator: " "))"
        }
    }
}
