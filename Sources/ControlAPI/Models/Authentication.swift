/// What is known of the authentication of packets, in the answer to `GET /v1/auth`: a policy, a key, a router that is heard, a sender that
/// is refused, or a key of BFD.
public struct Authentication: ListItem, Hashable {
    /// `AuthenticationList`.
    public static let listKind = "AuthenticationList"

    /// `policy`, `key`, `neighbor`, `refused` or `bfd`. The first item is the policy of the node; others have that of a port with a policy
    /// of its own.
    public var kind: String
    /// The identifier of the key; of a neighbor and of a refused sender, that of its last packet. `nil` if a neighbor comes without a valid
    /// one, or a sender without any.
    public var key: Int?
    /// The algorithm of a key, or of the key of a neighbor. Of BFD, the type of authentication.
    public var algorithm: String?
    /// The file that has the key; of the node's policy, all keys.
    public var file: String?
    /// When packets are sent with a key, and when they are accepted.
    public var send: Period?
    public var accept: Period?
    /// The interface of a neighbor, of a sender, of a policy that is not the node's, or of a key of BFD.
    public var interface: String?
    /// The link-local address of a neighbor or sender.
    public var address: String?
    /// The router ID of a neighbor; of a refused sender what it says.
    public var routerID: String?
    /// The name of the router, if it is known; of a refused sender, that of the router whose ID it says it has.
    public var node: String?
    /// Of a policy: `required`, `optional` or `off`. Of a key: `sending`, `accepted`, `expired` or `not yet valid`. Of a neighbor: `authentic`
    /// or `without`. Of a sender: why its last packet was refused. Of a key of BFD: the state of the session, or `no session`.
    public var state: String
    /// For how many seconds a neighbor's packets have come with this key, or a sender has been refused; `nil` for others.
    public var age: Double?
    /// How many seconds ago the last packet of a refused sender came.
    public var lastHeard: Double?
    /// The number of packets of a refused sender.
    public var packets: Int?

    public init(kind: String, key: Int? = nil, algorithm: String? = nil, state: String) {
        self.kind = kind
        self.key = key
        self.algorithm = algorithm
        self.state = state
    }

    /// A period of the wall clock, which may be open at both ends.
    public struct Period: Codable, Hashable, Sendable {
        /// Its first second, and the second in which it is over, RFC 3339 in UTC; `nil` if it is open.
        public var from: String?
        public var until: String?
        /// `valid`, `early` (it has not begun), `over`, or `unknown` if it has ends and the clock is not set.
        public var state: String
        /// In how many seconds it ends (`valid`) or begins (`early`), or how many seconds ago it ended (`over`); `nil` if it is not known or it
        /// never ends.
        public var seconds: Double?

        public init(from: String?, until: String?, state: String, seconds: Double?) {
            self.from = from
            self.until = until
            self.state = state
            self.seconds = seconds
        }
    }
}
