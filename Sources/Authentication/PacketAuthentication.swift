public import Addressing
internal import OSPFPacket
public import Timing

/// Adds authentication trailers to packets that are sent, and checks and removes those of received packets (RFC 7166). The router
/// behind it sees packets without trailers.
public struct PacketAuthentication: Sendable {
    /// The number of packets that were refused, by reason; of those accepted although they are not authentic, too.
    public private(set) var refusals: [AuthenticationRefusal: UInt64] = [:]
    /// The number of packets that were not sent, because no sequence number was reserved or left.
    public private(set) var unsent: UInt64 = 0

    private var ring: KeyRing
    private var peerTable = PeerTable()
    private var strangerTable = StrangerTable()
    private var numbers: SequenceNumbers?
    /// The end of the sequence numbers that earlier runs reserved.
    private let savedSequence: UInt64

    /// `savedSequence` is the end of the last reservation that was saved, 0 without one.
    public init(functions: CryptographicFunctions, savedSequence: UInt64) {
        ring = KeyRing(functions)
        self.savedSequence = savedSequence
    }

    // MARK: Keys

    /// The keys in use.
    public var chain: KeyChain { ring.chain }

    /// The key to send with where no neighbor is followed, and whether it is valid.
    public var sendingKey: (key: AuthenticationKey, isValid: Bool)? { ring.sending }

    /// Whether keys have times, and the clock is not set. All keys are accepted then, and packets are sent with the newest key that neighbors
    /// on the port use.
    public var lacksClock: Bool { ring.lacksClock }

    /// The keys with their uses.
    public func keyStates(at now: Instant) -> [(key: AuthenticationKey, state: KeyState)] { ring.states(at: now) }

    /// The wall clock's second; `nil` if the clock is not set.
    public func second(at now: Instant) -> Int64? { ring.second(at: now) }

    /// The wall clock shows this time since 1970.
    public mutating func setClock(_ time: Duration, at now: Instant) {
        ring.setClock(time, at: now)
        followNeighbors(at: now)
    }

    /// Uses these keys from now on.
    public mutating func configure(_ new: KeyChain, at now: Instant) {
        guard new != ring.chain else { return }
        ring.configure(new, at: now)
        followNeighbors(at: now)
        if numbers == nil, !new.isEmpty {
            numbers = SequenceNumbers(saved: savedSequence, second: ring.second(at: now))
        }
    }

    /// Has the keys of neighbors followed, if the clock is needed and not set.
    private mutating func followNeighbors(at now: Instant) {
        if ring.lacksClock { ring.follow(peerTable.keyIDs(at: now)) }
    }

    // MARK: Sending

    /// The end of the sequence numbers to reserve on disk now; `nil` if none need be.
    public mutating func takeReservation() -> UInt64? { numbers?.takeReservation() }

    /// Whether ``takeReservation()`` would return a number.
    public var needsReservation: Bool { numbers?.isReservationDue ?? false }

    /// A reservation was saved; or could not be, and is used without, which the node reports.
    public mutating func reserve(_ end: UInt64) { numbers?.reserve(end) }

    /// The packet as it is sent: with a trailer, if the policy demands it. `nil` if it cannot be sent, because no sequence number
    /// is reserved yet.
    public mutating func seal(
        _ octets: [UInt8], policy: AuthenticationPolicy, on interface: UInt32, from source: IPv6Address,
        to destination: IPv6Address, at now: Instant
    ) -> [UInt8]? {
        guard policy != .off else { return octets }
        guard let key = ring.keyForSending(on: interface, at: now), let packet = TrailedPacket(octets),
            octets.count <= Int(UInt16.max) - AuthenticationTrailer.maximumSize, let sequence = numbers?.take()
        else {
            unsent += 1
            return nil
        }
        var sealed = packet.announcingTrailer(
            withChecksum: policy == .optional, source: source, destination: destination)
        AuthenticationTrailer(keyID: key.key.id, sequence: sequence, dataSize: key.size).encode(into: &sealed)
        guard let code = key.code(of: sealed, from: source) else {
            unsent += 1
            return nil
        }
        return sealed + code
    }

    // MARK: Reception

    /// The packet for the router: without a trailer. `nil` if it is refused. `lifetime` is how long a sequence number counts after
    /// the last packet of a neighbor: the dead interval, after which it may have begun again (RFC 7166 §4.1).
    public mutating func open(
        _ octets: [UInt8], policy: AuthenticationPolicy, on interface: UInt32, from source: IPv6Address,
        to destination: IPv6Address, lifetime: Duration, at now: Instant
    ) -> [UInt8]? {
        // Most packets, where there is no authentication: nothing follows their end.
        if policy == .off, octets.count >= 4, Int(octets[2]) << 8 | Int(octets[3]) == octets.count { return octets }
        guard let packet = TrailedPacket(octets) else {
            // The router counts it as what it is; where packets must be authentic, it never sees it.
            guard policy == .required else { return octets }
            refusals[.malformed, default: 0] += 1
            return nil
        }
        if policy == .off {
            guard packet.lacksChecksum, AuthenticationTrailer(in: octets, at: packet.trailerOffset)?.isHMAC == true,
                !packet.isChecksumValid(source: source, destination: destination)
            else { return Self.ignoringTrailer(packet) }
            refusals[.noKeyHere, default: 0] += 1
            note(packet, from: source, on: interface, .noKeyHere, isNeighbor: false, at: now)
            return nil
        }
        let key = Peer.Key(interface: interface, router: packet.routerID)
        do throws(AuthenticationRefusal) {
            let trailer = try check(packet, from: source, key, lifetime: lifetime, at: now)
            accept(key, packet.type, at: source, trailer: trailer, lifetime: lifetime, at: now)
            return packet.withoutTrailer(source: source, destination: destination)
        } catch {
            refusals[error, default: 0] += 1
            let isNeighbor = peerTable.isHeard(source, on: interface, at: now)
            guard policy == .optional, error != .replay else {
                if !isNeighbor || error != .replay {
                    note(packet, from: source, on: interface, error, isNeighbor: isNeighbor, at: now)
                }
                return nil
            }
            guard packet.isChecksumValid(source: source, destination: destination) else { return octets }
            accept(key, packet.type, at: source, trailer: nil, lifetime: lifetime, at: now)
            return packet.withoutTrailer(source: source, destination: destination)
        }
    }

    /// Without authentication, trailers are ignored. Those of types without options are removed, because nothing in these packets
    /// announces them.
    private static func ignoringTrailer(_ packet: TrailedPacket) -> [UInt8] {
        guard packet.announcesTrailer == nil, packet.hasTrailer,
            let trailer = AuthenticationTrailer(in: packet.octets, at: packet.trailerOffset), trailer.isHMAC,
            Int(trailer.length) == packet.octets.count - packet.trailerOffset
        else { return packet.octets }
        return Array(packet.octets[..<packet.trailerOffset])
    }

    /// The trailer of an authentic packet.
    private func check(
        _ packet: TrailedPacket, from source: IPv6Address, _ peer: Peer.Key, lifetime: Duration, at now: Instant
    ) throws(AuthenticationRefusal) -> AuthenticationTrailer {
        guard packet.announcesTrailer ?? packet.hasTrailer else { throw packet.hasTrailer ? .malformed : .missing }
        guard let trailer = AuthenticationTrailer(in: packet.octets, at: packet.trailerOffset) else { throw .malformed }
        guard trailer.isHMAC else { throw .type }
        guard let key = ring.key(trailer.keyID) else { throw .unknownKey }
        guard Int(trailer.length) == AuthenticationTrailer.headerSize + key.size,
            packet.trailerOffset + Int(trailer.length) == packet.octets.count
        else { throw .malformed }
        guard ring.isAccepted(key.key, at: now) else { throw .invalidKey }
        if peerTable.isReplay(trailer.sequence, packet.type, of: peer, lifetime: lifetime, at: now) { throw .replay }
        let data = packet.trailerOffset + AuthenticationTrailer.headerSize
        // All octets are compared, so that the time does not tell how many are right.
        guard let code = key.code(of: Array(packet.octets[..<data]), from: source),
            zip(code, packet.octets[data...]).reduce(0 as UInt8, { $0 | ($1.0 ^ $1.1) }) == 0
        else { throw .digest }
        return trailer
    }

    private mutating func accept(
        _ key: Peer.Key, _ type: PacketType, at source: IPv6Address, trailer: AuthenticationTrailer?,
        lifetime: Duration, at now: Instant
    ) {
        if let change = peerTable.accept(key, type, at: source, trailer: trailer, lifetime: lifetime, at: now) {
            ring.news.append(change)
            followNeighbors(at: now)
        }
        if !strangerTable.isEmpty {
            strangerTable.noteAcceptance(on: key.interface, from: source, lifetime: lifetime)
        }
    }

    private mutating func note(
        _ packet: TrailedPacket, from source: IPv6Address, on interface: UInt32, _ refusal: AuthenticationRefusal,
        isNeighbor: Bool, at now: Instant
    ) {
        let trailer = packet.hasTrailer ? AuthenticationTrailer(in: packet.octets, at: packet.trailerOffset) : nil
        let isNew = strangerTable.note(
            interface, source, packet.routerID, keyID: trailer?.isHMAC == true ? trailer?.keyID : nil, refusal,
            isNeighbor: isNeighbor, at: now)
        if isNew { ring.news.append(.stranger) }
    }

    // MARK: Senders

    /// Accepted senders, by interface and router ID.
    public var peers: [Peer.Key: Peer] { peerTable.all }

    /// Refused senders, the first ones first.
    public var strangers: [Stranger] { strangerTable.all }

    /// Strangers that were heard lately, but for neighbors of which a few damaged packets were refused.
    public func recentStrangers(at now: Instant) -> [Stranger] { strangerTable.recent(at: now) }

    // MARK: News

    public var hasNews: Bool { !ring.news.isEmpty }

    /// What has happened since the last call.
    public mutating func takeNews() -> [AuthenticationNews] {
        defer { ring.news.removeAll(keepingCapacity: true) }
        return ring.news
    }
}
