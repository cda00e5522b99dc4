public import Addressing

/// The common packet header: 16 octets (RFC 5340 §A.3.1). Its other fields, version, type, length and checksum, are not stored
/// here: encoding fills them in, and decoding checks them.
public struct PacketHeader: Hashable, Sendable {
    /// The header's size in octets.
    public static let size = 16

    /// The sender of the packet.
    public var routerID: RouterID
    /// The area the packet belongs to.
    public var areaID: AreaID
    /// The OSPF instance the packet belongs to; a link may have several (RFC 5340 §2.4).
    public var instanceID: UInt8

    public init(routerID: RouterID, areaID: AreaID, instanceID: UInt8) {
        self.routerID = routerID
        self.areaID = areaID
        self.instanceID = instanceID
    }
}

extension PacketHeader {
    /// The only version of OSPF for IPv6.
    static let version: UInt8 = 3
    /// The maximum value of the length field.
    static let maximumPacketSize = Int(UInt16.max)

    /// Decodes the header of a packet of at least 16 octets. The other fields are checked by
    /// ``Packet/decode(_:source:destination:verifyChecksum:)-(RawSpan,_,_,_)``.
    init(decoding octets: RawSpan) {
        routerID = octets.routerID(at: 4)
        areaID = AreaID(rawValue: octets.uint32(at: 8))
        instanceID = octets.uint8(at: 14)
    }

    /// Begins a packet: its header, with length and checksum still 0. Reserves memory for `size` octets in total.
    func begin(_ type: PacketType, reserving size: Int) -> [UInt8] {
        var octets: [UInt8] = []
        octets.reserveCapacity(size)
        octets.append(UInt16(Self.version) << 8 | UInt16(type.rawValue))
        octets.append(0 as UInt16)
        octets.append(routerID.rawValue)
        octets.append(areaID.rawValue)
        octets.append(0 as UInt16)
        octets.append(UInt16(instanceID) << 8)
        return octets
    }

    /// Ends a packet: fills in its length and checksum.
    static func seal(_ octets: inout [UInt8], source: IPv6Address, destination: IPv6Address) {
        precondition(octets.count <= maximumPacketSize, "an OSPF packet cannot have \(octets.count) octets")
        octets.replace(at: 2, with: UInt16(octets.count))
        let checksum = InternetChecksum.compute(octets.span.bytes, source: source, destination: destination)
        octets.replace(at: InternetChecksum.offset, with: checksum)
    }

    /// The maximum size of the body, in octets, of a packet that is not fragmented on a link with an MTU of `mtu` octets, even with
    /// the largest authentication trailer. The room for that is always left, so that authentication may be switched on without
    /// a change of the packets.
    static func bodySize(mtu: Int) -> Int {
        min(mtu - ipv6HeaderSize, maximumPacketSize) - AuthenticationTrailer.maximumSize - size
    }
}

/// The size of the IPv6 header in front of every packet (RFC 8200 §3).
let ipv6HeaderSize = 40
