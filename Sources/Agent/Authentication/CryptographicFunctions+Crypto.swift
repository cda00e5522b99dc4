internal import Authentication
internal import Crypto

extension CryptographicFunctions {
    /// The functions of swift-crypto.
    static let real = CryptographicFunctions(
        hash: { algorithm, octets in
            switch algorithm {
            case .hmacSHA1: Array(Insecure.SHA1.hash(data: octets))
            case .hmacSHA256: Array(SHA256.hash(data: octets))
            case .hmacSHA384: Array(SHA384.hash(data: octets))
            case .hmacSHA512: Array(SHA512.hash(data: octets))
            }
        },
        code: { algorithm, key, message in
            let key = SymmetricKey(data: key)
            return switch algorithm {
            case .hmacSHA1: Array(HMAC<Insecure.SHA1>.authenticationCode(for: message, using: key))
            case .hmacSHA256: Array(HMAC<SHA256>.authenticationCode(for: message, using: key))
            case .hmacSHA384: Array(HMAC<SHA384>.authenticationCode(for: message, using: key))
            case .hmacSHA512: Array(HMAC<SHA512>.authenticationCode(for: message, using: key))
            }
        })
}
