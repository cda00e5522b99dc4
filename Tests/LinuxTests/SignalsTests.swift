import Glibc
import Testing
import Timing

@testable import Linux

@Suite struct SignalsTests {
    /// A signal that the thread does not wait for, such as SIGCHLD, interrupts the system call (EINTR), but must not end the
    /// wait before its time.
    @Test func anotherSignalDoesNotEndTheWait() throws {
        var ignored = sigaction()
        var before = sigaction()
        ignored.__sigaction_handler.sa_handler = { _ in }
        sigaction(SIGURG, &ignored, &before)
        defer { sigaction(SIGURG, &before, nil) }
        final class Waiter: @unchecked Sendable {
            var waited = Duration.zero
            var signal: CInt?
        }
        let waiter = Waiter()
        var thread = pthread_t()
        let context = Unmanaged.passRetained(waiter)
        pthread_create(
            &thread, nil,
            { pointer in
                let waiter = Unmanaged<Waiter>.fromOpaque(pointer!).takeRetainedValue()
                let start = ContinuousClock.now
                waiter.signal = Signals([SIGUSR2]).next(within: .milliseconds(400))
                waiter.waited = .now - start
                return nil
            }, context.toOpaque())
        for _ in 0..<5 {
            usleep(20_000)
            pthread_kill(thread, SIGURG)
        }
        pthread_join(thread, nil)
        #expect(waiter.signal == nil && waiter.waited >= .milliseconds(400))
    }
}
