import Addressing
import Foundation

/// The OSPF packets in a capture of Ethernet frames in the classic format of libpcap (little-endian). Other packets are
/// skipped.
struct CaptureFile {
    /// An OSPF packet as it was on the wire.
    struct Datagram: Hashable {
        var source: IPv6Address
        var destination: IPv6Address
        /// The IPv6 payload: from the OSPF header to the end.
        var octets: [UInt8]
    }

    /// The packets in their order.
    var datagrams: [Datagram] = []

    /// The captures in `Captures`; `capture.sh` there makes them.
    static let all: [CaptureFile] = ["point-to-point", "shared", "nssa", "inter-area"].map { name in
        let file = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
            .deletingLastPathComponent()
            .appending(path: "Captures/\(name).pcap")
        // A missing capture must stop the tests: the checkout is incomplete.
        return CaptureFile(octets: [UInt8](try! Data(contentsOf: file)))!
    }

    /// Reads a capture; `nil` if it has another format or link type, or a frame that was not captured whole.
    init?(octets: [UInt8]) {
        func littleEndian(_ offset: Int) -> Int { (0..<4).reduce(0) { $0 | Int(octets[offset + $1]) << (8 * $1) } }
        guard octets.count >= 24, littleEndian(0) == 0xa1b2_c3d4, littleEndian(20) == 1 else { return nil }
        var offset = 24
        while offset + 16 <= octets.count {
            let captured = littleEndian(offset + 8)
            guard captured == littleEndian(offset + 12), offset + 16 + captured <= octets.count else { return nil }
            if let datagram = Datagram(frame: octets[(offset + 16)..<(offset + 16 + captured)]) {
                datagrams.append(datagram)
            }
            offset += 16 + captured
        }
    }
}

extension CaptureFile.Datagram {
    /// Reads an Ethernet frame; `nil` unless it contains IPv6 with OSPF as the first next header.
    init?(frame: ArraySlice<UInt8>) {
        let frame = Array(frame)
        guard frame.count >= 54, frame[12] == 0x86, frame[13] == 0xdd, frame[20] == 89 else { return nil }
        let length = Int(frame[18]) << 8 | Int(frame[19])
        guard frame.count >= 54 + length, let source = IPv6Address(octets: frame[22..<38]),
            let destination = IPv6Address(octets: frame[38..<54])
        else { return nil }
        self.init(source: source, destination: destination, octets: Array(frame[54..<(54 + length)]))
    }
}
