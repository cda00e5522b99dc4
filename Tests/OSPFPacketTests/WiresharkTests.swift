import Addressing
import Foundation
import OSPFPacket
import TestSupport
import Testing

/// tshark, an independent decoder, finds no fault in our packets and reads the same values.
@Suite(.serialized, .needs(program: "tshark")) struct WiresharkTests {
    static let source = IPv6Address("fe80::1")!
    static let destination = IPv6Address("ff02::5")!
    static let header = PacketHeader(routerID: RouterID("10.0.0.1")!, areaID: AreaID("0.0.0.9")!, instanceID: 4)

    /// One packet of each type, with six random LSAs of each of the nine types that tshark knows too.
    static func packets(seed: UInt64) -> [Packet] {
        var samples = Samples(seed: seed)
        let lsas = Samples.types.prefix(9).flatMap { type in (0..<6).map { _ in samples.lsa(type) } }
        let headers = lsas.map(\.header)
        let options: OSPFOptions = [.v6, .e, .r]
        let bodies: [Packet.Body] = [
            .hello(
                Hello(
                    interfaceID: 7, priority: 1, options: options, helloInterval: 1, deadInterval: 4,
                    designatedRouter: RouterID("10.0.0.2")!, backupDesignatedRouter: RouterID("10.0.0.1")!,
                    neighbors: [RouterID("10.0.0.2")!, RouterID("10.0.0.3")!])),
            .databaseDescription(
                DatabaseDescription(
                    options: options, interfaceMTU: 1500, flags: [.initialize, .more, .master], sequenceNumber: 77,
                    headers: headers)),
            .linkStateRequest(LinkStateRequest(keys: lsas.map(\.key))),
            .linkStateUpdate(LinkStateUpdate(lsas: lsas)),
            .linkStateAcknowledgment(LinkStateAcknowledgment(headers: headers)),
        ]
        return bodies.map { Packet(header: header, body: $0) }
    }

    /// The lines in which tshark reports a fault: wrong checksums, unknown types, malformed parts.
    static func faults(in packets: [[UInt8]]) throws -> [String] {
        let text = try Wireshark.read(packets, from: source, to: destination, arguments: ["-V"])
        return text.components(separatedBy: "\n").filter { line in
            ["Malformed", "incorrect", "Invalid", "Unknown LSA", "Expert Info"].contains { line.contains($0) }
        }
    }

    @Test(arguments: 0..<3)
    func tsharkFindsNothingMalformed(seed: UInt64) throws {
        let octets = Self.packets(seed: seed).map { $0.encode(source: Self.source, destination: Self.destination) }
        #expect(try Self.faults(in: octets).isEmpty)
    }

    @Test(arguments: 0..<5)
    func tsharkFindsADamagedPacket(packet: Int) throws {
        var octets = Self.packets(seed: 0)[packet].encode(source: Self.source, destination: Self.destination)
        octets[octets.count - 1] ^= 1
        #expect(try Self.faults(in: [octets]).contains { $0.contains("Checksum") })
    }

    /// Packets of all types with a trailer of each size that there is, without a checksum, as where packets must be authentic: with one, tshark
    /// wants it to cover the trailer. It does not have the key, so the authentication data are any octets; and it shows a trailer only
    /// where the AT-bit announces it.
    @Test(arguments: [20, 32, 48, 64]) func tsharkReadsAuthenticationTrailers(size: Int) throws {
        let data = (0..<size).map { UInt8($0 * 3 + 1) }
        let packets = Self.packets(seed: 0)
        let octets = try packets.enumerated().map { index, packet in
            let plain = packet.encode(source: Self.source, destination: Self.destination)
            var octets = try #require(TrailedPacket(plain)).announcingTrailer(
                withChecksum: false, source: Self.source, destination: Self.destination)
            AuthenticationTrailer(keyID: 0x1234, sequence: 1 << 40 + UInt64(index), dataSize: size)
                .encode(into: &octets)
            return octets + data
        }
        #expect(try Self.faults(in: octets) == [])
        let names = ["auth_type", "auth_data_len", "reserved", "sa_id", "crypto_seq_nbr", "auth_data"]
        let text = try Wireshark.read(
            octets, from: Self.source, to: Self.destination,
            arguments: ["-T", "fields"] + names.flatMap { ["-e", "ospf.at.\($0)"] })
        let rows = text.split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
        try #require(rows.count == packets.count)
        let hex = data.map { String(format: "%02x", $0) }.joined()
        for (index, packet) in packets.enumerated() {
            let hasOptions = [.hello, .databaseDescription].contains(packet.body.type)
            let fields = ["1", "\(size + 16)", "0x0000", "0x1234", "\(1 << 40 + UInt64(index))", hex]
            #expect(rows[index] == (hasOptions ? fields : []))
        }
    }

    /// Compares the packet and LSA headers of all packets, and metrics and prefixes of the update (packet 3).
    @Test(arguments: 0..<2)
    func tsharkReadsTheSameFields(seed: UInt64) throws {
        let packets = Self.packets(seed: seed)
        let octets = packets.map { $0.encode(source: Self.source, destination: Self.destination) }
        let names = [
            "ospf.msg", "ospf.srcrouter", "ospf.area_id", "ospf.v3.lsa", "ospf.advrouter", "ospf.metric",
            "ospf.v3.address_prefix.ipv6",
        ]
        let text = try Wireshark.read(
            octets, from: Self.source, to: Self.destination,
            arguments: ["-T", "fields"] + names.flatMap { ["-e", $0] })
        let rows = text.split(separator: "\n").map { line in
            line.split(separator: "\t", omittingEmptySubsequences: false).map {
                $0.split(separator: ",").map(String.init)
            }
        }
        #expect(rows.count == packets.count)

        let lsas = try #require(packets[3].update).lsas
        let types = lsas.map { String(format: "0x%04x", $0.key.type.rawValue) }
        let routers = lsas.map(\.key.advertisingRouter.description)
        for (index, row) in rows.enumerated() {
            #expect(row[0] == ["\(packets[index].body.type.rawValue)"])
            #expect(row[1] == ["10.0.0.1"] && row[2] == ["0.0.0.9"])
            #expect(row[3] == (index == 0 ? [] : types) && row[4] == (index == 0 ? [] : routers))
        }
        let (metrics, prefixes) = try Self.metricsAndPrefixes(of: lsas)
        #expect(rows[3][5] == metrics)
        #expect(rows[3][6].map(IPv6Address.init) == prefixes)
    }

    /// The metrics and the addresses of prefixes in these LSAs, in the order in which tshark prints them.
    static func metricsAndPrefixes(of lsas: [LSA]) throws -> (metrics: [String], prefixes: [IPv6Address]) {
        var metrics: [UInt32] = []
        var prefixes: [LSAPrefix] = []
        for lsa in lsas {
            switch try lsa.body() {
            case .router(let body): metrics += body.links.map { UInt32($0.metric) }
            case .interAreaPrefix(let body):
                prefixes.append(body.prefix)
                metrics.append(body.metric)
            case .interAreaRouter(let body): metrics.append(body.metric)
            case .asExternal(let body), .nssa(let body):
                prefixes.append(body.prefix)
                metrics.append(body.metric)
            case .link(let body): prefixes += body.prefixes
            case .intraAreaPrefix(let body):
                prefixes += body.prefixes
                metrics += body.prefixes.map { UInt32($0.metric) }
            default: break
            }
        }
        return (metrics.map(\.description), prefixes.map(\.prefix.address))
    }
}

/// Runs tshark.
enum Wireshark {
    /// The path of tshark; `nil` if it is not installed.
    static let path: String? = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        .map { "\($0)/tshark" }.first { FileManager.default.isExecutableFile(atPath: $0) }

    /// The output of tshark about OSPF packets between two addresses.
    static func read(
        _ packets: [[UInt8]], from source: IPv6Address, to destination: IPv6Address, arguments: [String]
    ) throws -> String {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).pcap")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(capture(packets, from: source, to: destination)).write(to: file)
        let process = Process()
        process.executableURL = URL(filePath: try #require(path))
        process.arguments = ["-n", "-r", file.path()] + arguments
        // Into a file and not a pipe: a signal that interrupts reading from a pipe is a fatal error in Foundation.
        let output = file.appendingPathExtension("txt")
        _ = FileManager.default.createFile(atPath: output.path(), contents: nil)
        defer { try? FileManager.default.removeItem(at: output) }
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: try Data(contentsOf: output), as: UTF8.self)
    }

    /// A capture file of link type 229: IPv6 packets without a link-layer header.
    private static func capture(
        _ packets: [[UInt8]], from source: IPv6Address, to destination: IPv6Address
    ) -> [UInt8] {
        func littleEndian(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(value >> (8 * $0) & 255) } }
        var octets =
            littleEndian(0xa1b2_c3d4) + [2, 0, 4, 0] + littleEndian(0) + littleEndian(0) + littleEndian(65_535 + 40)
            + littleEndian(229)
        for packet in packets {
            let size = packet.count
            octets += littleEndian(0) + littleEndian(0) + littleEndian(size + 40) + littleEndian(size + 40)
            octets += [0x60, 0, 0, 0, UInt8(size >> 8), UInt8(size & 255), 89, 1]
            octets += source.octets + destination.octets + packet
        }
        return octets
    }
}
