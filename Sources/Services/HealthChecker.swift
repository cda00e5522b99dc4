public import NIOCore
internal import OSPF

/// Tries services again and again on an event loop and reports every outcome. All of it happens on that loop.
public final class HealthChecker: Sendable {
    private let loop: any EventLoop
    private let running: NIOLoopBoundBox<[VIPTable.CheckID: RepeatedTask]>
    private let report: @Sendable (VIPTable.CheckID, CheckOutcome) -> Void

    /// Makes a checker that runs nothing yet. `report` is called on `loop`.
    public init(loop: any EventLoop, report: @escaping @Sendable (VIPTable.CheckID, CheckOutcome) -> Void) {
        self.loop = loop
        self.report = report
        running = .makeBoxSendingValue([:], eventLoop: loop)
    }

    /// Tries now, and again after every interval.
    public func start(_ id: VIPTable.CheckID, _ check: HealthCheck) {
        loop.execute { [loop, running, report] in
            running.value.removeValue(forKey: id)?.cancel()
            running.value[id] = loop.scheduleRepeatedAsyncTask(
                initialDelay: .zero, delay: .nanoseconds(check.interval.nanoseconds)
            ) { _ in
                check.probe.run(timeout: .nanoseconds(check.timeout.nanoseconds), on: loop).map { outcome in
                    if running.value[id] != nil { report(id, outcome) }
                }
            }
        }
    }

    /// Stops; nothing is reported under `id` any more.
    public func stop(_ id: VIPTable.CheckID) {
        loop.execute { [running] in running.value.removeValue(forKey: id)?.cancel() }
    }

    /// Stops everything.
    public func stopAll() {
        loop.execute { [running] in
            for task in running.value.values { task.cancel() }
            running.value = [:]
        }
    }
}
