internal import Addressing
internal import ControlAPI
internal import Glibc
internal import Links
internal import MeshConfiguration
internal import Node
internal import OSPF
internal import Routing
internal import Services

extension AgentSnapshot {
    /// The state of the node.
    var status: Status {
        Status(
            version: Version.text, pid: Int(getpid()), uptime: age(since: started), phase: phase,
            ready: notReady.isEmpty, notReady: notReady, routerID: router?.routerID.description ?? "0.0.0.0",
            routerIDIsDerived: router?.configuration.routerIDIsDerived ?? true,
            area: configuration.ospf.area.description, instance: Int(configuration.ospf.instance),
            address: node.placedOwnAddresses.first?.description,
            ipv4Address: node.placedOwnAddresses.first { $0.ipv4 != nil }?.description,
            announces: announced.map(\.prefix.description),
            stubRouter: router?.isStubRouter ?? false, drained: isDrained, configuration: configurationStatus,
            cluster: clusterStatus,
            kernel: Status.KernelStatus(
                table: Int(configuration.kernel.table), routeProtocol: Int(configuration.kernel.routeProtocol),
                nextHopObjects: fib.map { $0.configuration.mode == .objects } ?? true,
                problems: problems.filter { $0.kind.isOfTheKernel }.map(\.line)),
            counts: counts,
            problems: problems.map {
                Status.Problem(
                    kind: $0.kind.rawValue, subject: $0.subject, problem: $0.text, remedy: $0.remedy,
                    age: age(since: $0.since ?? now))
            }, isolated: node.isIsolated, otherNetworks: otherNetworks, events: events.latestLines)
    }

    /// The ports that seem to belong to another network, and why.
    private var otherNetworks: [String] {
        interfaces.unused.values.sorted { $0.link.index < $1.link.index }.compactMap { port in
            guard case .foreignNetwork = port.reason else { return nil }
            return "\(port.link.name): \(port.reason.text(of: port.link.name))"
        }
    }

    private var clusterStatus: Status.ClusterStatus? {
        cluster.map { cluster in
            Status.ClusterStatus(
                source: cluster.origin, connected: cluster.isConnected,
                problems: cluster.problems
                    + problems.filter { [.serviceAddress, .serviceProxy].contains($0.kind) }.map(\.text),
                objects: cluster.resources.mapValues(\.objects), podCIDRs: cluster.podCIDRs.map(\.description),
                drainReason: cluster.node.drainReason,
                pools: cluster.pools.map { use in
                    Status.PoolStatus(
                        name: use.pool, family: use.family.rawValue, used: use.used,
                        addresses: Int(exactly: use.addresses))
                }, assignsAddresses: cluster.assignsAddresses)
        }
    }

    private var counts: Status.Counts {
        var counts = Status.Counts()
        counts.interfaces = interfaces.ports.count
        counts.interfacesUp = interfaces.ports.values.count { if case .up = $0.state { true } else { false } }
        counts.vips = vips.entries.count + serviceAddresses.entries.count
        counts.vipsAnnounced =
            vips.announced.count { node.ledger.isPlaced($0) }
            + (gate.hasOpened ? serviceAddresses.entries.keys.count { node.ledger.isPlaced($0) } : 0)
        guard let router else { return counts }
        let neighbors = router.neighborSnapshots
        counts.neighbors = neighbors.count
        counts.neighborsFull = neighbors.count { $0.state == .full }
        let nodes = router.nodes
        counts.nodes = nodes.count
        counts.nodesReachable = nodes.count { $0.distance != nil }
        counts.routes = router.routeTable.routes.count
        counts.routesInstalled = router.routeTable.routes.keys.count { fib?.state(of: $0) == .installed }
        counts.lsas = router.databaseSize.lsas
        counts.spfRuns = router.calculationStatistics.shortestPathRuns
        return counts
    }
}

extension Problem.Kind {
    /// Whether `kernel.problems` of a status has it too. That list is older than the one of all problems; old clients read it.
    fileprivate var isOfTheKernel: Bool {
        switch self {
        case .kernel, .refusedAddress, .setting, .membership, .loopbackDown, .duplicateAddress, .ipv4Range, .podNetwork,
            .unsaved:
            true
        default: false
        }
    }
}

extension RouteCalculationStatistics {
    /// The number of calculations of shortest paths, full or incremental.
    var shortestPathRuns: Int { fullRuns + incrementalRuns }
}
