/// An LSA in the database.
public struct LSA: ListItem, Hashable {
    /// `LSAList`.
    public static let listKind = "LSAList"

    /// The name of the LS type in the API: `router`, `network`, `link`, …; `unknown` for types without a name.
    public var type: String
    /// The 16 bits of the LS type: U-bit, S bits and function code, as in `0x2001` (RFC 5340 §A.4.2.1).
    public var typeCode: String
    /// The flooding scope in the S bits: `link`, `area` or `as`.
    public var scope: String
    /// The interface whose link the LSA belongs to: set if the scope is `link`, or if the U-bit is 0 and the router does not
    /// know the function code (RFC 5340 §4.5.1); otherwise `nil`.
    public var interface: String?
    /// The link state ID in dotted notation.
    public var linkStateID: String
    /// The router ID of the LSA's originator.
    public var advertisingRouter: String
    /// The originator's host name, if known.
    public var node: String?
    /// The LS age in seconds, at most 3600 (MaxAge).
    public var age: Int
    /// The sequence number, as in `0x80000001`.
    public var sequenceNumber: String
    /// The checksum, as in `0x1a2b`.
    public var checksum: String
    /// The length in octets, with the header.
    public var length: Int
    /// Whether its advertising router is this node's router ID, as in LSAs that this run or an earlier one originated.
    public var isOwn: Bool
    /// Its body in a few words, for tables.
    public var summary: String
    /// Every field of its body; `nil` without `detail=true`, or if it cannot be decoded.
    public var body: JSONValue?

    public init(
        type: String, typeCode: String, scope: String, interface: String?, linkStateID: String,
        advertisingRouter: String, node: String?, age: Int, sequenceNumber: String, checksum: String, length: Int,
        isOwn: Bool, summary: String, body: JSONValue?
    ) {
        self.type = type
        self.typeCode = typeCode
        self.scope = scope
        self.interface = interface
        self.linkStateID = linkStateID
        self.advertisingRouter = advertisingRouter
        self.node = node
        self.age = age
        self.sequenceNumber = sequenceNumber
        self.checksum = checksum
        self.length = length
        self.isOwn = isOwn
        self.summary = summary
        self.body = body
    }
}
