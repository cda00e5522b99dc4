import NIOCore
import NIOPosix
import Services

@testable import HealthChecks

extension Prober {
    /// A prober, and the event loop on which it must be used.
    static func make(_ probe: Probe) -> (prober: Prober, loop: any EventLoop) {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        return (Prober(probe, loop: loop, executor: nil), loop)
    }
}

/// The outcome of one try.
func outcome(of probe: Probe, timeout: TimeAmount = .seconds(10)) async throws -> CheckOutcome {
    let (prober, loop) = Prober.make(probe)
    return try await loop.flatSubmit { prober.run(timeout: timeout) }.get()
}

/// The reason why one try fails; empty if it succeeds.
func failure(of probe: Probe, timeout: TimeAmount = .seconds(10)) async throws -> String {
    try await outcome(of: probe, timeout: timeout).reason
}

extension CheckOutcome {
    /// The reason of a failure; empty for a success.
    var reason: String { if case .failure(let reason) = self { reason } else { "" } }
}
