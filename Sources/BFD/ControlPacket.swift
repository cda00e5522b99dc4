/// The state of a session (RFC 5880 §6.2), as in packets.
public enum SessionState: UInt8, Hashable, Sendable, CaseIterable, CustomStringConvertible {
    case adminDown, down, `init`, up

    /// As the RFC writes it.
    public var description: String {
        switch self {
        case .adminDown: "AdminDown"
        case .down: "Down"
        case .`init`: "Init"
        case .up: "Up"
        }
    }
}

/// Why a session last changed its state (RFC 5880 §4.1); values without a name are kept as they are.
public struct Diagnostic: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// 0–31.
    public var rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue & 0x1f }

    public static let none = Diagnostic(rawValue: 0)
    public static let detectionTimeExpired = Diagnostic(rawValue: 1)
    public static let neighborSignaledDown = Diagnostic(rawValue: 3)
    public static let administrativelyDown = Diagnostic(rawValue: 7)

    private static let names = [
        "no diagnostic", "control detection time expired", "echo function failed", "neighbor signaled session down",
        "forwarding plane reset", "path down", "concatenated path down", "administratively down",
        "reverse concatenated path down",
    ]

    /// The name in the RFC, in lower case.
    public var description: String {
        rawValue < Self.names.count ? Self.names[Int(rawValue)] : "diagnostic \(rawValue)"
    }
}

/// A BFD control packet without its authentication section (RFC 5880 §4.1). Intervals are in microseconds.
public struct ControlPacket: Hashable, Sendable {
    public var diagnostic = Diagnostic.none
    public var state = SessionState.down
    public var isPoll = false
    public var isFinal = false
    public var isControlPlaneIndependent = false
    public var isAuthenticated = false
    public var isDemand = false
    /// Not zero.
    public var detectionMultiplier: UInt8 = 3
    /// Not zero.
    public var myDiscriminator: UInt32
    /// 0 if the sender does not know it.
    public var yourDiscriminator: UInt32 = 0
    public var desiredMinTransmit: UInt32
    public var requiredMinReceive: UInt32
    public var requiredMinEchoReceive: UInt32 = 0

    /// The octets of the mandatory section.
    public static let size = 24

    public init(myDiscriminator: UInt32, desiredMinTransmit: UInt32, requiredMinReceive: UInt32) {
        self.myDiscriminator = myDiscriminator
        self.desiredMinTransmit = desiredMinTransmit
        self.requiredMinReceive = requiredMinReceive
    }

    /// Decodes the UDP payload `octets` after the checks of RFC 5880 §6.8.6 that need no session, in their order.
    public init(_ octets: some RandomAccessCollection<UInt8>) throws(Refusal) {
        let octets = [UInt8](octets)
        guard octets.count >= 4 else { throw .tooShort }
        guard octets[0] >> 5 == 1 else { throw .wrongVersion }
        isAuthenticated = octets[1] & 0x04 != 0
        let length = Int(octets[3])
        guard length >= (isAuthenticated ? Self.size + 2 : Self.size) else { throw .tooShort }
        guard length <= octets.count else { throw .longerThanPayload }
        detectionMultiplier = octets[2]
        guard detectionMultiplier != 0 else { throw .zeroMultiplier }
        guard octets[1] & 0x01 == 0 else { throw .multipoint }
        func word(_ offset: Int) -> UInt32 { octets[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) } }
        myDiscriminator = word(4)
        guard myDiscriminator != 0 else { throw .zeroDiscriminator }
        yourDiscriminator = word(8)
        state = SessionState(rawValue: octets[1] >> 6)!
        if yourDiscriminator == 0, state != .down, state != .adminDown { throw .unexpectedState }
        diagnostic = Diagnostic(rawValue: octets[0])
        isPoll = octets[1] & 0x20 != 0
        isFinal = octets[1] & 0x10 != 0
        isControlPlaneIndependent = octets[1] & 0x08 != 0
        isDemand = octets[1] & 0x02 != 0
        desiredMinTransmit = word(12)
        requiredMinReceive = word(16)
        requiredMinEchoReceive = word(20)
    }

    /// The mandatory section, for a packet whose authentication section has `authentication` octets.
    public func encoded(authentication: Int = 0) -> [UInt8] {
        var flags = state.rawValue << 6
        if isPoll { flags |= 0x20 }
        if isFinal { flags |= 0x10 }
        if isControlPlaneIndependent { flags |= 0x08 }
        if authentication > 0 { flags |= 0x04 }
        if isDemand { flags |= 0x02 }
        var octets = [1 << 5 | diagnostic.rawValue, flags, detectionMultiplier, UInt8(Self.size + authentication)]
        for word in [
            myDiscriminator, yourDiscriminator, desiredMinTransmit, requiredMinReceive, requiredMinEchoReceive,
        ] {
            octets.append(bigEndian: word)
        }
        return octets
    }
}

/// Why a received packet is not used. The cases are in the order of the checks (RFC 5881 §5, RFC 5880 §6.8.6).
public enum Refusal: String, Error, Hashable, Sendable, CaseIterable {
    /// Its hop limit is not 255, so it may come from another link.
    case hopLimit
    case wrongVersion
    case tooShort
    case longerThanPayload
    case zeroMultiplier
    case multipoint
    case zeroDiscriminator
    /// Your Discriminator is 0, and the state is neither Down nor AdminDown.
    case unexpectedState
    /// It belongs to no session.
    case noSession
    /// It is authenticated, and the session is not.
    case unexpectedAuthentication
    case missingAuthentication
    /// Its type, key ID or length is not that of the session's key.
    case wrongKey
    /// Its sequence number is not among those expected next.
    case sequence
    case wrongDigest
}

extension [UInt8] {
    mutating func append(bigEndian value: UInt32) {
        for shift in stride(from: UInt32(24), through: 0, by: -8) { append(UInt8(truncatingIfNeeded: value >> shift)) }
    }
}
