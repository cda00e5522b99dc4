internal import OSPF
internal import PrometheusMetrics

extension AgentSnapshot {
    /// Adds metrics of restarts that neighbors announce (RFC 3623).
    func addRestarts(_ statistics: RouterStatistics, to metrics: inout MetricsText) {
        metrics.single(
            "ospf_restarts_helped_total", .counter,
            "Number of times that a neighbor announced a restart and its link was to be held.",
            statistics.helperEntries)
        metrics.family("ospf_restart_help_ended_total", .counter, "Ends of such holding, by reason.") { samples in
            for exit in HelperExit.allCases {
                samples.sample(["reason": exit.rawValue], value: statistics.helperExits[exit] ?? 0)
            }
        }
        metrics.family("ospf_grace_lsas_refused_total", .counter, "Grace-LSAs that were not followed, by reason.") {
            samples in
            for reason in GraceRefusal.allCases {
                samples.sample(["reason": reason.rawValue], value: statistics.graceRefusals[reason] ?? 0)
            }
        }
    }
}
