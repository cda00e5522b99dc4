internal import NIOCore

/// Runs tasks on a NIO event loop. So Swift creates no thread pool, which would wake an idle agent every second.
final class EventLoopTaskExecutor: TaskExecutor {
    let loop: any EventLoop

    init(loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }

    /// Starts `body` as a task. The future completes when the task ends.
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
