internal import NIOCore

/// Runs tasks on NIO's event loop. The agent needs no pool of threads beside its loops, and without one there is none:
/// the pool's own housekeeping would wake an idle agent every second.
final class EventLoopTaskExecutor: TaskExecutor {
    let loop: any EventLoop

    init(loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }

    /// Starts `body` as a task and gives its end as a future.
    func run(_ body: @escaping @Sendable () async throws -> Void) -> EventLoopFuture<Void> {
        let promise = loop.makePromise(of: Void.self)
        Task(executorPreference: self) {
            do {
                try await body()
                promise.succeed()
            } catch {
                promise.fail(error)
            }
        }
        return promise.futureResult
    }
}
