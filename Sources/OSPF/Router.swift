public import Addressing

/// An OSPFv3 router as a value (RFC 5340): events in, effects out. It holds no socket, reads no clock and shares
/// nothing, so the same code runs in the agent, in the simulator and in tests.
public struct Router: Sendable {
    /// What the router was told at its start, but for a router ID that had to be changed.
    public private(set) var configuration: RouterConfiguration

    /// Makes a router without interfaces.
    public init(configuration: RouterConfiguration, at now: Instant) {
        self.configuration = configuration
    }

    /// When ``RouterEvent/timer`` is wanted next; `nil` while nothing waits.
    public private(set) var nextDeadline: Instant?

    /// The routes as they stand.
    public private(set) var routeTable = RouteTable()

    /// Takes an event in and appends what is to be done, in order. `now` never goes back.
    public mutating func handle(_ event: RouterEvent, at now: Instant, effects: inout [RouterEffect]) {
    }
}
