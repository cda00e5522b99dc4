public import Addressing
internal import BFD
internal import Links
internal import Liveness
public import MeshConfiguration
public import Node
public import OSPF
internal import Routing
internal import Services
internal import Timing

/// A machine: a kernel that exists while there is power, a disk that always exists, and a process with the node, which
/// may sleep or die.
public struct Machine: Sendable {
    /// What the machine is doing.
    public enum State: Hashable, Sendable {
        /// The process runs.
        case running
        /// The process sleeps, as after SIGSTOP. Commands, outcomes of checks and packets that the sockets do not keep
        /// (``MachineBehavior/socketBacklog``) are lost.
        case asleep
        /// There is no process, and its memory is lost. Ports keep their carrier, and the kernel its routes and addresses.
        case stopped
        /// No power: no carrier, no kernel.
        case off
    }

    /// Its place in ``Network/nodes``.
    public let index: Int
    /// Its ports, by their places in ``Network/ports``.
    public internal(set) var ports: [Int] = []
    public internal(set) var state = State.off
    /// The node while there is a process.
    public internal(set) var process: MeshNode?
    /// The configuration file.
    public internal(set) var configuration: Configuration
    /// The node's saved state. `isDrained` and `kernel` are lost with the power, all else is on disk.
    public internal(set) var disk: SavedState
    /// The sum of the route table updates of this process.
    public internal(set) var routes = RouteTable()
    /// Whether this process was commanded to be a stub router.
    var isStubCommanded = false
    /// Whether an operator wants it drained: the last command to a running process, until the power goes.
    var isDrainWanted = false
    /// Whether the cluster wants it drained.
    var isClusterDrainWanted = false
    /// Whether this process was commanded to stop.
    var isStopCommanded = false
    /// Whether this process drains because a stop follows.
    var isStopAnnounced = false

    /// The machine's kernel; a new one with every loss of power.
    public internal(set) var kernel = ModelKernel()
    /// Whether a firewall drops echo requests.
    var dropsEchoRequests = false
    /// Whether the service behind each VIP works, by the VIP's name.
    var services: [String: Bool] = [:]
    /// The checks that run.
    var checks: [VIPTable.CheckID: HealthCheck] = [:]
    /// The demand of the cluster's services for addresses on this machine.
    var demands: [IPv6Address: AnnouncementLevel] = [:]
    /// The ranges of cluster IPs that the cluster tells.
    let serviceRanges: [IPv6Prefix]
    /// The address by which the agent reaches the API server.
    let apiServer: IPv6Address?
    /// The maximum time, drawn each time, until the kernel carries out requests for addresses, and until it reports the outcome
    /// of any request; zero means at once.
    var kernelDelay = Duration.zero

    /// What the machine's wall clock shows at the start of the simulation, in seconds since 1970; changes when it is set.
    var wallClock: Int64
    /// What the machine's own clock shows when the simulation begins.
    let clockOffset: Duration
    /// Counts starts and ends of processes, to recognize events of earlier processes.
    var processNumber = 0
    /// When the timer fires; timer events in the queue with another time are ignored.
    var timer: Instant?
    /// How often the timer has fired again at ``lastTimer``.
    var timersWithoutProgress = 0
    /// When the timer last fired with a deadline due.
    var lastTimer = Instant.zero
    /// Packets in the sockets of a sleeping process.
    var unreadPackets: [Packet] = []
    /// Notifications of changes by other programs (routes and addresses removed) that a sleeping process reads when it
    /// wakes up. Those of ports are in ``Port/unreadEvents``.
    var unreadNews: [NodeEvent] = []
    /// The echoes of the process, when its timer for them fires, and answers that it has not read.
    var prober = EchoProber()
    /// The ports that the process avoids, and when that last changed in its router-LSA.
    var avoidedPorts: Set<UInt32> = []
    var avoidanceChange: Instant?
    var echoTimer: Instant?
    /// The ports whose readings the process wants.
    var watchedPorts: Set<UInt32> = []
    var unreadAnswers: [Answer] = []
    /// The BFD of the process, when its timer fires, and packets that it has not read.
    var sessions: SessionTable
    var sessionTimer: Instant?
    var unreadSessionPackets: [SessionTable.Datagram] = []
    /// The version of the announcements that were last compared with the addresses on `lo`.
    var checkedAnnouncements: UInt64 = 0

    /// An answer to an echo request, in a socket's buffer.
    struct Answer: Sendable {
        var target: EchoTarget.Key
        var sequence: UInt16
        /// The size of a padded request; 0 for others.
        var size: Int
        var roundTrip: Duration
    }

    /// A packet in a socket's buffer.
    struct Packet: Sendable {
        var interface: UInt32
        var source: IPv6Address
        var destination: IPv6Address
        var octets: [UInt8]
    }

    init(index: Int, plan: NodePlan) {
        self.index = index
        sessions = Network.sessionTable(seed: UInt64(index) << 32)
        clockOffset = plan.clockOffset
        wallClock = plan.wallClock
        serviceRanges = plan.serviceRanges
        apiServer = plan.apiServer
        disk = SavedState()
        configuration = Configuration()
        configuration.node.name = "n\(index)"
        configuration.addressing.prefix = IPv6Prefix(host: Self.address(of: index))
        // The pod ranges of scenarios are in `advertise`, where they can be withdrawn.
        configuration.addressing.podPrefixes = []
        configuration.addressing.ipv4.nodes = plan.ipv4Pool
        configuration.advertise = plan.prefixes
        configuration.externals = plan.externals
        configuration.vips = plan.vips
        configuration.interfaces = []
        // Every fourth machine leaves routes and addresses to the next process, unless it is drained.
        if index % 4 == 1 { configuration.node.onStop = .stay }
        // A locally administered address of the machine; the numbers below only have to differ between machines.
        let mac = MACAddress(rawValue: 0x0200_0000_0000 + UInt64(index))
        if plan.routerIDIsDerived {
            disk.identity = SavedIdentity(
                mac: mac, routerID: plan.routerID, nonce: 0xfeed_0000 + UInt64(index), machine: UInt64(index) + 1)
        } else {
            configuration.node.routerID = plan.routerID
        }
        for vip in plan.vips { services[vip.name] = true }
    }

    /// A node's own address: the first of the node's /119, as in `AddressPlan`.
    static func address(of node: Int) -> IPv6Address {
        IPv6Address(high: 0x2001_0db8_0002_0000, low: UInt64(node) << 9)
    }

    /// The router while there is a process that has one.
    public var router: Router? { process?.router }
    /// The node's model of the kernel's routes, and the routes that it wants there.
    var fib: FIB? { process?.installer.fib }
    /// The router ID in use, or that of the next process.
    public var routerID: RouterID {
        process?.router?.routerID ?? configuration.node.routerID ?? disk.identity?.routerID ?? .none
    }
    /// Whether it should be a stub router.
    public var isStub: Bool { isStubCommanded || isDrained }
    /// Whether it should be drained.
    var isDrained: Bool { isDrainWanted || isClusterDrainWanted || isStopAnnounced }
    /// Whether a stop leaves routes and addresses for the next process.
    var staysOnStop: Bool { configuration.node.onStop == .stay && !isDrained }
    /// The external prefixes that it imports.
    public var externals: [ExternalPrefix] { configuration.externals }

    /// What it should announce: its own address, the IPv4 address that it has assigned itself, the prefixes of the
    /// configuration, the VIPs whose services work or that have no check, and the service addresses in demand. The first of
    /// equal prefixes counts.
    public var prefixes: [AdvertisedPrefix] {
        let own = AdvertisedPrefix(prefix: IPv6Prefix(host: Self.address(of: index)))
        let taken = (process?.ipv4.address).map { [AdvertisedPrefix(prefix: IPv6Prefix(host: IPv6Address($0)))] } ?? []
        let metric = isDrained ? AdvertisedPrefix.lastResort : 0
        let working = configuration.vips.filter { $0.check == nil || services[$0.name] == true }.map {
            AdvertisedPrefix(prefix: IPv6Prefix(host: $0.address), metric: metric)
        }
        let wanted = demands.sorted { $0.key < $1.key }.map { address, level in
            AdvertisedPrefix(
                prefix: IPv6Prefix(host: address),
                metric: level == .lastResort ? AdvertisedPrefix.lastResort : metric)
        }
        var seen: Set<IPv6Prefix> = []
        return ([own] + taken + configuration.advertise + working + wanted).filter { seen.insert($0.prefix).inserted }
    }

    /// Whether the process has not read yet that an address was removed by another program.
    func hasUnreadRemoval(of address: IPv6Address) -> Bool {
        unreadNews.contains { event in
            guard case .kernel(let events) = event else { return false }
            return events.contains { if case .addressRemoved(let gone) = $0 { gone.address == address } else { false } }
        }
    }

    /// Whether the process has nothing left to do: the initial database synchronization is over, nothing is waiting,
    /// outstanding or undecided in the router, the ledger, the service addresses, the FIB installer or the VIPs, no neighbor
    /// that failed answers again, forwarding is on, and the nftables table is as wanted. True without a process, false without a router.
    var isAtRest: Bool {
        guard let process else { return true }
        return process.router?.isQuiet == true && process.life.isSynchronized && !process.ledger.hasWork
            && !process.ledger.isBusy && process.ledger.nextDeadline == nil
            && process.serviceAddresses.nextDeadline == nil
            && !process.installer.isBusy && process.installer.nextDeadline == nil && kernel.forwards
            && !process.liveness.isRecovering && !process.quality.mayChange && process.vips.isDecided && hasWantedBypass
    }

    /// Whether the kernel has the nftables table that the process wants; it may have more addresses, which an earlier process left.
    var hasWantedBypass: Bool {
        guard let process else { return true }
        guard let wanted = process.bypass.wanted, var present = kernel.bypass else {
            return process.bypass.wanted == nil && kernel.bypass == nil
        }
        if process.bypass.mayHaveRemains { present.addresses.formIntersection(wanted.addresses) }
        return present == wanted
    }

    /// Whether its process runs; to other routers, a sleeping one is a dead one.
    public var isRunning: Bool { state == .running && process != nil }
}
