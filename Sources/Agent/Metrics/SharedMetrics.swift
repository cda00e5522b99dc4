internal import PrometheusMetrics
internal import Services

extension PrometheusRegistry {
    /// The swift-metrics registry for what is counted outside of the routing thread: requests to the API server, changes of its
    /// objects, and checks.
    static func forAgent() -> PrometheusRegistry {
        PrometheusRegistry([
            "kube_api_requests_total": Description(
                "Finished requests to the Kubernetes API, by verb, resource and outcome."),
            "kube_api_request_duration_seconds": Description(
                "Duration of requests to the Kubernetes API, without watches."),
            "kube_object_changes_total": Description(
                "Added, changed and deleted objects of the Kubernetes API."),
            "check_duration_seconds": Description(
                "Duration of checks, of VIPs and of the service proxy."),
        ])
    }
}
