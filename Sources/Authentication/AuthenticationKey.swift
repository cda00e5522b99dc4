/// A key of the mesh: a secret that its routers share (RFC 7166 §3).
public struct AuthenticationKey: Hashable, Sendable {
    /// Its identifier, the same on all routers (SA ID).
    public var id: UInt16
    public var algorithm: AuthenticationAlgorithm
    /// The secret, 1–``maximumSecretSize`` octets.
    public var secret: [UInt8]
    /// Whether the octets of the OSPFv3 Cryptographic Protocol ID behind the secret are swapped, as FRR does on little-endian machines
    /// (RFC 7166 §4.5: network byte order).
    public var swapsProtocolID: Bool
    /// When packets are sent with it.
    public var sending: Validity
    /// When packets with it are accepted.
    public var acceptance: Validity

    /// The maximum size of a secret, in octets.
    public static let maximumSecretSize = 256

    public init(
        id: UInt16, algorithm: AuthenticationAlgorithm, secret: [UInt8], swapsProtocolID: Bool = false,
        sending: Validity = Validity(), acceptance: Validity = Validity()
    ) {
        precondition((1...Self.maximumSecretSize).contains(secret.count))
        self.id = id
        self.algorithm = algorithm
        self.secret = secret
        self.swapsProtocolID = swapsProtocolID
        self.sending = sending
        self.acceptance = acceptance
    }

    /// A period of the wall clock, in seconds since 1970; it may be open at both ends.
    public struct Validity: Hashable, Sendable {
        /// Its first second; `nil` if it has always begun.
        public var from: Int64?
        /// The second in which it is over; `nil` if it never is.
        public var until: Int64?

        public init(from: Int64? = nil, until: Int64? = nil) {
            self.from = from
            self.until = until
        }

        /// Whether a second belongs to it.
        public func contains(_ second: Int64) -> Bool {
            from.map { $0 <= second } ?? true && until.map { second < $0 } ?? true
        }

        /// Where a second lies.
        public enum Phase: Hashable, Sendable {
            /// Before the period, which begins after this number of seconds.
            case early(Int64)
            /// Within the period, which ends after this number of seconds; `nil` if it never does.
            case valid(Int64?)
            /// After the period, which was over this number of seconds ago.
            case over(Int64)
        }

        public func phase(at second: Int64) -> Phase {
            if let from, second < from { return .early(from - second) }
            guard let until else { return .valid(nil) }
            return second < until ? .valid(until - second) : .over(second - until)
        }
    }
}

extension AuthenticationKey: CustomStringConvertible, CustomReflectable {
    /// Identifier and algorithm, never the secret.
    public var description: String { "key \(id) (\(algorithm.rawValue))" }
    public var customMirror: Mirror { Mirror(self, children: ["id": id, "algorithm": algorithm.rawValue]) }
}

/// The algorithms of RFC 7166 §4.3.
public enum AuthenticationAlgorithm: String, Hashable, Sendable, CaseIterable {
    case hmacSHA1 = "hmac-sha-1"
    case hmacSHA256 = "hmac-sha-256"
    case hmacSHA384 = "hmac-sha-384"
    case hmacSHA512 = "hmac-sha-512"

    /// The size of the authentication data, in octets.
    public var digestSize: Int {
        switch self {
        case .hmacSHA1: 20
        case .hmacSHA256: 32
        case .hmacSHA384: 48
        case .hmacSHA512: 64
        }
    }
}

/// The cryptographic functions, which the core does not contain.
public struct CryptographicFunctions: Sendable {
    /// The hash of a text, with the hash function of an algorithm.
    public var hash: @Sendable (AuthenticationAlgorithm, [UInt8]) -> [UInt8]
    /// The message authentication code of a message (RFC 2104) with a key of the algorithm's digest size.
    public var code: @Sendable (AuthenticationAlgorithm, _ key: [UInt8], _ message: [UInt8]) -> [UInt8]

    public init(
        hash: @escaping @Sendable (AuthenticationAlgorithm, [UInt8]) -> [UInt8],
        code: @escaping @Sendable (AuthenticationAlgorithm, _ key: [UInt8], _ message: [UInt8]) -> [UInt8]
    ) {
        self.hash = hash
        self.code = code
    }

    /// No functions: no packet is authentic.
    public static let none = CryptographicFunctions(hash: { _, _ in [] }, code: { _, _, _ in [] })
}
