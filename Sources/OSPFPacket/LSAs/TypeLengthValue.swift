/// A TLV of an LSA that is a list of TLVs: type, length, and the value, padded to whole 32-bit words (RFC 7770 §2.3).
struct TypeLengthValue {
    /// The size of type and length, in octets.
    private static let fixedSize = 4

    var type: UInt16
    /// The value, at most 65,535 octets, without the padding.
    var value: [UInt8]

    init(type: UInt16, value: [UInt8]) {
        self.type = type
        self.value = value
    }

    /// Decodes a list of TLVs that uses all octets.
    static func list(decoding octets: RawSpan) throws(DecodingError) -> [TypeLengthValue] {
        var values: [TypeLengthValue] = []
        var offset = 0
        while offset < octets.byteCount { values.append(try TypeLengthValue(decoding: octets, at: &offset)) }
        return values
    }

    /// Decodes the TLV at `offset` and moves `offset` past it and its padding.
    private init(decoding octets: RawSpan, at offset: inout Int) throws(DecodingError) {
        guard octets.byteCount - offset >= Self.fixedSize else { throw .truncated }
        type = octets.uint16(at: offset)
        let length = Int(octets.uint16(at: offset + 2))
        let paddedLength = (length + 3) / 4 * 4
        offset += Self.fixedSize
        guard paddedLength <= octets.byteCount - offset else { throw .length }
        value = octets.octets(in: offset..<offset + length)
        offset += paddedLength
    }

    /// Encodes the TLV, with zeros as padding. The length field, like the value, is without the padding.
    func encode(into octets: inout [UInt8]) {
        octets.append(type)
        octets.append(UInt16(value.count))
        octets.append(contentsOf: value)
        octets.append(contentsOf: repeatElement(0, count: -value.count & 3))
    }
}
