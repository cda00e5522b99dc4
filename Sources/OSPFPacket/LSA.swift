public import Addressing

/// One instance of an LSA: its header, and the octets exactly as they came or will go. The octets are the truth, so
/// that unknown types pass through unharmed; bodies are decoded when asked for.
public struct LSA: Hashable, Sendable {
    /// The decoded header. `age` is the age at the moment this value was made, received or last set.
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
