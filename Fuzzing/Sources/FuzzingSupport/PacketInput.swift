internal import Addressing
public import OSPFPacket

/// What the packet target makes of an input: its first octet says which door it goes through.
public enum PacketInput {
    /// A whole packet, whose checksum is not looked at.
    case packet([UInt8])
    /// The body of an LSA of some type, as a sender would wrap it.
    case body(LSAType, [UInt8])

    private static let bodyMark: UInt8 = 1

    /// Reads an input.
    public init?(octets: [UInt8]) {
        guard let mark = octets.first else { return nil }
        if mark == Self.bodyMark {
            guard octets.count >= 3 else { return nil }
            let body = octets[3...].prefix(65_000)
            self = .body(
                LSAType(rawValue: UInt16(octets[1]) << 8 | UInt16(octets[2])), Array(body.prefix(body.count & ~3)))
        } else {
            self = .packet(Array(octets.dropFirst()))
        }
    }

    /// The input that is read as this.
    public var octets: [UInt8] {
        switch self {
        case .packet(let octets): [0] + octets
        case .body(let type, let body):
            [Self.bodyMark, UInt8(type.rawValue >> 8), UInt8(type.rawValue & 255)] + body
        }
    }

    /// Decodes it; whatever decodes must survive being written and read again.
    public func check() {
        switch self {
        case .packet(let octets):
            checkAuthentication(of: octets)
            guard let packet = decode(octets) else { return }
            if case .linkStateUpdate(let update) = packet.body {
                for lsa in update.lsas { try? lsa.validateBody() }
            }
            var expected = packet
            if case .linkStateUpdate(let update) = packet.body {
                expected.body = .linkStateUpdate(LinkStateUpdate(lsas: update.lsas))
            }
            precondition(decode(packet.encode(source: .unspecified, destination: .unspecified)) == expected)
        case .body(let type, let body):
            let key = LSAKey(type: type, linkStateID: 1, advertisingRouter: RouterID(1))
            let lsa = LSA(key: key, sequenceNumber: 1, body: .unknown(body))
            precondition((try? LSA(octets: lsa.octets)) == lsa)
            guard let decoded = try? lsa.body() else { return }
            precondition((try? LSA(key: key, sequenceNumber: 1, body: decoded).body()) == decoded)
        }
    }

    private func decode(_ octets: [UInt8]) -> Packet? {
        try? Packet.decode(octets, source: .unspecified, destination: .unspecified, verifyChecksum: false)
    }
}
