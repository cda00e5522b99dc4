import Addressing
import OSPF
import OSPFPacket

/// A neighbor on a cable of router 0 whose every word is the test's.
struct ForeignNeighbor {
    let routerID: RouterID
    let interface: UInt32
    let address: IPv6Address
    var sequenceNumber: UInt32 = 7000
    var options: OSPFOptions = [.v6, .e, .r]

    init(routerID: RouterID = RouterID(2), interface: UInt32 = 1, address: IPv6Address? = nil) {
        self.routerID = routerID
        self.interface = interface
        self.address = address ?? Bench.address(.init(router: Int(routerID.rawValue) - 1, interface: interface))
    }

    func say(_ body: Packet.Body, in bench: inout Bench) {
        let packet = Packet(header: PacketHeader(routerID: routerID, areaID: .backbone, instanceID: 0), body: body)
        let destination = IPv6Address.allSPFRouters
        bench.handle(
            .packet(
                interface: interface, source: address, destination: destination,
                octets: packet.encode(source: address, destination: destination)), on: 0)
    }

    func sayHello(
        listing neighbors: [RouterID] = [RouterID(1)], designated: RouterID = .none, in bench: inout Bench
    ) {
        let hello = Hello(
            interfaceID: interface, priority: 1, options: options, helloInterval: 1, deadInterval: 4,
            designatedRouter: designated, backupDesignatedRouter: .none, neighbors: neighbors)
        say(.hello(hello), in: &bench)
    }

    /// A description with the next number, from the master that this neighbor is for its higher router ID.
    mutating func describe(
        _ headers: [LSAHeader], flags: DatabaseDescription.Flags = [.master], in bench: inout Bench
    ) {
        if !flags.contains(.initialize) { sequenceNumber += 1 }
        let description = DatabaseDescription(
            options: options, interfaceMTU: 1500, flags: flags, sequenceNumber: sequenceNumber, headers: headers)
        say(.databaseDescription(description), in: &bench)
    }

    /// Begins the exchange of databases: the other is the slave from here on.
    mutating func beginExchange(in bench: inout Bench) {
        sayHello(in: &bench)
        describe([], flags: [.initialize, .more, .master], in: &bench)
    }

    func send(_ lsas: [LSA], in bench: inout Bench) { say(.linkStateUpdate(LinkStateUpdate(lsas: lsas)), in: &bench) }
}

extension Bench {
    /// What router 0 has sent since the last time this was asked.
    mutating func takeSent() -> [Packet.Body] {
        defer { sent = [] }
        return sent.filter { $0.from.router == 0 }.compactMap { packet in
            guard packet.destination.isMulticast || packet.destination.isLinkLocal else { return nil }
            return try? Packet.decode(
                packet.octets, source: Bench.address(packet.from), destination: packet.destination
            ).body
        }
    }

    /// The state of router 0's only neighbor.
    var onlyState: NeighborState? { routers[0].neighborSnapshots.first?.state }
}
