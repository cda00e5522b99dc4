import Addressing
import OSPF
import OSPFPacket

/// A neighbor of router 0 in a ``Bench`` that sends only the packets that the test makes. Its router ID is 2, higher than the 1
/// of router 0, so it is the master of the exchange, unless the test chooses other IDs.
struct ForeignNeighbor {
    let routerID: RouterID
    /// The interface ID at both ends of its link to router 0.
    let interface: UInt32
    let address: IPv6Address
    /// The sequence number of its last database description.
    var sequenceNumber: UInt32 = 7000
    var options: OSPFOptions = [.v6, .e, .r]

    init(routerID: RouterID = RouterID(2), interface: UInt32 = 1, address: IPv6Address? = nil) {
        self.routerID = routerID
        self.interface = interface
        self.address = address ?? Bench.address(.init(router: Int(routerID.rawValue) - 1, interface: interface))
    }

    /// Lets router 0 receive a packet from this neighbor, at once.
    func sendPacket(_ body: Packet.Body, in bench: inout Bench) {
        let packet = Packet(header: PacketHeader(routerID: routerID, areaID: .backbone, instanceID: 0), body: body)
        let destination = IPv6Address.allSPFRouters
        bench.handle(
            .packet(
                interface: interface, source: address, destination: destination,
                octets: packet.encode(source: address, destination: destination)), on: 0)
    }

    func sendHello(
        listing neighbors: [RouterID] = [RouterID(1)], designated: RouterID = .none, in bench: inout Bench
    ) {
        let hello = Hello(
            interfaceID: interface, priority: 1, options: options, helloInterval: 1, deadInterval: 4,
            designatedRouter: designated, backupDesignatedRouter: .none, neighbors: neighbors)
        sendPacket(.hello(hello), in: &bench)
    }

    /// Sends a database description, with the next sequence number unless it is the first (`initialize`).
    mutating func describe(
        _ headers: [LSAHeader], flags: DatabaseDescription.Flags = [.master], in bench: inout Bench
    ) {
        if !flags.contains(.initialize) { sequenceNumber += 1 }
        let description = DatabaseDescription(
            options: options, interfaceMTU: 1500, flags: flags, sequenceNumber: sequenceNumber, headers: headers)
        sendPacket(.databaseDescription(description), in: &bench)
    }

    /// Sends a hello that lists router 0, then the first description: router 0 becomes the slave and goes to Exchange.
    mutating func beginExchange(in bench: inout Bench) {
        sendHello(in: &bench)
        describe([], flags: [.initialize, .more, .master], in: &bench)
    }

    /// Sends a link state update.
    func send(_ lsas: [LSA], in bench: inout Bench) {
        sendPacket(.linkStateUpdate(LinkStateUpdate(lsas: lsas)), in: &bench)
    }
}

extension Bench {
    /// The multicast and link-local packets that router 0 has sent since the last call, in order.
    mutating func takeSent() -> [Packet.Body] {
        defer { sent = [] }
        return sent.filter { $0.from.router == 0 }.compactMap { packet in
            guard packet.destination.isMulticast || packet.destination.isLinkLocal else { return nil }
            return try? Packet.decode(
                packet.octets, source: Bench.address(packet.from), destination: packet.destination
            ).body
        }
    }

    /// The state of router 0's first neighbor, which is the only one in these tests; `nil` if it has none.
    var onlyState: NeighborState? { routers[0].neighborSnapshots.first?.state }
}
