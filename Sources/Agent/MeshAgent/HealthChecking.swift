internal import HealthChecks
internal import Services

/// Starts and stops the health checks of VIPs and of the service proxy: ``HealthChecker``, or a fake in tests.
protocol HealthChecking: Sendable {
    func start(_ id: VIPTable.CheckID, _ check: HealthCheck)
    func stop(_ id: VIPTable.CheckID)
}

extension HealthChecker: HealthChecking {}
