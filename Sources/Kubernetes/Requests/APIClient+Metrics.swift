internal import CoreMetrics
internal import Timing

// Metrics of requests. The values of every label are from a fixed set, so the number of time series is bounded.
extension APIClient {
    /// Counts a finished request, and records its duration unless it is a watch. `failure` is `nil` if it succeeded.
    func count(_ request: APIRequest, since begun: Instant, _ failure: RequestFailure?) {
        let subject = [("verb", request.verb.rawValue), ("resource", request.resource)]
        let outcome = [("outcome", failure?.kind.rawValue ?? "ok")]
        Counter(label: "kube_api_requests_total", dimensions: subject + outcome, factory: metrics).increment()
        guard request.verb != .watch else { return }
        Timer(
            label: "kube_api_request_duration_seconds", dimensions: [("verb", request.verb.rawValue)], factory: metrics
        )
        .recordNanoseconds((Instant.now - begun).nanoseconds)
    }

    /// Counts changes of objects, as a watcher reports them.
    func count<Object: Resource>(_ changes: Changes<Object>) {
        let number = changes.updated.count + changes.deleted.count
        guard number > 0 else { return }
        Counter(label: "kube_object_changes_total", dimensions: [("resource", Object.label)], factory: metrics)
            .increment(by: number)
    }
}
