/// A neighbor of this node, in any state.
public struct Neighbor: ListItem, Hashable {
    /// `NeighborList`.
    public static let listKind = "NeighborList"

    /// Its host name, if known.
    public var node: String?
    public var routerID: String
    /// Our interface to it.
    public var interface: String
    /// Its link-local address.
    public var address: String
    /// `Down`, `Init`, `2-Way`, `ExStart`, `Exchange`, `Loading` or `Full`.
    public var state: String
    /// Seconds in this state.
    public var age: Double
    /// Seconds until the neighbor is removed, unless a hello is received.
    public var deadIn: Double
    /// Its priority in the designated router election.
    public var priority: Int
    /// The router ID of the designated router in its last hello; `nil` if that has none.
    public var designatedRouter: String?
    /// The router ID of the backup designated router in its last hello; `nil` if that has none.
    public var backupDesignatedRouter: String?
    /// State changes since it was first heard.
    public var stateChanges: Int
    /// The number of LSAs that it has not acknowledged yet (the link state retransmission list, RFC 2328 §10).
    public var retransmissions: Int
    /// The number of LSAs that are to be received from it (the link state request list, RFC 2328 §10).
    public var requests: Int
    /// What its kernel's answers to echo requests say; `nil` if it is not asked.
    public var echo: Echo?
    /// The session of BFD with it; `nil` if there is none.
    public var bfd: BFDSession?
    /// The restart that it has announced, while this node helps; `nil` if there is none.
    public var restart: Restart?
    /// What is wrong with the neighbor or between it and this node; `nil` if nothing is known to be.
    public var problem: String?

    /// A restart that a neighbor has announced (RFC 3623).
    public struct Restart: Codable, Hashable, Sendable {
        /// The reason, in words.
        public var reason: String
        /// Seconds for which its link is held at most.
        public var heldFor: Double

        public init(reason: String, heldFor: Double) {
            self.reason = reason
            self.heldFor = heldFor
        }
    }

    /// What the answers of a neighbor to echo requests say about it and the cable.
    public struct Echo: Codable, Hashable, Sendable {
        /// `untested`: no answer yet. `unanswered`: it never answers. `answering`. `failed`: it answers no more; packets
        /// take other ways. `recovering`: it answers again, and is used again if that lasts. `exempt`: it is not asked any more,
        /// because it stopped answering while it heard us.
        public var state: String
        /// The median round trip of the latest requests in seconds, and the one that 1 % of them exceed; `nil` without an answer.
        public var roundTrip: Double?
        public var roundTrip99: Double?
        /// The part of the latest requests (up to 512) that was lost, 0–1; `nil` before the first outcome.
        public var loss: Double?
        /// Requests sent, and answers received.
        public var sent: Int
        public var answered: Int
        /// Answers that fit no request, or were received twice.
        public var unexpected: Int?
        /// The largest packet that arrives, in octets, if one of the link's MTU does not; `nil` otherwise.
        public var largestPacket: Int?

        public init(
            state: String, roundTrip: Double?, roundTrip99: Double?, loss: Double?, sent: Int, answered: Int,
            unexpected: Int? = nil, largestPacket: Int? = nil
        ) {
            self.state = state
            self.roundTrip = roundTrip
            self.roundTrip99 = roundTrip99
            self.loss = loss
            self.sent = sent
            self.answered = answered
            self.unexpected = unexpected
            self.largestPacket = largestPacket
        }
    }

    public init(
        node: String?, routerID: String, interface: String, address: String, state: String, age: Double, deadIn: Double,
        priority: Int, designatedRouter: String?, backupDesignatedRouter: String?, stateChanges: Int,
        retransmissions: Int, requests: Int, echo: Echo? = nil, bfd: BFDSession? = nil, restart: Restart? = nil,
        problem: String?
    ) {
        self.node = node
        self.routerID = routerID
        self.interface = interface
        self.address = address
        self.state = state
        self.age = age
        self.deadIn = deadIn
        self.priority = priority
        self.designatedRouter = designatedRouter
        self.backupDesignatedRouter = backupDesignatedRouter
        self.stateChanges = stateChanges
        self.retransmissions = retransmissions
        self.requests = requests
        self.echo = echo
        self.bfd = bfd
        self.restart = restart
        self.problem = problem
    }
}
