/// An LSA in the database of one router of a lab, whatever its implementation: the fields that must be equal on all routers,
/// so not the age.
public struct DatabaseEntry: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The LS type, 16 bits.
    public var type: UInt16
    public var linkStateID: UInt32
    /// The router that originated it.
    public var advertisingRouter: UInt32
    /// The LS sequence number, as in the packet.
    public var sequence: UInt32
    /// The LS checksum, which covers everything but the age.
    public var checksum: UInt16

    public init(type: UInt16, linkStateID: UInt32, advertisingRouter: UInt32, sequence: UInt32, checksum: UInt16) {
        self.type = type
        self.linkStateID = linkStateID
        self.advertisingRouter = advertisingRouter
        self.sequence = sequence
        self.checksum = checksum
    }

    /// Whether it has link-local flooding scope, so that only the routers on one link have it.
    /// The scope is in the bits S2 and S1 of the type (RFC 5340 §A.4.2.1).
    public var isLinkScoped: Bool { type & 0x6000 == 0 }

    /// By type, then by advertising router, then by link state ID; for messages.
    public static func < (left: DatabaseEntry, right: DatabaseEntry) -> Bool {
        (left.type, left.advertisingRouter, left.linkStateID) < (right.type, right.advertisingRouter, right.linkStateID)
    }

    /// All fields: numbers in hexadecimal, IDs in dotted notation.
    public var description: String {
        "type \(hex(type)) id \(dotted(linkStateID)) from \(dotted(advertisingRouter)) "
            + "sequence \(hex(sequence)) checksum \(hex(checksum))"
    }

    private func hex(_ number: some BinaryInteger) -> String { "0x" + String(number, radix: 16) }

    private func dotted(_ number: UInt32) -> String {
        [24, 16, 8, 0].map { String(number >> UInt32($0) & 255) }.joined(separator: ".")
    }
}

extension Lab {
    /// MaxAge in seconds (RFC 2328 §14), the age of an LSA that is about to be removed. FRR lists such LSAs for a long time, so
    /// ``database(of:)`` leaves them out.
    static let maxAge = 3600

    /// The LSAs with area or AS flooding scope in a node's database, without those that have reached MaxAge.
    public func database(of name: String) throws(LabError) -> Set<DatabaseEntry> {
        let entries: [DatabaseEntry]
        switch try topology.node(name).router {
        case .frr: entries = Self.frrDatabase(try vtysh(name, "show ipv6 ospf6 database dump"))
        case .bird: entries = Self.birdDatabase(try birdc(name, "show ospf lsadb"))
        case .meshd: entries = try meshdDatabase(of: name)
        case .bridge, .none: entries = []
        }
        return Set(entries.filter { !$0.isLinkScoped })
    }

    /// Parses the LSA headers that follow titles such as `[Router Id:0.0.0.0 Adv:10.0.0.1]:`, each of five hexadecimal words of
    /// 32 bits: age and type, link state ID, advertising router, sequence number, checksum and length.
    static func frrDatabase(_ text: String) -> [DatabaseEntry] {
        text.split(separator: "\n").split { $0.hasPrefix("[") }.dropFirst().compactMap { lines in
            let words = lines.flatMap { $0.split(whereSeparator: \.isWhitespace) }.prefix(5).compactMap {
                $0.utf8.count == 8 ? UInt32($0, radix: 16) : nil
            }
            guard words.count == 5, words[0] >> 16 < maxAge else { return nil }
            return DatabaseEntry(
                type: UInt16(truncatingIfNeeded: words[0]), linkStateID: words[1], advertisingRouter: words[2],
                sequence: words[3], checksum: UInt16(words[4] >> 16))
        }
    }

    /// Parses lines such as `2001  0.0.0.0  10.0.0.1  80000002  7  37f8`: type, link state ID, advertising router, sequence
    /// number, age, checksum.
    static func birdDatabase(_ text: String) -> [DatabaseEntry] {
        text.split(separator: "\n").compactMap { line in
            let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            guard words.count == 6, let type = UInt16(words[0], radix: 16), let id = number(dotted: words[1]),
                let router = number(dotted: words[2]), let sequence = UInt32(words[3], radix: 16),
                let age = Int(words[4]), age < maxAge, let checksum = UInt16(words[5], radix: 16)
            else { return nil }
            return DatabaseEntry(
                type: type, linkStateID: id, advertisingRouter: router, sequence: sequence, checksum: checksum)
        }
    }

    /// Parses four octets with dots between them as one number; `nil` if the text is not of that form.
    public static func number(dotted text: String) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).compactMap { UInt8($0) }
        guard parts.count == 4 else { return nil }
        return parts.reduce(0) { $0 << 8 | UInt32($1) }
    }
}
