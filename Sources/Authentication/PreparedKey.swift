internal import Addressing

/// A key that is ready for use (Ko of RFC 7166 §4.5).
struct PreparedKey: Sendable {
    let key: AuthenticationKey
    private let octets: [UInt8]
    private let functions: CryptographicFunctions

    /// The OSPFv3 Cryptographic Protocol ID is appended to the secret, and the result is hashed if it is longer than a digest, or filled
    /// with zeros (RFC 7166 §4.5).
    init(_ key: AuthenticationKey, _ functions: CryptographicFunctions) {
        let size = key.algorithm.digestSize
        var octets = key.secret + (key.swapsProtocolID ? [1, 0] : [0, 1])
        if octets.count > size { octets = functions.hash(key.algorithm, octets) }
        octets += [UInt8](repeating: 0, count: max(0, size - octets.count))
        self.key = key
        self.octets = octets
        self.functions = functions
    }

    /// The size of the authentication data, in octets.
    var size: Int { key.algorithm.digestSize }

    /// The authentication data of a packet that ends with the header of its trailer; `nil` without cryptographic functions.
    func code(of packet: [UInt8], from source: IPv6Address) -> [UInt8]? {
        var message = packet
        message.appendPadding(source, size: size)
        let code = functions.code(key.algorithm, octets, message)
        return code.count == size ? code : nil
    }
}

extension [UInt8] {
    /// Appends Apad (RFC 7166 §4.5): the source address, then the octets 87 8f e1 f3, up to the size of the digest.
    fileprivate mutating func appendPadding(_ source: IPv6Address, size: Int) {
        for half in [source.high, source.low] {
            for shift in stride(from: 56, through: 0, by: -8) {
                append(UInt8(truncatingIfNeeded: half >> UInt64(shift)))
            }
        }
        for index in 0..<size - 16 { append([0x87, 0x8f, 0xe1, 0xf3][index % 4]) }
    }
}
