import NIOCore
import NIOPosix
import Services

@testable import HealthChecks

extension Prober {
    /// One that runs on a loop of its own choice.
    static func make(_ probe: Probe) -> (prober: Prober, loop: any EventLoop) {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        return (Prober(probe, loop: loop, executor: nil), loop)
    }
}

/// What comes of one try.
func outcome(of probe: Probe, timeout: TimeAmount = .seconds(10)) async throws -> CheckOutcome {
    let (prober, loop) = Prober.make(probe)
    return try await loop.flatSubmit { prober.run(timeout: timeout) }.get()
}

/// Why one try fails; empty when it does not.
func failure(of probe: Probe, timeout: TimeAmount = .seconds(10)) async throws -> String {
    try await outcome(of: probe, timeout: timeout).reason
}

extension CheckOutcome {
    /// Why it did not work; empty when it did.
    var reason: String { if case .failure(let reason) = self { reason } else { "" } }
}
