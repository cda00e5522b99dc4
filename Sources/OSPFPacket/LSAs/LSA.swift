/// One instance of an LSA: its header, and its octets as received or originated, of which only the age is ever changed. So
/// LSAs of unknown types are flooded as they are. Bodies are decoded on request.
public struct LSA: Hashable, Sendable {
    /// The decoded header. Its `age` is the one received or last set; it does not grow by itself.
    public private(set) var header: LSAHeader
    /// The whole LSA in network order, header included; `octets.count == header.length`.
    public private(set) var octets: [UInt8]

    /// Type, link state ID and advertising router.
    public var key: LSAKey { header.key }
    /// The octets after the header.
    public var bodyOctets: ArraySlice<UInt8> { octets[LSAHeader.size...] }

    /// The age in seconds, 0–3600. Setting it changes the octets too; the checksum does not cover it.
    public var age: UInt16 {
        get { header.age }
        set {
            precondition(newValue <= LSAHeader.maxAge)
            header.age = newValue
            octets[0] = UInt8(newValue >> 8)
            octets[1] = UInt8(truncatingIfNeeded: newValue)
        }
    }

    init(uncheckedHeader header: LSAHeader, octets: [UInt8]) {
        assert(octets.count == Int(header.length))
        self.header = header
        self.octets = octets
    }
}

extension LSA {
    /// Decodes one LSA from exactly its octets. Throws if there are fewer than 20 octets, if their number is not the length
    /// in the header or not a multiple of 4, or if the checksum is wrong. The body is not checked; see ``body()``.
    public init(octets: [UInt8]) throws(DecodingError) {
        try self.init(decoding: octets.span.bytes)
    }

    init(decoding octets: RawSpan) throws(DecodingError) {
        guard octets.byteCount >= LSAHeader.size else { throw .truncated }
        let header = try LSAHeader(decoding: octets, at: 0)
        guard Int(header.length) == octets.byteCount, octets.byteCount % 4 == 0 else { throw .length }
        guard FletcherChecksum.isValid(octets) else { throw .lsaChecksum }
        self.init(uncheckedHeader: header, octets: octets.octets(in: 0..<octets.byteCount))
        // A received age above MaxAge was reduced in the header. This sets it in the octets as well.
        age = header.age
    }

    /// Makes an LSA, with its length and checksum. `body` must be of the key's type, or `.unknown` of a multiple of four
    /// octets, and must not make the LSA larger than 65,535 octets; `age` is 0–3600.
    public init(key: LSAKey, age: UInt16 = 0, sequenceNumber: Int32, body: LSABody) {
        precondition(age <= LSAHeader.maxAge)
        precondition(body.isPossible(in: key.type), "the body is not of type \(key.type)")
        var header = LSAHeader(age: age, key: key, sequenceNumber: sequenceNumber, checksum: 0, length: 0)
        var octets: [UInt8] = []
        // Room for most LSAs.
        octets.reserveCapacity(256)
        header.encode(into: &octets)
        body.encode(into: &octets)
        precondition(octets.count <= Int(UInt16.max) && octets.count % 4 == 0)
        header.length = UInt16(octets.count)
        octets.replace(at: LSAHeader.lengthOffset, with: header.length)
        header.checksum = FletcherChecksum.compute(octets.span.bytes)
        octets.replace(at: FletcherChecksum.offset, with: header.checksum)
        self.init(uncheckedHeader: header, octets: octets)
    }

    /// Whether the octets agree with their checksum. Only tests use it: RFC 2328 §14 has routers verify the LSAs in their
    /// databases every 5 minutes (CheckAge), because memory can fail, and this router does not.
    public var isIntact: Bool { FletcherChecksum.isValid(octets.span.bytes) }

    /// The decoded body. Throws if the octets do not match the type; never if the type is unknown.
    public func body() throws(DecodingError) -> LSABody {
        let octets = self.octets.span.bytes
        return try LSABody(decoding: octets.extracting(LSAHeader.size..<octets.byteCount), type: key.type)
    }

    /// Throws if ``body()`` would.
    public func validateBody() throws(DecodingError) { _ = try body() }
}
