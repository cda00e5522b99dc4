public import CoreMetrics
public import NIOCore
public import Services
internal import Timing

/// Checks services repeatedly on an event loop and reports every outcome on that loop.
public final class HealthChecker: Sendable {
    private struct Check {
        let prober: Prober
        let task: RepeatedTask
        let timer: CoreMetrics.Timer

        func stop() {
            task.cancel()
            prober.stop()
            timer.destroy()
        }
    }

    private let loop: any EventLoop
    private let executor: (any TaskExecutor)?
    private let metrics: any MetricsFactory
    private let running: NIOLoopBoundBox<[VIPTable.CheckID: Check]>
    private let report: @Sendable (VIPTable.CheckID, CheckOutcome) -> Void

    /// Makes a checker without checks. It calls `report` on `loop`, runs programs by tasks on `executor` or, without one, on
    /// the default executor, and records durations with `metrics`.
    public init(
        loop: any EventLoop, executor: (any TaskExecutor)? = nil, metrics: any MetricsFactory = MetricsSystem.factory,
        report: @escaping @Sendable (VIPTable.CheckID, CheckOutcome) -> Void
    ) {
        self.loop = loop
        self.executor = executor
        self.metrics = metrics
        self.report = report
        running = .makeBoxSendingValue([:], eventLoop: loop)
    }

    /// Starts a check, in place of an earlier one with the same ID. The check runs now, and again an interval after each run.
    public func start(_ id: VIPTable.CheckID, _ check: HealthCheck) {
        loop.execute { [loop, executor, metrics, running, report] in
            // The earlier check is stopped first: that removes its metric, which has the name of the new check's metric.
            running.value.removeValue(forKey: id)?.stop()
            let prober = Prober(check.probe, loop: loop, executor: executor)
            let timer = CoreMetrics.Timer(
                label: "check_duration_seconds", dimensions: [("check", id.name)], factory: metrics)
            let task = loop.scheduleRepeatedAsyncTask(
                initialDelay: .zero, delay: .nanoseconds(check.interval.nanoseconds)
            ) { _ in
                let begun = NIODeadline.now()
                return prober.run(timeout: .nanoseconds(check.timeout.nanoseconds)).map { outcome in
                    guard running.value[id] != nil else { return }
                    timer.recordNanoseconds((.now() - begun).nanoseconds)
                    report(id, outcome)
                }
            }
            running.value[id] = Check(prober: prober, task: task, timer: timer)
        }
    }

    /// Stops a check, and kills the process group of a program that it runs. The check reports nothing any more.
    public func stop(_ id: VIPTable.CheckID) {
        loop.execute { [running] in running.value.removeValue(forKey: id)?.stop() }
    }

    /// Stops all checks; the future succeeds when that is done.
    @discardableResult
    public func stopAll() -> EventLoopFuture<Void> {
        loop.submit { [running] in
            for check in running.value.values { check.stop() }
            running.value = [:]
        }
    }
}
