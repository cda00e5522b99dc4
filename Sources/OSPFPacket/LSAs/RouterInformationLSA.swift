/// Router Information LSA (RFC 7770): a list of TLVs.
public struct RouterInformationLSA: Hashable, Sendable {
    /// A decoded TLV.
    public enum TLV: Hashable, Sendable {
        /// Informational capabilities, 32 bits (RFC 7770 §2.4).
        case informationalCapabilities(UInt32)
        /// The router's name in UTF-8, 1–255 octets (RFC 5642 §3).
        case hostname(String)
        /// The smallest MTU of the router's interfaces that are not passive, in octets, in a TLV of our own with an
        /// experimental type (RFC 7770 §5).
        case smallestMTU(UInt32)
        /// The names of ports by their interface IDs, in a TLV of our own. Each name has 1–15 octets of UTF-8.
        case portNames([PortName])
        /// A TLV of another type, or one whose value does not have the form above.
        case unknown(type: UInt16, value: [UInt8])
    }

    /// The name of a port.
    public struct PortName: Hashable, Sendable {
        /// The interface ID: the kernel's index.
        public var interfaceID: UInt32
        /// The name that the kernel has for it.
        public var name: String

        public init(interfaceID: UInt32, name: String) {
            self.interfaceID = interfaceID
            self.name = name
        }

        /// The longest name in octets, as in Linux.
        public static let longestName = 15
        /// The size of an entry in octets.
        public var size: Int { 5 + name.utf8.count }
    }

    /// The TLVs, in order.
    public var values: [TLV]

    public init(values: [TLV]) { self.values = values }

    /// The router's name; `nil` if there is none.
    public var hostname: String? {
        for case .hostname(let name) in values { return name }
        return nil
    }

    /// The names of the router's ports.
    public var portNames: [PortName] {
        for case .portNames(let names) in values { return names }
        return []
    }

    /// The smallest MTU of the router's interfaces that are not passive, in octets; `nil` if none is announced that is at least
    /// the IPv6 minimum (1280, RFC 8200 §5).
    public var smallestMTU: UInt32? {
        for case .smallestMTU(let mtu) in values where mtu >= 1280 { return mtu }
        return nil
    }
}

extension RouterInformationLSA {
    init(decoding octets: RawSpan) throws(DecodingError) {
        values = try TypeLengthValue.list(decoding: octets).map(TLV.init)
    }

    func encode(into octets: inout [UInt8]) {
        for value in values { value.raw.encode(into: &octets) }
    }
}

extension RouterInformationLSA.TLV {
    /// RFC 7770 §2.4.
    private static let informationalCapabilitiesType: UInt16 = 1
    /// RFC 5642 §3.
    private static let hostnameType: UInt16 = 7
    /// The first of the types that are reserved for experiments (RFC 7770 §5).
    private static let smallestMTUType: UInt16 = 32768
    /// `kmmt` in ASCII, because others may use the same experimental type for something else.
    private static let smallestMTUIdentifier: UInt32 = 0x6b6d_6d74
    private static let portNamesType: UInt16 = 32769
    /// `kmpn` in ASCII.
    private static let portNamesIdentifier: UInt32 = 0x6b6d_706e

    init(_ raw: TypeLengthValue) {
        self = .unknown(type: raw.type, value: raw.value)
        switch raw.type {
        case Self.informationalCapabilitiesType where raw.value.count == 4:
            self = .informationalCapabilities(raw.value.span.bytes.uint32(at: 0))
        case Self.hostnameType where (1...255).contains(raw.value.count):
            if let name = String(validating: raw.value, as: UTF8.self) { self = .hostname(name) }
        case Self.smallestMTUType where raw.value.count == 8:
            let octets = raw.value.span.bytes
            if octets.uint32(at: 0) == Self.smallestMTUIdentifier { self = .smallestMTU(octets.uint32(at: 4)) }
        case Self.portNamesType: if let names = Self.portNames(raw.value) { self = .portNames(names) }
        default: break
        }
    }

    /// Entries of an interface ID, the length of a name, and the name; `nil` for anything else.
    private static func portNames(_ value: [UInt8]) -> [RouterInformationLSA.PortName]? {
        let octets = value.span.bytes
        guard value.count >= 4, octets.uint32(at: 0) == portNamesIdentifier else { return nil }
        var names: [RouterInformationLSA.PortName] = []
        var offset = 4
        while offset < value.count {
            guard value.count - offset > 5 else { return nil }
            let length = Int(value[offset + 4])
            let end = offset + 5 + length
            guard (1...RouterInformationLSA.PortName.longestName).contains(length), end <= value.count,
                let name = String(validating: value[offset + 5..<end], as: UTF8.self)
            else { return nil }
            names.append(RouterInformationLSA.PortName(interfaceID: octets.uint32(at: offset), name: name))
            offset = end
        }
        return names
    }

    var raw: TypeLengthValue {
        switch self {
        case .informationalCapabilities(let bits):
            var value: [UInt8] = []
            value.append(bits)
            return TypeLengthValue(type: Self.informationalCapabilitiesType, value: value)
        case .hostname(let name): return TypeLengthValue(type: Self.hostnameType, value: [UInt8](name.utf8))
        case .smallestMTU(let mtu):
            var value: [UInt8] = []
            value.append(Self.smallestMTUIdentifier)
            value.append(mtu)
            return TypeLengthValue(type: Self.smallestMTUType, value: value)
        case .portNames(let names):
            var value: [UInt8] = []
            value.append(Self.portNamesIdentifier)
            for entry in names {
                value.append(entry.interfaceID)
                value.append(UInt8(entry.name.utf8.count))
                value += entry.name.utf8
            }
            return TypeLengthValue(type: Self.portNamesType, value: value)
        case .unknown(let type, let value): return TypeLengthValue(type: type, value: value)
        }
    }
}
