/// Grace-LSA (RFC 5187 §2, RFC 3623 §A): a router that restarts asks its neighbors on one link to announce their links with it as
/// before. Its link state ID is the originator's interface ID.
public struct GraceLSA: Hashable, Sendable {
    /// Why a router restarts (RFC 3623 §A).
    public enum Reason: UInt8, Hashable, Sendable {
        /// Not planned, such as a crash.
        case unknown = 0
        case softwareRestart = 1
        /// A new version or another configuration.
        case softwareReload = 2
        /// Another processor takes over.
        case redundantProcessor = 3
    }

    /// A decoded TLV.
    public enum TLV: Hashable, Sendable {
        /// Grace period: how long the neighbors should wait, in seconds since the origination of the LSA.
        case period(UInt32)
        /// Graceful restart reason. Values above 3 are not assigned.
        case reason(UInt8)
        /// A TLV of another type, or of another length than the type has.
        case unknown(type: UInt16, value: [UInt8])
    }

    /// The TLVs, in order.
    public var values: [TLV]

    public init(values: [TLV]) { self.values = values }

    /// Makes the body with the two TLVs that must be there.
    public init(period: UInt32, reason: Reason) {
        values = [.period(period), .reason(reason.rawValue)]
    }

    /// The first grace period, in seconds; `nil` if there is none.
    public var period: UInt32? {
        for case .period(let period) in values { return period }
        return nil
    }

    /// The first reason; `nil` if there is none, or one that is not assigned.
    public var reason: Reason? {
        for case .reason(let reason) in values { return Reason(rawValue: reason) }
        return nil
    }
}

extension GraceLSA {
    init(decoding octets: RawSpan) throws(DecodingError) {
        values = try TypeLengthValue.list(decoding: octets).map(TLV.init)
    }

    func encode(into octets: inout [UInt8]) {
        for value in values { value.raw.encode(into: &octets) }
    }
}

extension GraceLSA.TLV {
    private static let periodType: UInt16 = 1
    private static let reasonType: UInt16 = 2

    init(_ raw: TypeLengthValue) {
        self =
            switch (raw.type, raw.value.count) {
            case (Self.periodType, 4): .period(raw.value.reduce(0) { $0 << 8 | UInt32($1) })
            case (Self.reasonType, 1): .reason(raw.value[0])
            default: .unknown(type: raw.type, value: raw.value)
            }
    }

    var raw: TypeLengthValue {
        switch self {
        case .period(let period):
            TypeLengthValue(
                type: Self.periodType, value: [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: period >> $0) })
        case .reason(let reason): TypeLengthValue(type: Self.reasonType, value: [reason])
        case .unknown(let type, let value): TypeLengthValue(type: type, value: value)
        }
    }
}
