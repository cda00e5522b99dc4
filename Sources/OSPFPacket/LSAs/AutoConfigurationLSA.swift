/// Auto-configuration-LSA (RFC 7503 §7.2.1): a list of TLVs, by which two routers detect that they use the same router
/// ID.
public struct AutoConfigurationLSA: Hashable, Sendable {
    /// A decoded TLV.
    public enum TLV: Hashable, Sendable {
        /// Identifies the router's hardware, at least 32 octets (RFC 7503 §7.2.2).
        case hardwareFingerprint([UInt8])
        /// A TLV of another type, or a fingerprint of fewer than 32 octets.
        case unknown(type: UInt16, value: [UInt8])
    }

    /// The TLVs, in order.
    public var values: [TLV]

    public init(values: [TLV]) { self.values = values }

    /// The first hardware fingerprint; `nil` if there is none.
    public var hardwareFingerprint: [UInt8]? {
        for case .hardwareFingerprint(let fingerprint) in values { return fingerprint }
        return nil
    }
}

extension AutoConfigurationLSA {
    init(decoding octets: RawSpan) throws(DecodingError) {
        values = try TypeLengthValue.list(decoding: octets).map(TLV.init)
    }

    func encode(into octets: inout [UInt8]) {
        for value in values { value.raw.encode(into: &octets) }
    }
}

extension AutoConfigurationLSA.TLV {
    /// Router-Hardware-Fingerprint (RFC 7503 §7.2.2).
    private static let hardwareFingerprintType: UInt16 = 1

    init(_ raw: TypeLengthValue) {
        self =
            raw.type == Self.hardwareFingerprintType && raw.value.count >= 32
            ? .hardwareFingerprint(raw.value) : .unknown(type: raw.type, value: raw.value)
    }

    var raw: TypeLengthValue {
        switch self {
        case .hardwareFingerprint(let value): TypeLengthValue(type: Self.hardwareFingerprintType, value: value)
        case .unknown(let type, let value): TypeLengthValue(type: type, value: value)
        }
    }
}
