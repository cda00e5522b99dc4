internal import Addressing
internal import MeshConfiguration
internal import Node
internal import PrometheusMetrics
internal import Services

extension AgentSnapshot {
    /// Metrics of the cluster, if there is one.
    func addCluster(to metrics: inout MetricsText) {
        guard let cluster else { return }
        metrics.single(
            "kube_api_connected", .gauge, "Whether all watches of the Kubernetes API work.",
            cluster.isConnected)
        metrics.family("kube_objects", .gauge, "Objects of the Kubernetes API in the cache, by kind.") { samples in
            for (kind, resource) in cluster.resources.sorted(by: { $0.key < $1.key }) {
                samples.sample(["kind": kind], value: resource.objects)
            }
        }
        metrics.single(
            "service_vips_announced", .gauge, "Service addresses that this node announces.",
            gate.hasOpened ? serviceAddresses.entries.keys.count { node.ledger.isPlaced($0) } : 0)
        metrics.single(
            "service_vips_flapping", .gauge,
            "Service addresses that are announced as last resort because their endpoints come and go.",
            serviceAddresses.entries.values.count { if case .flapping = $0.state { true } else { false } })
        metrics.single(
            "proxy_bypass_addresses", .gauge,
            "Addresses of services whose packets cross this node without its service proxy.", node.bypass.placedCount)
        metrics.single(
            "proxy_bypass_foreign_changes_total", .counter,
            "How often another program changed or removed our nftables table.", node.bypass.foreignChanges)
        metrics.family("pool_addresses", .gauge, "Addresses in a pool.") { samples in
            for use in cluster.pools {
                samples.sample(["pool": use.pool, "family": use.family.rawValue], value: use.addresses)
            }
        }
        metrics.family("pool_addresses_used", .gauge, "Addresses of a pool that services use.") { samples in
            for use in cluster.pools {
                samples.sample(["pool": use.pool, "family": use.family.rawValue], value: use.used)
            }
        }
        if !configuration.pools.isEmpty {
            metrics.single(
                "pool_leader", .gauge, "Whether this agent assigns pool addresses to services.",
                cluster.assignsAddresses)
        }
    }
}
