internal import Addressing

/// The few fields of an LSA that the oracle needs, read from the octets (RFC 5340 §A.4) by other code than the router's, so
/// that one mistake cannot hide in both.
struct WireLSA: Hashable, Sendable {
    let octets: [UInt8]

    var age: Int { number(at: 0, octets: 2) }
    var type: Int { number(at: 2, octets: 2) }
    var linkStateID: UInt32 { UInt32(number(at: 4, octets: 4)) }
    var advertisingRouter: RouterID { RouterID(UInt32(number(at: 8, octets: 4))) }
    var sequenceNumber: Int32 { Int32(truncatingIfNeeded: number(at: 12, octets: 4)) }
    var checksum: Int { number(at: 16, octets: 2) }
    /// Whether its flooding scope is link-local: both scope bits of the LS type are 0.
    var isLinkLocal: Bool { type & 0x6000 == 0 }

    /// Which instance of which LSA it is.
    var identity: Identity {
        Identity(
            type: type, router: advertisingRouter, linkStateID: linkStateID, sequenceNumber: sequenceNumber,
            checksum: checksum)
    }

    /// The members that distinguish instances of LSAs, and the checksum, by which contents are compared.
    struct Identity: Hashable, Sendable, Comparable, CustomStringConvertible {
        var type: Int
        var router: RouterID
        var linkStateID: UInt32
        var sequenceNumber: Int32
        var checksum: Int

        var description: String {
            let sequence = String(UInt32(bitPattern: sequenceNumber), radix: 16)
            return "0x\(String(type, radix: 16)) \(router) id \(linkStateID) seq 0x\(sequence)"
        }

        static func < (left: Self, right: Self) -> Bool {
            (left.type, left.router, left.linkStateID, left.sequenceNumber, left.checksum)
                < (right.type, right.router, right.linkStateID, right.sequenceNumber, right.checksum)
        }
    }

    /// LS types (RFC 5340 §A.4.2.1). The one for IPv4 prefixes is our own (docs/protocol.md).
    static let routerType = 0x2001
    static let networkType = 0x2002
    static let intraAreaPrefixType = 0x2009
    static let ipv4PrefixType = 0xbff0
    static let asExternalType = 0x4005

    private func number(at index: Int, octets count: Int) -> Int {
        octets[index..<index + count].reduce(0) { $0 << 8 | Int($1) }
    }

    /// The links of a router-LSA: 16 octets each after the header (20), flags and options (4); with the originator's
    /// interface ID, the metric, and the neighbor router ID.
    var routerLinks: [(interface: UInt32, metric: Int, neighbor: RouterID)] {
        stride(from: 24, to: octets.count, by: 16).map { at in
            (
                UInt32(number(at: at + 4, octets: 4)), number(at: at + 2, octets: 2),
                RouterID(UInt32(number(at: at + 12, octets: 4)))
            )
        }
    }

    /// The prefixes of an intra-area-prefix-LSA with their metrics. A prefix has as many whole words of 32 bits as its
    /// length needs (RFC 5340 §A.4.1).
    var intraAreaPrefixes: [(prefix: IPv6Prefix, metric: Int)] {
        var result: [(prefix: IPv6Prefix, metric: Int)] = []
        var at = 32
        for _ in 0..<number(at: 20, octets: 2) {
            result.append((prefix(at: at + 4, length: Int(octets[at])), number(at: at + 2, octets: 2)))
            at += 4 + (Int(octets[at]) + 31) / 32 * 4
        }
        return result
    }

    /// The prefixes of an IPv4-prefix-LSA (docs/protocol.md, “IPv4”) with their metrics, as IPv4-mapped IPv6 prefixes.
    var ipv4Prefixes: [(prefix: IPv6Prefix, metric: Int)] {
        var result: [(prefix: IPv6Prefix, metric: Int)] = []
        var at = 28
        for _ in 0..<number(at: 24, octets: 2) {
            let length = Int(octets[at])
            let bits = length == 0 ? 0 : UInt64(number(at: at + 4, octets: 4))
            let address = IPv6Address(high: 0, low: 0xffff_0000_0000 | bits)
            result.append((IPv6Prefix(address, length: 96 + length), number(at: at + 2, octets: 2)))
            at += length == 0 ? 4 : 8
        }
        return result
    }

    /// What an AS-external-LSA announces. The E-bit (4) means type 2.
    var external: (prefix: IPv6Prefix, metric: Int, isType2: Bool) {
        (prefix(at: 28, length: Int(octets[24])), number(at: 21, octets: 3), octets[20] & 4 != 0)
    }

    private func prefix(at index: Int, length: Int) -> IPv6Prefix {
        var all = Array(octets[index..<index + (length + 31) / 32 * 4])
        all += [UInt8](repeating: 0, count: 16 - all.count)
        return IPv6Prefix(IPv6Address(octets: all)!, length: length)
    }
}
