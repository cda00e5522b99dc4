internal import HealthChecks
internal import Services

/// Checks services: ``HealthChecker``, or a test.
protocol ServiceChecker: Sendable {
    func start(_ id: VIPTable.CheckID, _ check: HealthCheck)
    func stop(_ id: VIPTable.CheckID)
}

extension HealthChecker: ServiceChecker {}
