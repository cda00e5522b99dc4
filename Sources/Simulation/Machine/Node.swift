public import Addressing
public import OSPF
internal import Routing
internal import Timing

/// A machine: a kernel that stays while there is power, and a process with the router, which may sleep or die.
public struct Node: Sendable {
    /// What the machine is doing.
    public enum State: Hashable, Sendable {
        /// The process runs.
        case running
        /// The process sleeps: nothing is lost but time, and packets beyond what the socket keeps.
        case asleep
        /// The process is gone with all it knew. Ports keep their carrier and the kernel its routes.
        case stopped
        /// No power: no carrier, no kernel.
        case off
    }

    /// Its place in ``Network/nodes``.
    public let index: Int
    /// Its ports, by their places in ``Network/ports``.
    public internal(set) var ports: [Int] = []
    /// What it is doing.
    public internal(set) var state = State.off
    /// The router while there is a process.
    public internal(set) var router: Router?
    /// The router ID the next process starts with.
    public internal(set) var routerID: RouterID
    /// What it announces, or would.
    public internal(set) var prefixes: [AdvertisedPrefix]
    /// What it imports, or would.
    public internal(set) var externals: [ExternalPrefix]
    /// Whether others are asked to route around it.
    public internal(set) var isStub = false
    /// The sum of the updates of this process: what a faithful listener believes.
    public internal(set) var routes = RouteTable()

    /// The machine's kernel; a new one with every loss of power.
    public internal(set) var kernel = ModelKernel()
    /// What the process wants in the kernel and believes to be there.
    var fib: FIB?
    /// Whether the process will look at the kernel again.
    var willRetry = false
    /// Whether the router ID was derived, so that the router may change it.
    let routerIDIsDerived: Bool
    /// What the machine's own clock shows when the simulation begins.
    let clockOffset: Duration
    /// Which of the processes on this machine it is, so that what concerns an earlier one can be told.
    var process = 0
    /// Whether the router has been told to take leave.
    var isLeaving = false
    /// When the timer will ring; earlier rings that were put into the queue are void.
    var timer: Instant?
    var ringsWithoutProgress = 0
    var lastRing = Instant.zero
    var backlog: [Packet] = []

    /// A packet in the socket's buffer.
    struct Packet: Sendable {
        var interface: UInt32
        var source: IPv6Address
        var destination: IPv6Address
        var octets: [UInt8]
    }

    init(index: Int, plan: NodePlan) {
        self.index = index
        routerIDIsDerived = plan.routerIDIsDerived
        clockOffset = plan.clockOffset
        routerID = plan.routerID
        prefixes = plan.prefixes
        externals = plan.externals
    }

    /// Whether its router takes part: a sleeping one is, to all others, a dead one.
    public var isRunning: Bool { state == .running && !isLeaving }
}
