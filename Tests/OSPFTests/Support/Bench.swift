import Addressing
import OSPF
import OSPFPacket
import Timing

/// A few routers, links with a fixed delay, and a clock that advances from event to event. Router N (from 0) has the router ID
/// N + 1 if ``addRouters(_:)`` made it.
struct Bench {
    struct Port: Hashable {
        var router: Int
        var interface: UInt32
    }

    var now = Instant.zero
    var routers: [Router] = []
    /// By router, in the order sent.
    var notices: [[Notice]] = []
    /// The ports of each link. A packet is delivered to all others of them that listen on its destination address.
    var links: [[Port]] = []
    /// Links that lose every packet, without the routers noticing: the interfaces stay up.
    var cut: Set<Int> = []
    /// Called with the sending port and the octets of each packet on a link that is not cut; `false` drops the packet. Octet 1
    /// is the packet type: 1 hello, 2 database description, 3 request, 4 update, 5 acknowledgment (RFC 5340 §A.3.1).
    var filter: (Port, [UInt8]) -> Bool = { _, _ in true }
    /// Every packet that a router has sent, also those that were lost.
    var sent: [(at: Instant, from: Port, destination: IPv6Address, octets: [UInt8])] = []
    /// By router, the prefixes that became unreachable, in order.
    var lost: [[IPv6Prefix]] = []
    /// Of every link.
    var delay = Duration.microseconds(100)
    private struct Membership: Hashable {
        var port: Port
        var group: IPv6Address
    }
    private var memberships: Set<Membership> = []
    private var inFlight: [(at: Instant, to: Port, source: IPv6Address, destination: IPv6Address, octets: [UInt8])] = []

    /// The link-local address of a port, `fe80::ROUTER:INTERFACE`, with the router's number plus 1.
    static func address(_ port: Port) -> IPv6Address {
        IPv6Address(high: 0xfe80 << 48, low: UInt64(port.router + 1) << 16 | UInt64(port.interface))
    }

    /// Returns the router's number.
    mutating func addRouter(_ configuration: RouterConfiguration) -> Int {
        routers.append(Router(configuration: configuration, at: now))
        notices.append([])
        lost.append([])
        return routers.count - 1
    }

    mutating func addRouters(_ count: Int) {
        for index in routers.count..<routers.count + count {
            _ = addRouter(
                RouterConfiguration(
                    routerID: RouterID(UInt32(index + 1)), hostname: "n\(index + 1)", seed: UInt64(index + 1)))
        }
    }

    /// Joins routers by a link and brings their interfaces up. Their interface IDs are the link's number plus 1. Returns the
    /// link's number.
    @discardableResult
    mutating func connect(
        _ members: [Int], kind: InterfaceConfiguration.Kind = .pointToPoint,
        change: (Int, inout InterfaceConfiguration) -> Void = { _, _ in }
    ) -> Int {
        connect(members.map { Port(router: $0, interface: UInt32(links.count + 1)) }, kind: kind, change: change)
    }

    /// Joins ports, several of which may belong to one router, and brings them up. `change` is called with the router of each
    /// port and may change the configuration of its interface.
    @discardableResult
    mutating func connect(
        _ ports: [Port], kind: InterfaceConfiguration.Kind = .pointToPoint,
        change: (Int, inout InterfaceConfiguration) -> Void = { _, _ in }
    ) -> Int {
        links.append(ports)
        for port in ports {
            var configuration = InterfaceConfiguration(
                index: port.interface, name: "eth\(port.interface)", mtu: 1500, linkLocalAddress: Self.address(port),
                kind: kind)
            change(port.router, &configuration)
            handle(.interfaceUp(configuration), on: port.router)
        }
        return links.count - 1
    }

    /// Gives an event to a router at once, and carries out the effects.
    mutating func handle(_ event: RouterEvent, on router: Int) {
        var effects: [RouterEffect] = []
        routers[router].handle(event, at: now, effects: &effects)
        for effect in effects {
            switch effect {
            case .send(let interface, let source, let destination, let octets):
                send(Port(router: router, interface: interface), source, destination, octets)
            case .notice(let notice): notices[router].append(notice)
            case .membership(let interface, let group, let joined):
                let membership = Membership(port: Port(router: router, interface: interface), group: group)
                if joined { memberships.insert(membership) } else { memberships.remove(membership) }
            case .routes(let update):
                lost[router] += update.routes.filter { $0.destination == nil }.map(\.prefix)
            case .routerIDChanged: break
            }
        }
    }

    private mutating func send(_ from: Port, _ source: IPv6Address, _ destination: IPv6Address, _ octets: [UInt8]) {
        sent.append((now, from, destination, octets))
        guard let link = links.firstIndex(where: { $0.contains(from) }), !cut.contains(link), filter(from, octets)
        else { return }
        for to in links[link] where to != from && isListening(to, destination) {
            inFlight.append((now + delay, to, source, destination, octets))
        }
    }

    /// Whether a port has a destination address, or has joined it as a group, when the packet is sent.
    private func isListening(_ port: Port, _ destination: IPv6Address) -> Bool {
        destination.isMulticast
            ? memberships.contains(Membership(port: port, group: destination)) : destination == Self.address(port)
    }

    /// Lets time pass: delivers the packets and fires the timers that are due in it, in order; of those due at one moment,
    /// packets first.
    mutating func run(for duration: Duration) {
        let end = now + duration
        while true {
            let packet = inFlight.first?.at
            let timer = routers.indices.compactMap { index in routers[index].nextDeadline.map { ($0, index) } }.min {
                $0.0 < $1.0
            }
            if let packet, packet <= end, timer == nil || packet <= timer!.0 {
                now = max(now, packet)
                let next = inFlight.removeFirst()
                handle(
                    .packet(
                        interface: next.to.interface, source: next.source, destination: next.destination,
                        octets: next.octets), on: next.to.router)
            } else if let timer, timer.0 <= end {
                now = max(now, timer.0)
                handle(.timer, on: timer.1)
            } else {
                break
            }
        }
        now = end
    }

    /// The next hops of a prefix as the ports of the neighbors; empty if there is no route.
    func nextHops(of prefix: String, on router: Int) -> Set<Port> {
        let table = routers[router].routeTable
        guard let id = table.routes[IPv6Prefix(prefix)!], let destination = table.destinations[id] else { return [] }
        return Set(
            destination.nextHops.map { hop in
                links.joined().first { $0.router != router && Self.address($0) == hop.gateway }!
            })
    }
}
