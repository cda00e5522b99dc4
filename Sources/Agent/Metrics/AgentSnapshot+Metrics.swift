internal import Addressing
internal import ControlAPI
internal import Linux
internal import MeshConfiguration
internal import Netlink
internal import Node
internal import OSPF
internal import OSPFPacket
internal import PrometheusMetrics
internal import Routing
internal import Services
internal import Timing

extension AgentSnapshot {
    /// Everything as metrics. What the kernel counts of its interfaces is no part of a snapshot: whoever asks reads it; nor
    /// is what is counted beside the routing thread, which is in `registry`.
    func metrics(links: [String: LinkCounters], registry: PrometheusRegistry) -> String {
        var metrics = MetricsText()
        metrics.family("build_info", .gauge, "Constant 1, labelled with the version.") {
            $0.sample(["version": Version.text], value: 1)
        }
        metrics.single("ready", .gauge, "Whether the node's routes can be relied on.", notReady.isEmpty)
        metrics.single(
            "drained", .gauge, "Whether the node was made ready to be taken away (meshctl drain).", isDrained)
        let problems = self.problems
        metrics.family("problems", .gauge, "Problems that somebody should look at, by kind; see meshctl status.") {
            for kind in Problem.Kind.allCases {
                $0.sample(["kind": kind.rawValue], value: problems.count { $0.kind == kind })
            }
        }
        metrics.single(
            "config_last_reload_successful", .gauge, "Whether the configuration file as last seen is in use.",
            configurationStatus.ok)
        metrics.single(
            "notices_passed_over_total", .counter,
            "Notices about others that were not logged because there were many of their kind.",
            node.limiter.passedOver)
        addLinks(links, to: &metrics)
        addVIPs(to: &metrics)
        addKernel(to: &metrics)
        if let router { addRouter(router, to: &metrics) }
        registry.write(to: &metrics)
        return metrics.text
    }

    private func addVIPs(to metrics: inout MetricsText) {
        addCluster(to: &metrics)
        metrics.family("vip_healthy", .gauge, "Whether the check of a VIP passes.") { samples in
            for entry in vips.entries where entry.vip.check != nil {
                samples.sample(["vip": entry.vip.name], value: entry.health.isHealthy)
            }
        }
        metrics.family("vip_announced", .gauge, "Whether this node holds and announces a VIP.") { samples in
            for entry in vips.entries {
                let isHeld = entry.isAnnounced && node.ledger.isPlaced(entry.vip.address)
                samples.sample(["vip": entry.vip.name], value: isHeld)
            }
        }
        metrics.family("vip_announcers", .gauge, "Reachable nodes that announce a VIP of this node's, itself included.")
        {
            guard let router else { return }
            for entry in vips.entries {
                let announcers = router.candidates(for: IPv6Prefix(host: entry.vip.address))
                $0.sample(["vip": entry.vip.name], value: announcers.count { $0.distance != nil })
            }
        }
        metrics.family("vip_checks_total", .counter, "Tries of the service behind a VIP, by outcome.") { samples in
            for entry in vips.entries where entry.vip.check != nil {
                samples.sample(["vip": entry.vip.name, "outcome": "success"], value: entry.checks - entry.failures)
                samples.sample(["vip": entry.vip.name, "outcome": "failure"], value: entry.failures)
            }
        }
    }

    private func addKernel(to metrics: inout MetricsText) {
        if let counts = fib?.counts {
            metrics.single("fib_routes", .gauge, "Routes of ours in the kernel.", counts.routes)
            metrics.single("fib_failed_routes", .gauge, "Routes the kernel refused.", counts.failedRoutes)
            metrics.single("fib_nexthops", .gauge, "Single next-hop objects of ours in the kernel.", counts.nextHops)
            metrics.single("fib_nexthop_groups", .gauge, "Next-hop groups of ours in the kernel.", counts.groups)
        }
        if let fib, let router {
            let drift = router.routeTable.routes.keys.count { fib.state(of: $0) != .installed }
            metrics.single("fib_drift_routes", .gauge, "Routes wanted that the kernel does not have as wanted.", drift)
        }
        metrics.single(
            "fib_foreign_deletions_total", .counter, "Routes of ours that somebody else removed or replaced.",
            node.installer.counters.foreignRouteDeletions)
        metrics.single(
            "fib_foreign_nexthop_changes_total", .counter,
            "Next-hop objects of ours that somebody else removed or changed.",
            node.installer.counters.foreignNextHopChanges)
        metrics.single(
            "netlink_errors_total", .counter, "Times that the kernel could not be talked to.",
            node.counters.kernelErrors)
        metrics.family("netlink_overflows_total", .counter, "Times that the kernel dropped notifications.") {
            $0.sample(["socket": "links"], value: counters.linkOverflows)
            $0.sample(["socket": "routes"], value: node.installer.counters.overflows)
        }
        metrics.single(
            "netlink_changes_total", .counter, "Changes of routes and next hops sent to the kernel.",
            counters.kernel?.changes ?? 0)
        metrics.single(
            "netlink_refusals_total", .counter, "Changes that the kernel refused.", counters.kernel?.refusals ?? 0)
        metrics.histogram(
            "convergence_duration_seconds", "From the event that changed routes until the kernel had them.",
            counters.convergence)
        metrics.histogram(
            "spf_duration_seconds", "Handling of events that led to a route calculation.", counters.routeCalculation)
    }

    private func addRouter(_ router: Router, to metrics: inout MetricsText) {
        metrics.family(
            "neighbor_up", .gauge, "Whether a neighbor is in state Full (or 2-Way, where no adjacency is wanted)."
        ) {
            for neighbor in router.neighborSnapshots {
                $0.sample(
                    [
                        "interface": name(ofInterface: neighbor.interface), "neighbor": label(of: neighbor.routerID),
                        "router_id": neighbor.routerID.description,
                    ], value: neighbor.state == .full || neighbor.state == .twoWay)
            }
        }
        let statistics = router.statistics
        metrics.single(
            "neighbor_state_changes_total", .counter, "Neighbor state changes.", statistics.neighborStateChanges)
        metrics.family(
            "neighbor_losses_total", .counter, "Times that an adjacency was lost (a neighbor left Full)."
        ) {
            for (key, count) in node.counters.adjacencyLosses.sorted(by: { $0.key < $1.key }) {
                $0.sample(
                    [
                        "interface": key.port, "neighbor": label(of: key.router),
                        "router_id": key.router.description,
                    ], value: count)
            }
        }
        addPackets(statistics, to: &metrics)
        metrics.single(
            "lsa_retransmissions_total", .counter, "LSAs sent again for want of an acknowledgment.",
            statistics.lsaRetransmissions)
        metrics.single(
            "lsa_originations_total", .counter, "LSAs of this node's own originated, refreshed or flushed.",
            statistics.lsaOriginations)
        metrics.single("lsas_installed_total", .counter, "LSAs installed from others.", statistics.lsasInstalled)
        addDatabase(router, to: &metrics)
        let runs = router.calculationStatistics
        metrics.family("spf_runs_total", .counter, "Route calculations, by how much was computed.") {
            $0.sample(["kind": "full"], value: runs.fullRuns)
            $0.sample(["kind": "incremental"], value: runs.incrementalRuns)
            $0.sample(["kind": "prefixes"], value: runs.prefixRuns)
            $0.sample(["kind": "idle"], value: runs.idleRuns)
        }
        metrics.single("rib_routes", .gauge, "Routes to prefixes of others.", router.routeTable.routes.count)
        let nodes = router.nodes
        metrics.single("topology_nodes", .gauge, "Routers in the database.", nodes.count)
        metrics.single(
            "topology_unreachable_nodes", .gauge, "Routers in the database that cannot be reached.",
            nodes.count { $0.distance == nil })
        metrics.single(
            "stub_router", .gauge, "Whether others are asked to route around this node.", router.isStubRouter)
        metrics.single(
            "duplicate_prefixes", .gauge, "Prefixes that several nodes claim although they should belong to one.",
            router.duplicatePrefixes.count)
    }

    private func addDatabase(_ router: Router, to metrics: inout MetricsText) {
        let entries = router.databaseSnapshot(at: now)
        var types: [String: Int] = [:]
        for entry in entries { types[entry.lsa.key.type.name, default: 0] += 1 }
        metrics.family("lsdb_lsas", .gauge, "LSAs in the database, by type.") { samples in
            for (type, count) in types.sorted(by: { $0.key < $1.key }) { samples.sample(["type": type], value: count) }
        }
        metrics.single("lsdb_size_bytes", .gauge, "Octets of LSAs in the database.", router.databaseSize.octets)
        metrics.single(
            "lsdb_checksum", .gauge,
            "A checksum of what the LSAs say that all nodes share: equal where databases are, also while LSAs are refreshed.",
            entries.lazy.filter { $0.interface == nil }.reduce(UInt32(0)) { $0 &+ $1.lsa.contentChecksum })
    }

    private func addPackets(_ statistics: RouterStatistics, to metrics: inout MetricsText) {
        let types: [(String, Int)] = [
            ("hello", 1), ("database_description", 2), ("link_state_request", 3), ("link_state_update", 4),
            ("link_state_acknowledgment", 5),
        ]
        metrics.family("ospf_packets_sent_total", .counter, "OSPF packets sent, by type.") { samples in
            for (name, index) in types { samples.sample(["type": name], value: statistics.packetsSent[index]) }
        }
        metrics.family("ospf_packets_received_total", .counter, "OSPF packets taken in, by type.") { samples in
            for (name, index) in types { samples.sample(["type": name], value: statistics.packetsReceived[index]) }
        }
        metrics.family("ospf_packet_errors_total", .counter, "OSPF packets and LSAs refused, by reason.") { samples in
            for reason in DecodingError.allCases {
                samples.sample(["reason": "decoding_\(reason.rawValue)"], value: statistics.decodingErrors[reason] ?? 0)
            }
            for reason in RejectionReason.allCases {
                samples.sample(["reason": reason.rawValue], value: statistics.rejections[reason] ?? 0)
            }
            samples.sample(["reason": "foreign_source"], value: counters.socket?.foreignSources ?? 0)
            samples.sample(["reason": "malformed"], value: counters.socket?.malformed ?? 0)
        }
        metrics.single(
            "ospf_send_failures_total", .counter, "OSPF packets not sent for want of buffer, link or address.",
            counters.socket?.sendFailures ?? 0)
        metrics.single(
            "ospf_receive_overflows_total", .counter,
            "OSPF packets that the kernel dropped because they came faster than they were read.",
            counters.socket?.overflows ?? 0)
    }
}

extension OSPFPacket.LSA {
    /// A checksum (FNV-1a) of all that stays when an LSA is said anew without a change: not its age, number and own checksum.
    /// One that is being taken back says nothing.
    fileprivate var contentChecksum: UInt32 {
        guard age < LSAHeader.maxAge else { return 0 }
        let identity = octets[2..<12]
        return [identity, bodyOctets].joined().reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
    }
}
