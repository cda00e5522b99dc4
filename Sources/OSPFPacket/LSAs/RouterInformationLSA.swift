/// Router Information LSA (RFC 7770): a list of TLVs.
public struct RouterInformationLSA: Hashable, Sendable {
    /// One type-length-value.
    public enum TLV: Hashable, Sendable {
        /// Informational capabilities, 32 bits (RFC 7770 §2.4).
        case informationalCapabilities(UInt32)
        /// The router's name in UTF-8, 1–255 octets (RFC 5642 §3).
        case hostname(String)
        /// The router's hardware fingerprint, at least 32 octets (RFC 7503 §7.2.2; type 15).
        case hardwareFingerprint([UInt8])
        /// Anything else, or a value that does not fit its type.
        case unknown(type: UInt16, value: [UInt8])
    }

    /// The values in order.
    public var values: [TLV]

    /// Makes a body.
    public init(values: [TLV]) { self.values = values }

    /// The router's name if it says one.
    public var hostname: String? {
        for case .hostname(let name) in values { return name }
        return nil
    }
}

extension RouterInformationLSA {
    init(decoding octets: RawSpan) throws(DecodingError) {
        values = []
        var offset = 0
        while offset < octets.byteCount { values.append(try TLV(decoding: octets, at: &offset)) }
    }

    func encode(into octets: inout [UInt8]) {
        for value in values { value.encode(into: &octets) }
    }
}

extension RouterInformationLSA.TLV {
    private static let informationalCapabilitiesType: UInt16 = 1
    private static let hostnameType: UInt16 = 7
    private static let hardwareFingerprintType: UInt16 = 15
    private static let fixedSize = 4

    /// Reads the value at `offset` and moves `offset` behind it and its padding (RFC 7770 §2.3).
    init(decoding octets: RawSpan, at offset: inout Int) throws(DecodingError) {
        guard octets.byteCount - offset >= Self.fixedSize else { throw .truncated }
        let type = octets.uint16(at: offset)
        let length = Int(octets.uint16(at: offset + 2))
        offset += Self.fixedSize
        guard (length + 3) / 4 * 4 <= octets.byteCount - offset else { throw .length }
        let value = octets.octets(in: offset..<offset + length)
        offset += (length + 3) / 4 * 4

        self = .unknown(type: type, value: value)
        switch type {
        case Self.informationalCapabilitiesType where length == 4:
            self = .informationalCapabilities(value.span.bytes.uint32(at: 0))
        case Self.hostnameType where (1...255).contains(length):
            if let name = String(validating: value, as: UTF8.self) { self = .hostname(name) }
        case Self.hardwareFingerprintType where length >= 32:
            self = .hardwareFingerprint(value)
        default: break
        }
    }

    func encode(into octets: inout [UInt8]) {
        switch self {
        case .informationalCapabilities(let bits):
            octets.append(Self.informationalCapabilitiesType)
            octets.append(4 as UInt16)
            octets.append(bits)
        case .hostname(let name): Self.append(Self.hostnameType, [UInt8](name.utf8), to: &octets)
        case .hardwareFingerprint(let value): Self.append(Self.hardwareFingerprintType, value, to: &octets)
        case .unknown(let type, let value): Self.append(type, value, to: &octets)
        }
    }

    private static func append(_ type: UInt16, _ value: [UInt8], to octets: inout [UInt8]) {
        octets.append(type)
        octets.append(UInt16(value.count))
        octets.append(contentsOf: value)
        while octets.count % 4 != 0 { octets.append(0 as UInt8) }
    }
}
