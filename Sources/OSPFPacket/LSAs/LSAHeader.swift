/// The 20 octets that begin every LSA (RFC 5340 §A.4.2).
public struct LSAHeader: Hashable, Sendable {
    /// The header's size in octets.
    public static let size = 20
    /// MaxAge: the age in seconds at which an LSA is no longer used and is flushed from the routing domain (RFC 2328
    /// §B).
    public static let maxAge: UInt16 = 3600
    /// MaxAgeDiff: of two instances whose ages differ by more seconds, and that are otherwise equal, the younger is the newer,
    /// unless the age of the other is MaxAge (RFC 2328 §B, §13.1).
    public static let maxAgeDiff: UInt16 = 900
    /// LSRefreshTime: the age in seconds at which the originator sends a new instance (RFC 2328 §B).
    public static let refreshTime: UInt16 = 1800
    /// InitialSequenceNumber: the first sequence number of an LSA (RFC 2328 §12.1.6).
    public static let initialSequenceNumber: Int32 = -0x7fff_ffff
    /// MaxSequenceNumber: the last sequence number of an LSA. The LSA must be flushed before its sequence starts again (RFC
    /// 2328 §12.1.6).
    public static let maxSequenceNumber: Int32 = 0x7fff_ffff

    /// Seconds since origination, 0–3600; also 3600 if the LSA is being flushed. A higher received value counts as 3600, and so
    /// does an age with the DoNotAge bit (0x8000): this router does not support that bit, so nobody in the area may set it
    /// (RFC 1793 §2.5).
    public var age: UInt16
    /// Type, link state ID and advertising router.
    public var key: LSAKey
    /// The sequence number, signed; the instance with the higher number is newer.
    public var sequenceNumber: Int32
    /// Fletcher checksum over the whole LSA except its age (RFC 2328 §12.1.7).
    public var checksum: UInt16
    /// The size of the LSA in octets, header included; at least 20.
    public var length: UInt16

    public init(age: UInt16, key: LSAKey, sequenceNumber: Int32, checksum: UInt16, length: UInt16) {
        self.age = age
        self.key = key
        self.sequenceNumber = sequenceNumber
        self.checksum = checksum
        self.length = length
    }
}

extension LSAHeader {
    /// Which of two instances of the same LSA is newer.
    public enum Recency: Hashable, Sendable {
        case newer
        /// Both count as the same instance.
        case same
        case older
    }

    /// Compares this instance with another of the same LSA (RFC 2328 §13.1).
    public func recency(comparedTo other: LSAHeader) -> Recency {
        if sequenceNumber != other.sequenceNumber { return sequenceNumber > other.sequenceNumber ? .newer : .older }
        if checksum != other.checksum { return checksum > other.checksum ? .newer : .older }
        let isMaxAge = age >= Self.maxAge
        if isMaxAge != (other.age >= Self.maxAge) { return isMaxAge ? .newer : .older }
        if age > other.age { return age - other.age > Self.maxAgeDiff ? .older : .same }
        return other.age - age > Self.maxAgeDiff ? .newer : .same
    }
}

extension LSAHeader {
    /// The offset of the length field in the header.
    static let lengthOffset = 18

    /// Decodes the 20 octets at `offset`.
    init(decoding octets: RawSpan, at offset: Int) throws(DecodingError) {
        age = min(octets.uint16(at: offset), Self.maxAge)
        key = LSAKey(decoding: octets, at: offset + 2)
        sequenceNumber = Int32(bitPattern: octets.uint32(at: offset + 12))
        checksum = octets.uint16(at: offset + FletcherChecksum.offset)
        length = octets.uint16(at: offset + Self.lengthOffset)
        guard length >= Self.size else { throw .length }
    }

    /// Decodes a list of headers that uses all octets.
    static func list(decoding octets: RawSpan) throws(DecodingError) -> [LSAHeader] {
        guard octets.byteCount % size == 0 else { throw .length }
        var headers: [LSAHeader] = []
        headers.reserveCapacity(octets.byteCount / size)
        for offset in stride(from: 0, to: octets.byteCount, by: size) {
            headers.append(try LSAHeader(decoding: octets, at: offset))
        }
        return headers
    }

    func encode(into octets: inout [UInt8]) {
        octets.append(age)
        key.encode(into: &octets)
        octets.append(UInt32(bitPattern: sequenceNumber))
        octets.append(checksum)
        octets.append(length)
    }
}
