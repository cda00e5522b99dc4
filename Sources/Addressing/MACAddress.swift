/// A 48-bit IEEE 802 hardware address.
public struct MACAddress: Hashable, Sendable, RawRepresentable, Comparable {
    /// The address as a number below 2^48; the first octet on the wire is the most significant.
    public let rawValue: UInt64

    /// Makes an address from a number; only its low 48 bits count.
    public init(rawValue: UInt64) { self.rawValue = rawValue & 0xffff_ffff_ffff }

    /// Makes an address from exactly six octets; `nil` for any other count.
    public init?(octets: some Collection<UInt8>) {
        guard octets.count == 6 else { return nil }
        self.init(rawValue: octets.reduce(0) { $0 << 8 | UInt64($1) })
    }

    /// The group bit. An address with it names a group of interfaces, never one.
    public var isMulticast: Bool { rawValue >> 40 & 1 == 1 }
    /// The U/L bit: the address was not assigned by the manufacturer, so it may change, and another device may have it.
    public var isLocallyAdministered: Bool { rawValue >> 41 & 1 == 1 }
    /// Whether this can name an interface: neither zero nor a group.
    public var isUsable: Bool { rawValue != 0 && !isMulticast }

    public static func < (left: MACAddress, right: MACAddress) -> Bool { left.rawValue < right.rawValue }
}

extension MACAddress: CustomStringConvertible, LosslessStringConvertible {
    /// Six lower-case pairs with colons.
    public var description: String {
        (0..<6).map { index in
            let text = String(rawValue >> UInt64(40 - 8 * index) & 255, radix: 16)
            return text.utf8.count == 1 ? "0" + text : text
        }.joined(separator: ":")
    }

    /// Reads six pairs of hexadecimal digits with colons.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 6 else { return nil }
        var octets: [UInt8] = []
        for part in parts {
            guard part.utf8.count == 2, part.allSatisfy(\.isHexDigit), let octet = UInt8(part, radix: 16) else {
                return nil
            }
            octets.append(octet)
        }
        self.init(octets: octets)
    }
}
