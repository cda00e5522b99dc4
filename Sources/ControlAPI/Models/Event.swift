/// Something that has happened on a node.
public struct Event: ListItem, Hashable {
    /// `EventList`.
    public static let listKind = "EventList"

    /// The number of the event since the agent started, from 1.
    public var number: UInt64
    /// When it was over, RFC 3339 in UTC.
    public var time: String
    /// `log` or `convergence`.
    public var kind: String
    /// `info`, `notice`, `warning`, `error` or `critical`.
    public var level: String
    public var message: String
    /// For a convergence: what has changed routes, and what has changed.
    public var convergence: Convergence?

    public init(
        number: UInt64, time: String, kind: String, level: String, message: String, convergence: Convergence? = nil
    ) {
        self.number = number
        self.time = time
        self.kind = kind
        self.level = level
        self.message = message
        self.convergence = convergence
    }

    /// A change of routes, from its cause to the kernel's last acknowledgment.
    public struct Convergence: Codable, Hashable, Sendable {
        /// Destinations with new next hops.
        public struct Move: Codable, Hashable, Sendable {
            /// Nodes, and prefixes that several nodes announce.
            public var destinations: [String]
            /// The neighbors that packets are sent to now.
            public var neighbors: [String]

            public init(destinations: [String], neighbors: [String]) {
                self.destinations = destinations
                self.neighbors = neighbors
            }
        }

        /// The time from the first change until the last calculation, and until the kernel had all routes, in seconds.
        public var calculatedAfter: Double
        public var installedAfter: Double
        /// The number of calculations.
        public var calculations: Int
        /// The LSAs that have changed, and how; the number of changed LSAs.
        public var causes: [String]
        public var changedLSAs: Int
        /// What goes another way, and the number of such destinations.
        public var moves: [Move]
        public var movedDestinations: Int
        /// Nodes and prefixes that are reached no more, and those that are reached now; the numbers of prefixes.
        public var lost: [String]
        public var lostPrefixes: Int
        public var gained: [String]
        public var gainedPrefixes: Int

        public init(
            calculatedAfter: Double, installedAfter: Double, calculations: Int, causes: [String], changedLSAs: Int,
            moves: [Move], movedDestinations: Int, lost: [String], lostPrefixes: Int, gained: [String],
            gainedPrefixes: Int
        ) {
            self.calculatedAfter = calculatedAfter
            self.installedAfter = installedAfter
            self.calculations = calculations
            self.causes = causes
            self.changedLSAs = changedLSAs
            self.moves = moves
            self.movedDestinations = movedDestinations
            self.lost = lost
            self.lostPrefixes = lostPrefixes
            self.gained = gained
            self.gainedPrefixes = gainedPrefixes
        }
    }
}
