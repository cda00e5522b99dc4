import Foundation
import FuzzingSupport
import OSPF
import OSPFPacket

// Writes the inputs from which fuzzing starts into a folder of its argument: `packets` from the captures beside the
// tests, `router` from conversations of the router under test with others.

guard CommandLine.arguments.count == 2 else {
    FileHandle.standardError.write(Data("usage: Seeds FOLDER\n".utf8))
    exit(2)
}
let folder = URL(filePath: CommandLine.arguments[1])

func write(_ inputs: some Sequence<[UInt8]>, to name: String) throws {
    let target = folder.appending(path: name)
    try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
    for (index, input) in Set(inputs).sorted(by: { $0.lexicographicallyPrecedes($1) }).enumerated() {
        try Data(input).write(to: target.appending(path: "seed-\(index)"))
    }
}

var packets: [[UInt8]] = []
for datagram in CaptureFile.all.flatMap(\.datagrams) {
    packets.append(PacketInput.packet(datagram.octets).octets)
    let packet = try Packet.decode(datagram.octets, source: datagram.source, destination: datagram.destination)
    guard case .linkStateUpdate(let update) = packet.body else { continue }
    for lsa in update.lsas { packets.append(PacketInput.body(lsa.key.type, Array(lsa.bodyOctets)).octets) }
}
try write(packets, to: "packets")

func conversation(
    _ places: [(port: Int, host: UInt16)], _ kind: InterfaceConfiguration.Kind, events: [UInt8] = []
) -> [UInt8] {
    let peers = places.map { Conversation.Peer(port: $0.port, host: $0.host, kind: kind) }
    var conversation = Conversation(peers: peers, kind: kind)
    conversation.run(units: 2500)
    precondition(conversation.isFull, "the seeds lead nowhere")
    for event in events {
        conversation.take(.event(event))
        conversation.run(units: 600)
    }
    return conversation.steps.flatMap(\.octets)
}
try write(
    [
        conversation([(0, 2)], .pointToPoint),
        conversation([(0, 2)], .pointToPoint, events: [0x33, 0x02, 0x06, 0x00]),
        conversation([(1, 2), (1, 3)], .broadcast),
        conversation([(1, 2), (1, 3)], .broadcast, events: [0x10, 0x11, 0x08]),
        conversation([(2, 2), (2, 3)], .auto),
        conversation([(0, 2), (1, 2), (1, 3), (2, 2)], .auto, events: [0x04, 0x0b]),
    ], to: "router")
