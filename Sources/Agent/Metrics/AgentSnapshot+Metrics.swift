internal import Addressing
internal import Authentication
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
    /// All metrics as text. Two sources are not in a snapshot: the kernel's interface counters, which the caller reads, and
    /// what other threads count, which is in `registry`.
    func metrics(links: [String: LinkCounters], registry: PrometheusRegistry) -> String {
        var metrics = MetricsText()
        metrics.family("build_info", .gauge, "Always 1, with the version as a label.") {
            $0.sample(["version": Version.text], value: 1)
        }
        metrics.single("ready", .gauge, "Whether the node's routes can be relied on.", notReady.isEmpty)
        metrics.single(
            "drained", .gauge, "Whether the node is drained.", isDrained)
        let problems = self.problems
        metrics.family("problems", .gauge, "Problems, by kind; see meshctl status.") {
            for kind in Problem.Kind.allCases {
                $0.sample(["kind": kind.rawValue], value: problems.count { $0.kind == kind })
            }
        }
        metrics.single(
            "config_last_reload_successful", .gauge,
            "Whether the configuration file, as last read, is in use; 0 too if it is gone.",
            configurationStatus.ok)
        metrics.single(
            "notices_passed_over_total", .counter,
            "Log lines about other routers that were left out because there were many of their kind.",
            node.logLimits.notices.suppressed)
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
        metrics.family("vip_announced", .gauge, "Whether this node announces a VIP.") { samples in
            for entry in vips.entries {
                let isAnnounced = entry.isAnnounced && node.ledger.isPlaced(entry.vip.address)
                samples.sample(["vip": entry.vip.name], value: isAnnounced)
            }
        }
        metrics.family("vip_announcers", .gauge, "Reachable nodes that announce a VIP of this node, itself included.") {
            guard let router else { return }
            for entry in vips.entries {
                let announcers = router.candidates(for: IPv6Prefix(host: entry.vip.address))
                $0.sample(["vip": entry.vip.name], value: announcers.count { $0.distance != nil })
            }
        }
        metrics.family("vip_checks_total", .counter, "Checks of the service behind a VIP, by outcome.") { samples in
            for entry in vips.entries where entry.vip.check != nil {
                samples.sample(["vip": entry.vip.name, "outcome": "success"], value: entry.checks - entry.failures)
                samples.sample(["vip": entry.vip.name, "outcome": "failure"], value: entry.failures)
            }
        }
    }

    private func addKernel(to metrics: inout MetricsText) {
        if let counts = fib?.counts {
            metrics.single("fib_routes", .gauge, "Our routes in the kernel, without service routes.", counts.routes)
            metrics.single(
                "fib_failed_routes", .gauge,
                "Routes that the kernel refused, or that exceed the limit of routes; without those whose next hops it refused.",
                counts.failedRoutes)
            metrics.single(
                "fib_service_routes", .gauge, "Our service routes in the kernel.", counts.serviceRoutes)
            metrics.single("fib_nexthops", .gauge, "Our single next-hop objects in the kernel.", counts.nextHops)
            metrics.single("fib_nexthop_groups", .gauge, "Our next-hop groups in the kernel.", counts.groups)
            metrics.single(
                "fib_backup_groups", .gauge, "Our next-hop groups in the kernel that have a backup.", counts.backups)
            metrics.single(
                "fib_repairs_total", .counter,
                "Next-hop groups whose only next hop was lost and had a backup.",
                fib?.repairs ?? 0)
        }
        if let fib, let router {
            let drift =
                router.routeTable.routes.keys.count { fib.state(of: $0) != .installed }
                + fib.serviceRouteStates.count { $0.state != .installed }
            metrics.single("fib_drift_routes", .gauge, "Routes that the kernel does not have as they should be.", drift)
        }
        metrics.single(
            "fib_foreign_deletions_total", .counter, "Our routes that another program removed or replaced.",
            node.installer.counters.foreignRouteDeletions)
        metrics.single(
            "fib_foreign_nexthop_changes_total", .counter,
            "Our next-hop objects that another program removed or changed.",
            node.installer.counters.foreignNextHopChanges)
        metrics.single(
            "netlink_errors_total", .counter, "Requests to read or change routes that failed as a whole.",
            node.counters.kernelErrors)
        metrics.family("netlink_overflows_total", .counter, "Times that the kernel dropped notifications, by socket.") {
            $0.sample(["socket": "links"], value: counters.linkOverflows)
            $0.sample(["socket": "routes"], value: node.installer.counters.overflows)
        }
        metrics.single(
            "netlink_changes_total", .counter, "Changes of routes and next hops sent to the kernel.",
            counters.kernel?.changes ?? 0)
        metrics.single(
            "netlink_refusals_total", .counter, "Changes of routes and next hops that the kernel refused.",
            counters.kernel?.refusals ?? 0)
        metrics.histogram(
            "convergence_duration_seconds",
            "From the start of a turn until the kernel has handled a request to change routes.",
            counters.convergence)
        metrics.histogram(
            "spf_duration_seconds", "Duration of events that led to a route calculation.", counters.routeCalculation)
    }

    private func addEchoes(to metrics: inout MetricsText) {
        let neighbors = neighborList.filter { $0.echo != nil }
        func family(
            _ name: String, _ kind: MetricsText.Kind, _ help: String, _ value: (Neighbor.Echo) -> Double?
        ) {
            metrics.family(name, kind, help) { samples in
                for neighbor in neighbors {
                    guard let number = neighbor.echo.flatMap(value) else { continue }
                    samples.sample(
                        [
                            "interface": neighbor.interface, "neighbor": neighbor.node ?? neighbor.routerID,
                            "router_id": neighbor.routerID,
                        ], value: number)
                }
            }
        }
        family("neighbor_echo_requests_total", .counter, "Echo requests sent to a neighbor.") { Double($0.sent) }
        family("neighbor_echo_replies_total", .counter, "Echo replies received from a neighbor.") {
            Double($0.answered)
        }
        family(
            "neighbor_echo_loss_ratio", .gauge, "The part of the latest echo requests (up to 512) that was lost."
        ) { $0.loss }
        family("neighbor_echo_round_trip_seconds", .gauge, "The median round trip of the latest echo requests.") {
            $0.roundTrip
        }
        family(
            "neighbor_echo_unexpected_total", .counter, "Echo replies that fit no request, or were received twice."
        ) { $0.unexpected.map(Double.init) }
        family(
            "neighbor_largest_packet_bytes", .gauge,
            "The largest packet that arrives at a neighbor, if one of the link's MTU does not."
        ) { $0.largestPacket.map(Double.init) }
    }

    private func addRouter(_ router: Router, to metrics: inout MetricsText) {
        metrics.family(
            "neighbor_up", .gauge,
            "Whether a neighbor is in state Full, or in state 2-Way where no adjacency is wanted."
        ) {
            for neighbor in router.neighborSnapshots {
                $0.sample(
                    labels(neighbor.routerID, on: name(ofInterface: neighbor.interface)),
                    value: neighbor.state == .full || neighbor.state == .twoWay)
            }
        }
        let statistics = router.statistics
        metrics.single(
            "neighbor_state_changes_total", .counter,
            "Neighbor state changes, except from Down to Init with the first hello.", statistics.neighborStateChanges)
        metrics.family(
            "neighbor_losses_total", .counter, "Times that an adjacency was lost (a neighbor left state Full)."
        ) {
            for (key, count) in node.counters.adjacencyLosses.sorted(by: { $0.key < $1.key }) {
                $0.sample(labels(key.router, on: key.port), value: count)
            }
        }
        addEchoes(to: &metrics)
        addQuality(to: &metrics)
        addBFD(to: &metrics)
        addPackets(statistics, to: &metrics)
        metrics.single(
            "lsa_retransmissions_total", .counter, "LSAs sent again because no acknowledgment came.",
            statistics.lsaRetransmissions)
        metrics.single(
            "lsa_originations_total", .counter, "Own LSAs originated or refreshed.",
            statistics.lsaOriginations)
        metrics.single(
            "lsas_installed_total", .counter, "Received LSAs installed in the database.", statistics.lsasInstalled)
        addDatabase(router, to: &metrics)
        let runs = router.calculationStatistics
        metrics.family("spf_runs_total", .counter, "Route calculations, by extent.") {
            $0.sample(["kind": "full"], value: runs.fullRuns)
            $0.sample(["kind": "incremental"], value: runs.incrementalRuns)
            $0.sample(["kind": "prefixes"], value: runs.prefixRuns)
            $0.sample(["kind": "idle"], value: runs.idleRuns)
        }
        metrics.single("rib_routes", .gauge, "Routes to prefixes of other nodes.", router.routeTable.routes.count)
        let nodes = router.nodes
        metrics.single("topology_nodes", .gauge, "Routers in the database.", nodes.count)
        metrics.single(
            "topology_unreachable_nodes", .gauge, "Routers in the database that are unreachable.",
            nodes.count { $0.distance == nil })
        metrics.single(
            "stub_router", .gauge, "Whether this node is a stub router, which others route around.", router.isStubRouter
        )
        metrics.single(
            "duplicate_prefixes", .gauge, "Prefixes that several nodes announce although they should belong to one.",
            router.duplicatePrefixes.count)
    }

    private func labels(_ neighbor: RouterID, on port: String) -> KeyValuePairs<String, String> {
        ["interface": port, "neighbor": label(of: neighbor), "router_id": neighbor.description]
    }

    private func addDatabase(_ router: Router, to metrics: inout MetricsText) {
        let entries = router.databaseSnapshot(at: now)
        var types: [String: Int] = [:]
        for entry in entries { types[entry.lsa.key.type.name, default: 0] += 1 }
        metrics.family("lsdb_lsas", .gauge, "LSAs in the database, by type.") { samples in
            for (type, count) in types.sorted(by: { $0.key < $1.key }) { samples.sample(["type": type], value: count) }
        }
        metrics.single("lsdb_size_bytes", .gauge, "Bytes of LSAs in the database.", router.databaseSize.octets)
        metrics.single(
            "lsdb_checksum", .gauge,
            "Checksum of the contents of all flooded LSAs: equal on nodes with equal databases.",
            entries.lazy.filter { $0.interface == nil }.reduce(UInt32(0)) { $0 &+ $1.lsa.contentChecksum })
    }

    private func addPackets(_ statistics: RouterStatistics, to metrics: inout MetricsText) {
        // The label, and the packet type (RFC 5340 §A.3.1), which is the index in the statistics.
        let types: [(String, Int)] = [
            ("hello", 1), ("database_description", 2), ("link_state_request", 3), ("link_state_update", 4),
            ("link_state_acknowledgment", 5),
        ]
        metrics.family("ospf_packets_sent_total", .counter, "OSPF packets sent, by type.") { samples in
            for (name, index) in types { samples.sample(["type": name], value: statistics.packetsSent[index]) }
        }
        metrics.family("ospf_packets_received_total", .counter, "OSPF packets received, by type.") { samples in
            for (name, index) in types { samples.sample(["type": name], value: statistics.packetsReceived[index]) }
        }
        metrics.family("ospf_packet_errors_total", .counter, "OSPF packets and LSAs rejected, by reason.") { samples in
            for reason in DecodingError.allCases {
                samples.sample(["reason": "decoding_\(reason.rawValue)"], value: statistics.decodingErrors[reason] ?? 0)
            }
            for reason in RejectionReason.allCases {
                samples.sample(["reason": reason.rawValue], value: statistics.rejections[reason] ?? 0)
            }
            for reason in AuthenticationRefusal.allCases {
                samples.sample(
                    ["reason": "authentication_\(reason.rawValue)"], value: node.authentication.refusals[reason] ?? 0)
            }
            samples.sample(["reason": "foreign_source"], value: counters.socket?.foreignSources ?? 0)
            samples.sample(["reason": "malformed"], value: counters.socket?.malformed ?? 0)
        }
        addRestarts(statistics, to: &metrics)
        metrics.single(
            "ospf_send_failures_total", .counter,
            "OSPF packets that could not be sent.",
            counters.socket?.sendFailures ?? 0)
        metrics.single(
            "ospf_receive_overflows_total", .counter,
            "OSPF packets that the kernel dropped because the receive queue was full.",
            counters.socket?.overflows ?? 0)
    }
}

extension OSPFPacket.LSA {
    /// A checksum (FNV-1a) of everything that a refresh without a change leaves as it is: not the age, the sequence number and
    /// the LSA checksum. 0 for an LSA that is being flushed.
    fileprivate var contentChecksum: UInt32 {
        guard age < LSAHeader.maxAge else { return 0 }
        let identity = octets[2..<12]  // LS type, link state ID, advertising router
        return [identity, bodyOctets].joined().reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
    }
}
