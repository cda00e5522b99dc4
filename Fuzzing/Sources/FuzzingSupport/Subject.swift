public import Addressing
public import OSPF
internal import OSPFPacket
public import Timing

/// The router under test, its time, and what must never be seen of it.
public struct Subject {
    /// The unit of ``Step/wait(_:)``.
    public static let unit = Duration.milliseconds(20)
    /// Its ports: a point-to-point link, a shared segment, and one that finds out.
    public static let ports: [InterfaceConfiguration] = [
        InterfaceConfiguration.Kind.pointToPoint, .broadcast, .auto,
    ].enumerated().map { index, kind in port(index, host: 1, kind: kind) }

    /// A port of some machine on the link of the subject's port `index`. The timers are those of RFC 5340 §C.3, so that
    /// a long wait costs few hellos.
    public static func port(_ index: Int, host: UInt16, kind: InterfaceConfiguration.Kind) -> InterfaceConfiguration {
        InterfaceConfiguration(
            index: UInt32(index + 2), name: "port\(index)", mtu: 1280,
            linkLocalAddress: address(port: index, host: host), kind: kind, helloInterval: .seconds(10),
            deadInterval: .seconds(40))
    }

    /// The link-local address of a machine on a link; 1 is the subject, 2 and 3 its neighbors.
    public static func address(port: Int, host: UInt16) -> IPv6Address {
        IPv6Address(0xfe80, 0, 0, 0, 0, 0, UInt16(port + 1), host)
    }

    private static let limits = RouterLimits(lsas: 300, lsaOctets: 100_000, neighborsPerInterface: 3)

    /// The time by now.
    public private(set) var now = Instant.zero
    private var router: Router
    /// What it wanted since the last look.
    public var effects: [RouterEffect] = []

    /// How many of its neighbors have come to state Full.
    public var fullNeighborCount: Int { router.neighborSnapshots.count { $0.state == .full } }

    /// Makes the router, with all ports up.
    public init() {
        router = Router(configuration: Self.configuration, at: now)
        start()
    }

    private static var configuration: RouterConfiguration {
        RouterConfiguration(
            routerID: RouterID(0x0a00_0001), routerIDIsDerived: true, hostname: "subject",
            hardwareFingerprint: [UInt8](repeating: 0x55, count: 32), limits: limits, seed: 1)
    }

    private mutating func start() {
        for port in Self.ports { handle(.interfaceUp(port)) }
        handle(.advertise([AdvertisedPrefix(prefix: IPv6Prefix("2001:db8::1/128")!, options: .localAddress)]))
    }

    /// Another process takes the place of the present one, which says nothing.
    private mutating func replace() {
        var configuration = Self.configuration
        configuration.resumptionLimit = Self.ports[0].deadInterval
        router = Router(configuration: configuration, at: now)
        start()
    }

    /// Takes one step.
    public mutating func take(_ step: Step) {
        switch step {
        case .wait(let units): wait(Self.unit * Int(units))
        case .event(let number): takeEvent(number)
        case .packet(let port, let sender, let destination, let octets):
            let port = Int(port) % Self.ports.count
            let source = Self.address(port: port, host: 2 + UInt16(sender))
            let addresses = [
                .allSPFRouters, .allDRouters, Self.ports[port].linkLocalAddress,
                IPv6Address(0xff02, 0, 0, 0, 0, 0, 0, 1),
            ]
            let address = addresses[Int(destination) % addresses.count]
            handle(
                .packet(
                    interface: Self.ports[port].index, source: source, destination: address,
                    octets: repaired(octets, source: source, destination: address)))
        }
    }

    private mutating func takeEvent(_ number: UInt8) {
        let port = Self.ports[Int(number >> 4) % Self.ports.count]
        switch number & 15 {
        case 0: handle(.interfaceDown(index: port.index))
        case 1: handle(.interfaceUp(port))
        case 2: handle(.advertise([]))
        case 3: handle(.advertise(Self.prefixes(number >> 4)))
        case 4: handle(.advertiseExternal([ExternalPrefix(prefix: .default)]))
        case 5: handle(.advertiseExternal([]))
        case 6: handle(.stubRouter(true))
        case 7: handle(.stubRouter(false))
        case 8: wait(.seconds(1800))
        case 9: wait(.seconds(60))
        case 10:
            var other = port
            other.kind = .broadcast
            other.mtu = 9000
            other.priority = 0
            handle(.interfaceUp(other))
        case 11: handle(.shutdown)
        case 12: replace()
        default: handle(.timer)
        }
    }

    private static func prefixes(_ number: UInt8) -> [AdvertisedPrefix] {
        (0...Int(number) * 10).map { index in
            let address = IPv6Address(0x2001, 0xdb8, 0, UInt16(index), 0, 0, 0, 0)
            return AdvertisedPrefix(prefix: IPv6Prefix(address, length: 64), metric: UInt16(index))
        }
    }

    /// Lets time pass, and the timers with it.
    private mutating func wait(_ duration: Duration) {
        let end = now + duration
        var timersNow = 0
        while let deadline = router.nextDeadline, deadline <= end {
            timersNow = deadline > now ? 0 : timersNow + 1
            precondition(timersNow < 1000, "the router spins")
            now = max(now, deadline)
            handle(.timer)
        }
        now = end
        let database = router.databaseSnapshot(at: now)
        precondition(database.count(where: { !$0.isOwn }) <= Self.limits.lsas, "the database has no bound")
    }

    private mutating func handle(_ event: RouterEvent) {
        var new: [RouterEffect] = []
        router.handle(event, at: now, effects: &new)
        precondition(new.count < 5000, "one event leads to \(new.count) effects")
        for effect in new {
            guard case .send(_, let source, let destination, let octets) = effect else { continue }
            let packet = try? Packet.decode(octets, source: source, destination: destination)
            precondition(packet != nil, "a packet was sent that does not decode")
        }
        effects += new
    }
}
