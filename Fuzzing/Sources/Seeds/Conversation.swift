import Addressing
import FuzzingSupport
import OSPF
import OSPFPacket
import Timing

/// Real routers talk to the router under test, and what it hears is taken down: an input that leads a fuzzer to
/// neighbors in state Full, where most is to be found.
struct Conversation {
    /// A neighbor: on which port of the subject, and as which machine there.
    struct Peer {
        var port: Int
        var host: UInt16
        var router: Router

        init(port: Int, host: UInt16, kind: InterfaceConfiguration.Kind) {
            self.port = port
            self.host = host
            let id = RouterID(0x0a00_0000 | UInt32(port + 1) << 8 | UInt32(host))
            router = Router(
                configuration: RouterConfiguration(routerID: id, hostname: "peer", seed: UInt64(id.rawValue)), at: .zero
            )
        }

        var address: IPv6Address { Subject.address(port: port, host: host) }
        /// What it announces.
        var prefixes: [AdvertisedPrefix] {
            (0..<3).map { index in
                let address = IPv6Address(0x2001, 0xdb8, UInt16(port + 1), host, 0, 0, 0, UInt16(index))
                return AdvertisedPrefix(prefix: IPv6Prefix(host: address), options: .localAddress)
            } + [
                AdvertisedPrefix(
                    prefix: IPv6Prefix(IPv4Prefix(IPv4Address(0x0a00_0000 | UInt32(host) << 8), length: 24)))
            ]
        }
    }

    /// A packet under way.
    private struct Flight {
        var port: Int
        var source: IPv6Address
        var destination: IPv6Address
        var octets: [UInt8]
    }

    private var subject = Subject()
    private var peers: [Peer]
    private var flights: [Flight] = []
    private var now = Instant.zero
    /// Whether the subject is fully adjacent to all of them.
    var isFull: Bool { subject.fullNeighborCount == peers.count }
    /// What the subject went through so far.
    private(set) var steps: [Step] = []

    init(peers: [Peer], kind: InterfaceConfiguration.Kind) {
        self.peers = peers
        for index in peers.indices {
            handle(.interfaceUp(Subject.port(peers[index].port, host: peers[index].host, kind: kind)), index)
            handle(.advertise(peers[index].prefixes), index)
            handle(.advertiseExternal([ExternalPrefix(prefix: .default)]), index)
        }
        collectFromSubject()
    }

    /// Lets them talk for a while.
    mutating func run(units: Int) {
        for _ in 0..<units {
            now = now + Subject.unit
            for index in peers.indices {
                while let deadline = peers[index].router.nextDeadline, deadline <= now { handle(.timer, index) }
            }
            let arriving = flights
            flights = []
            for flight in arriving { deliver(flight) }
            take(.wait(1))
        }
    }

    /// Something happens to the subject.
    mutating func take(_ step: Step) {
        if case .wait(let more) = step, case .wait(let units)? = steps.last, units < 255 - more {
            steps[steps.count - 1] = .wait(units + more)
        } else {
            steps.append(step)
        }
        subject.take(step)
        collectFromSubject()
    }

    private mutating func deliver(_ flight: Flight) {
        for index in peers.indices where peers[index].port == flight.port && peers[index].address != flight.source {
            let event = RouterEvent.packet(
                interface: UInt32(flight.port + 2), source: flight.source, destination: flight.destination,
                octets: flight.octets)
            handle(event, index)
        }
        guard let sender = peers.first(where: { $0.address == flight.source }) else { return }
        let addresses = [.allSPFRouters, .allDRouters, Subject.ports[flight.port].linkLocalAddress]
        guard let destination = addresses.firstIndex(of: flight.destination) else { return }
        take(
            .packet(
                port: UInt8(flight.port), sender: UInt8(sender.host - 2), destination: UInt8(destination),
                octets: flight.octets))
    }

    private mutating func handle(_ event: RouterEvent, _ index: Int) {
        var effects: [RouterEffect] = []
        peers[index].router.handle(event, at: now, effects: &effects)
        launch(effects)
    }

    private mutating func collectFromSubject() {
        launch(subject.effects)
        subject.effects = []
    }

    private mutating func launch(_ effects: [RouterEffect]) {
        for effect in effects {
            guard case .send(let interface, let source, let destination, let octets) = effect else { continue }
            flights.append(
                Flight(port: Int(interface) - 2, source: source, destination: destination, octets: octets))
        }
    }
}
