public import CoreMetrics
public import NIOCore
public import Services
internal import Timing

/// Tries services again and again on an event loop and reports every outcome. All of it happens on that loop.
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

    /// Makes a checker that runs nothing yet. `report` is called on `loop`. Checks that are commands are run by tasks on
    /// `executor`, the usual one if there is none. How long each took is recorded with `metrics`.
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

    /// Tries now, and again after every interval.
    public func start(_ id: VIPTable.CheckID, _ check: HealthCheck) {
        loop.execute { [loop, executor, metrics, running, report] in
            // The one before takes its timer along, which may have the same name.
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

    /// Stops, also a command that runs; nothing is reported under `id` any more.
    public func stop(_ id: VIPTable.CheckID) {
        loop.execute { [running] in running.value.removeValue(forKey: id)?.stop() }
    }

    /// Stops everything; the future says when that is done.
    @discardableResult
    public func stopAll() -> EventLoopFuture<Void> {
        loop.submit { [running] in
            for check in running.value.values { check.stop() }
            running.value = [:]
        }
    }
}
