import Addressing
import ControlAPI
import Glibc
import Lab
import Links
import Linux
import OSPF
import OSPFPacket
import TestSupport
import Testing
import Timing

/// A router on node `b` that the test plays: it sends nothing but hellos.
private struct HelloSender {
    static let routerID = RouterID("10.9.9.9")!
    let socket: OSPFSockets
    let port: AddressBook.Port
    let hello: [UInt8]

    init(_ lab: Lab, neighbor: RouterID, hello: UInt16, dead: UInt16) throws {
        port = lab.addresses.ports(of: "b")[0]
        socket = try NetworkNamespace(named: lab.namespace(of: "b").name).run { try OSPFSockets() }
        let packet = Packet(
            header: PacketHeader(routerID: Self.routerID, areaID: .backbone, instanceID: 0),
            body: .hello(
                Hello(
                    interfaceID: UInt32(port.index), priority: 1, options: [.v6, .e, .r], helloInterval: hello,
                    deadInterval: dead, designatedRouter: .none, backupDesignatedRouter: .none, neighbors: [neighbor])))
        self.hello = packet.encode(source: port.linkLocalAddress, destination: .allSPFRouters)
    }

    func send(_ octets: [UInt8]) throws {
        try socket.send(
            interface: UInt32(port.index), source: port.linkLocalAddress, destination: .allSPFRouters, octets: octets)
    }

    /// Sends a hello every 100 ms.
    func sendHellos(for duration: Duration) throws {
        let end = ContinuousClock.now + duration
        while ContinuousClock.now < end {
            try send(hello)
            usleep(100_000)
        }
    }
}

@Suite(.serialized, .needsRoot) struct SuspendedAgentTests {
    /// The agent is suspended for 3 s, longer than the dead interval of 2 s. When it continues, the neighbor's inactivity timer
    /// is due, and its hellos of the last second wait in the socket, behind 1000 malformed packets: more than one turn takes
    /// in.
    @Test func aHelloThatWaitsToBeReadKeepsTheNeighbor() throws {
        let nodes = [
            Topology.Node("a", ospf: Topology.OSPFOptions(hello: 1, dead: 2)), Topology.Node("b", router: .none),
        ]
        try withLab(Topology(name: "silence", nodes: nodes, links: [Topology.Link("a", "b")])) { lab in
            try eventually("the interface of a is up") { try lab.meshctl("interfaces").text.contains("PointToPoint") }
            let routerID = try #require(RouterID(lab.status(of: "a").routerID))
            let sender = try HelloSender(lab, neighbor: routerID, hello: 1, dead: 2)
            func neighbor() throws -> Neighbor? {
                try sender.send(sender.hello)
                return try lab.list(Neighbor.self, of: "a").first
            }
            try eventually("b is in state ExStart on a") { try neighbor()?.state == "ExStart" }
            let before = try #require(try neighbor())

            let agent = try #require(lab.process(of: "a"))
            Lab.suspend([agent])
            defer { kill(agent, SIGCONT) }
            for _ in 0..<1000 { try sender.send([3, 1, 0, 0]) }
            usleep(2_000_000)
            try sender.sendHellos(for: .seconds(1))
            kill(agent, SIGCONT)

            let after = try #require(try neighbor())
            #expect(after.state == "ExStart" && after.stateChanges == before.stateChanges && after.age > 3, "\(after)")
            try eventually("a removes b when b sends no more hellos") { try lab.list(Neighbor.self, of: "a").isEmpty }
        }
    }
}
