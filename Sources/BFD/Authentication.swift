/// A type of authentication (RFC 5880 §4.2–4.4). The raw value is that in packets.
public enum AuthenticationType: UInt8, Hashable, Sendable, CaseIterable {
    case simplePassword = 1, keyedMD5, meticulousKeyedMD5, keyedSHA1, meticulousKeyedSHA1

    /// Whether each packet has a sequence number larger than that of the one before.
    public var isMeticulous: Bool { self == .meticulousKeyedMD5 || self == .meticulousKeyedSHA1 }

    /// The hash function; `nil` for a password.
    public var hash: HashFunction? {
        switch self {
        case .simplePassword: nil
        case .keyedMD5, .meticulousKeyedMD5: .md5
        case .keyedSHA1, .meticulousKeyedSHA1: .sha1
        }
    }

    /// The lengths that a key may have, in octets.
    public var keyLengths: ClosedRange<Int> { 1...(hash?.size ?? 16) }
}

/// A hash function of RFC 5880 §6.7. The core has none: its user injects them.
public enum HashFunction: Hashable, Sendable {
    case md5, sha1

    /// The octets of a digest.
    public var size: Int { self == .md5 ? 16 : 20 }
}

/// Calculates a digest.
public typealias Digest = @Sendable (HashFunction, [UInt8]) -> [UInt8]

/// A key that both ends of a session share.
public struct SessionKey: Hashable, Sendable {
    public var type: AuthenticationType
    public var id: UInt8
    /// As many octets as ``AuthenticationType/keyLengths`` allows.
    public var secret: [UInt8]

    /// `nil` if the secret is too long or empty.
    public init?(type: AuthenticationType, id: UInt8, secret: [UInt8]) {
        guard type.keyLengths.contains(secret.count) else { return nil }
        self.type = type
        self.id = id
        self.secret = secret
    }
}

extension SessionKey: CustomStringConvertible, CustomReflectable {
    /// Identifier and type, never the secret.
    public var description: String { "key \(id) (\(type))" }
    public var customMirror: Mirror { Mirror(self, children: ["id": id, "type": type]) }
}

/// Signs the packets of a session and verifies those of its neighbor (RFC 5880 §6.7).
struct Authenticator: Sendable {
    let key: SessionKey
    let digest: Digest
    /// bfd.XmitAuthSeq: the sequence number of the next packet.
    private(set) var transmitSequence: UInt32
    /// bfd.RcvAuthSeq, if bfd.AuthSeqKnown is 1.
    private(set) var receivedSequence: UInt32?
    /// The packet that was signed last, without its flags P and F.
    private var last: ControlPacket?

    init(_ key: SessionKey, digest: @escaping Digest, firstSequence: UInt32) {
        self.key = key
        self.digest = digest
        transmitSequence = firstSequence
    }

    /// Forgets the sequence number of the neighbor, because it has been silent for twice the detection time.
    mutating func forgetSequence() { receivedSequence = nil }

    /// The octets of a packet with its authentication section.
    mutating func sign(_ packet: ControlPacket) -> [UInt8] {
        guard let hash = key.type.hash else {
            let section = [key.type.rawValue, UInt8(3 + key.secret.count), key.id] + key.secret
            return packet.encoded(authentication: section.count) + section
        }
        var content = packet
        (content.isPoll, content.isFinal) = (false, false)
        // Meticulous types count packets; the others count changes (§6.7.3).
        if key.type.isMeticulous || last != content { transmitSequence &+= 1 }
        last = content
        var octets = packet.encoded(authentication: 8 + hash.size)
        octets += [key.type.rawValue, UInt8(8 + hash.size), key.id, 0]
        octets.append(bigEndian: transmitSequence)
        octets += digest(hash, octets + paddedSecret(hash))
        return octets
    }

    private func paddedSecret(_ hash: HashFunction) -> [UInt8] {
        key.secret + [UInt8](repeating: 0, count: hash.size - key.secret.count)
    }

    /// Verifies a packet whose mandatory section has been checked. A packet that is refused changes nothing: the sequence number
    /// of a forged one is not remembered, unlike in §6.7.3 as written.
    mutating func verify(_ octets: [UInt8], multiplier: UInt8) throws(Refusal) {
        let length = Int(octets[3])
        let section = octets[ControlPacket.size..<length]
        let start = section.startIndex
        guard section.count >= 3, section[start] == key.type.rawValue, Int(section[start + 1]) == section.count,
            section[start + 2] == key.id
        else { throw .wrongKey }
        guard let hash = key.type.hash else {
            guard Self.areEqual(section.dropFirst(3), key.secret) else { throw .wrongDigest }
            return
        }
        guard section.count == 8 + hash.size else { throw .wrongKey }
        let sequence = section[(start + 4)..<(start + 8)].reduce(0) { $0 << 8 | UInt32($1) }
        if let known = receivedSequence {
            let ahead = sequence &- known
            let smallest: UInt32 = key.type.isMeticulous ? 1 : 0
            guard ahead >= smallest, ahead <= 3 * UInt32(multiplier) else { throw .sequence }
        }
        let expected = digest(hash, Array(octets[..<(start + 8)]) + paddedSecret(hash))
        guard Self.areEqual(section.dropFirst(8), expected) else { throw .wrongDigest }
        receivedSequence = sequence
    }

    /// Compares in a time that does not depend on where the two differ.
    private static func areEqual(_ left: ArraySlice<UInt8>, _ right: [UInt8]) -> Bool {
        left.count == right.count && zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
