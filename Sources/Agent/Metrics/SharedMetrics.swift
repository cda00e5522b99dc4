internal import PrometheusMetrics
internal import Services

extension PrometheusRegistry {
    /// For what is counted beside the routing thread, by swift-metrics: the client of the API server, and checks.
    static func forAgent() -> PrometheusRegistry {
        PrometheusRegistry([
            "kube_api_requests_total": Description(
                "Requests to the Kubernetes API that are over, by verb, resource and outcome."),
            "kube_api_request_duration_seconds": Description(
                "From a request to the Kubernetes API to the end of its answer, watches apart."),
            "kube_object_changes_total": Description(
                "Objects of the Kubernetes API that were heard to be new, changed or gone."),
            "check_duration_seconds": Description(
                "How long a check took, of a VIP or of whoever delivers services."),
        ])
    }
}
