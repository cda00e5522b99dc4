public import Addressing
public import Timing

/// All sessions. It has no socket and reads no clock. Before each ``advance(to:output:)`` the caller passes all packets that
/// have arrived, so that none waits when a neighbor is found to have failed.
public struct SessionTable: Sendable {
    /// A received packet.
    public struct Datagram: Sendable {
        public var interface: UInt32
        public var source: IPv6Address
        /// 0–255; `nil` if the kernel did not tell.
        public var hopLimit: UInt8?
        /// When the kernel received it.
        public var arrival: Instant
        /// The UDP payload.
        public var octets: [UInt8]

        public init(interface: UInt32, source: IPv6Address, hopLimit: UInt8?, arrival: Instant, octets: [UInt8]) {
            self.interface = interface
            self.source = source
            self.hopLimit = hopLimit
            self.arrival = arrival
            self.octets = octets
        }
    }

    /// What follows from events.
    public struct Output: Sendable {
        /// Packets to send now, from the session's own socket.
        public var packets: [(target: SessionTarget, octets: [UInt8])] = []
        /// Changes, in order.
        public var reports: [SessionReport] = []

        public init() {}
    }

    private struct Entry: Sendable {
        var target: SessionTarget
        var session: Session
        var authenticator: Authenticator?
        /// When the neighbor was silent for so long that its sequence numbers may begin anew.
        var sequenceExpiry: Instant?
    }

    /// In order of neighbors, at most one of each. There are few, so they are searched one by one.
    private var entries: [Entry] = []
    /// Changes when ``targets`` does.
    public private(set) var generation = 0
    private var random: SplitMix64
    private let shortestInterval: Duration
    private let digest: Digest
    /// Packets that were not used, by reason.
    public private(set) var refused: [Refusal: UInt64] = [:]

    /// The maximum number of sessions.
    public static let mostSessions = 256

    /// `shortestInterval` is the shortest one that the caller can keep.
    public init(seed: UInt64, shortestInterval: Duration, digest: @escaping Digest) {
        random = SplitMix64(seed: seed)
        self.shortestInterval = shortestInterval
        self.digest = digest
    }

    /// When ``advance(to:output:)`` is due; `nil` if nothing is.
    public var nextDeadline: Instant? { entries.lazy.compactMap(\.session.nextDeadline).min() }

    /// Has exactly these sessions from now on, at most ``mostSessions``. What is known of those that there were before stays; the
    /// neighbors of the others are told that they have ended. `keys` are those of targets with authentication.
    public mutating func watch(
        _ targets: [SessionTarget], keys: [NeighborAddress: SessionKey] = [:], at now: Instant,
        output: inout Output
    ) {
        var wanted = Dictionary(
            targets.prefix(Self.mostSessions).map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        for index in entries.indices {
            let key = entries[index].target.key
            guard let target = wanted.removeValue(forKey: key) else {
                handle(.close, of: index, at: now, &output)
                continue
            }
            setKey(keys[key], of: index)
            entries[index].target = target
            let parameters = effective(target.parameters)
            if entries[index].session.end != nil {
                // The neighbor must not hear of an end and of a new session in turns.
                entries[index].session = newSession(parameters, at: now)
            } else if entries[index].session.parameters != parameters {
                handle(.parameters(parameters), of: index, at: now, &output)
            }
        }
        for target in wanted.values.sorted(by: { $0.key < $1.key }) {
            entries.append(Entry(target: target, session: newSession(effective(target.parameters), at: now)))
            setKey(keys[target.key], of: entries.count - 1)
        }
        entries.removeAll { $0.session.end.map { $0 <= now } ?? false }
        // Those that end are the ones to lose where there are too many.
        for index in entries.indices.reversed()
        where entries.count > Self.mostSessions && entries[index].session.end != nil {
            entries.remove(at: index)
        }
        entries.sort { $0.target.key < $1.target.key }
        generation += 1
    }

    private mutating func newSession(_ parameters: SessionParameters, at now: Instant) -> Session {
        Session(parameters, discriminator: newDiscriminator(), seed: random.next(), at: now)
    }

    private mutating func setKey(_ key: SessionKey?, of index: Int) {
        guard entries[index].authenticator?.key != key else { return }
        entries[index].authenticator = key.map {
            Authenticator($0, digest: digest, firstSequence: UInt32(truncatingIfNeeded: random.next()))
        }
    }

    private func effective(_ parameters: SessionParameters) -> SessionParameters {
        var parameters = parameters
        parameters.interval = max(parameters.interval, shortestInterval)
        return parameters
    }

    /// A number other than 0 that no session has.
    private mutating func newDiscriminator() -> UInt32 {
        while true {
            let number = UInt32(truncatingIfNeeded: random.next())
            if number != 0, !entries.contains(where: { $0.session.discriminator == number }) { return number }
        }
    }

    /// Takes in a packet.
    public mutating func receive(_ datagram: Datagram, at now: Instant, output: inout Output) {
        do throws(Refusal) {
            try accept(datagram, at: now, &output)
        } catch {
            refused[error, default: 0] += 1
        }
    }

    private mutating func accept(_ datagram: Datagram, at now: Instant, _ output: inout Output) throws(Refusal) {
        guard datagram.hopLimit == 255 else { throw .hopLimit }
        let packet = try ControlPacket(datagram.octets)
        let key = NeighborAddress(interface: datagram.interface, address: datagram.source)
        // A discriminator alone would let anybody on any link speak for the neighbor.
        let found = entries.firstIndex {
            $0.target.key == key
                && (packet.yourDiscriminator == 0 || $0.session.discriminator == packet.yourDiscriminator)
        }
        guard let index = found else { throw .noSession }
        guard var authenticator = entries[index].authenticator else {
            if packet.isAuthenticated { throw .unexpectedAuthentication }
            return handle(.packet(packet, arrival: datagram.arrival), of: index, at: now, &output)
        }
        guard packet.isAuthenticated else { throw .missingAuthentication }
        if let expiry = entries[index].sequenceExpiry, datagram.arrival >= expiry { authenticator.forgetSequence() }
        try authenticator.verify(datagram.octets, multiplier: packet.detectionMultiplier)
        entries[index].authenticator = authenticator
        handle(.packet(packet, arrival: datagram.arrival), of: index, at: now, &output)
        // bfd.AuthSeqKnown (RFC 5880 §6.8.1).
        let detectionTime = entries[index].session.detectionTime ?? Session.slowInterval
        entries[index].sequenceExpiry = datagram.arrival + detectionTime * 2
    }

    /// Handles what is due at `now`.
    public mutating func advance(to now: Instant, output: inout Output) {
        for index in entries.indices where entries[index].session.nextDeadline.map({ $0 <= now }) ?? false {
            handle(.timer, of: index, at: now, &output)
        }
        let count = entries.count
        entries.removeAll { $0.session.end.map { $0 <= now } ?? false }
        if entries.count != count { generation += 1 }
    }

    private mutating func handle(_ event: Session.Event, of index: Int, at now: Instant, _ output: inout Output) {
        let actions = entries[index].session.handle(event, at: now)
        for packet in actions.packets { output.packets.append((entries[index].target, sign(packet, of: index))) }
        guard actions.isReportable, entries[index].session.end == nil else { return }
        output.reports.append(entries[index].session.report(of: entries[index].target.key))
    }

    private mutating func sign(_ packet: ControlPacket, of index: Int) -> [UInt8] {
        // The `?.` of a mutating call would copy nothing here, but `nil` needs the plain octets.
        guard entries[index].authenticator != nil else { return packet.encoded() }
        return entries[index].authenticator!.sign(packet)
    }

    /// The process ends at once: all neighbors are told, several times, because there is no later.
    public mutating func endAll(at now: Instant, output: inout Output) {
        for index in entries.indices {
            handle(.close, of: index, at: now, &output)
            for _ in 0..<Self.farewells {
                guard let packet = entries[index].session.makeFarewell() else { break }
                output.packets.append((entries[index].target, sign(packet, of: index)))
            }
        }
        entries = []
        generation += 1
    }

    private static let farewells = 2

    /// All sessions, except those that have ended.
    public var sessions: [SessionSnapshot] {
        entries.lazy.filter { $0.session.end == nil }.map { SessionSnapshot($0.session, $0.target) }
    }

    /// The neighbors to which packets may be sent, those of ended sessions included.
    public var targets: [SessionTarget] { entries.map(\.target) }
}

extension Session {
    func report(of key: NeighborAddress) -> SessionReport {
        SessionReport(
            key, state, diagnostic, remoteState: remote?.state ?? .down, remoteDiagnostic: remote?.diagnostic ?? .none,
            isIndependent: remote?.isControlPlaneIndependent ?? false)
    }
}
