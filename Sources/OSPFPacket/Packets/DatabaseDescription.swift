/// Database description (RFC 5340 §A.3.3).
public struct DatabaseDescription: Hashable, Sendable {
    /// The I, M and MS bits.
    public struct Flags: OptionSet, Hashable, Sendable {
        /// The octet in the packet. Its other bits are reserved.
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// MS-bit: the sender is, or claims to be, the master.
        public static let master = Flags(rawValue: 1 << 0)
        /// M-bit: the sender has more descriptions.
        public static let more = Flags(rawValue: 1 << 1)
        /// I-bit: the description is the first of the exchange.
        public static let initialize = Flags(rawValue: 1 << 2)
    }

    /// The sender's options.
    public var options: OSPFOptions
    /// The largest IPv6 packet that the sender's interface can transmit without fragmentation, in octets; 0 on virtual links.
    public var interfaceMTU: UInt16
    public var flags: Flags
    /// The DD sequence number: the master counts its descriptions, and the slave answers each with the same number.
    public var sequenceNumber: UInt32
    /// The headers of LSAs in the sender's database; none in the first description (I-bit).
    public var headers: [LSAHeader]

    public init(
        options: OSPFOptions, interfaceMTU: UInt16, flags: Flags, sequenceNumber: UInt32, headers: [LSAHeader]
    ) {
        self.options = options
        self.interfaceMTU = interfaceMTU
        self.flags = flags
        self.sequenceNumber = sequenceNumber
        self.headers = headers
    }
}

extension DatabaseDescription {
    /// The size of the body before the headers, in octets.
    static let fixedSize = 12
    /// The offset in the body of the four octets that end with the options.
    static let optionsWord = 0
    /// The size of the body in octets.
    var size: Int { Self.fixedSize + LSAHeader.size * headers.count }

    /// The number of LSA headers that fit into a description on a link with an MTU of `mtu` octets; at least 1.
    public static func capacity(mtu: Int) -> Int {
        max(1, (PacketHeader.bodySize(mtu: mtu) - fixedSize) / LSAHeader.size)
    }

    init(decoding octets: RawSpan) throws(DecodingError) {
        guard octets.byteCount >= Self.fixedSize else { throw .truncated }
        options = octets.options(at: Self.optionsWord)
        interfaceMTU = octets.uint16(at: 4)
        flags = Flags(rawValue: octets.uint8(at: 7))
        sequenceNumber = octets.uint32(at: 8)
        headers = try LSAHeader.list(decoding: octets.extracting(Self.fixedSize..<octets.byteCount))
    }

    func encode(into octets: inout [UInt8]) {
        octets.append(low24: options.rawValue)
        octets.append(interfaceMTU)
        octets.append(UInt16(flags.rawValue))
        octets.append(sequenceNumber)
        for header in headers { header.encode(into: &octets) }
    }
}
