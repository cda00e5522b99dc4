public import Addressing
internal import OSPFPacket
public import Timing

/// Adds authentication trailers to packets that are sent, and checks and removes those of received packets (RFC 7166). The router
/// behind it sees packets without trailers.
public struct PacketAuthentication: Sendable {
    /// The keys in use.
    public private(set) var chain = KeyChain()
    /// Accepted senders, by interface and router ID.
    public private(set) var peers: [Peer.Key: Peer] = [:]
    /// Refused senders, the most recent ones.
    public private(set) var strangers: [Stranger] = []
    /// The number of packets that were refused, by reason; of those accepted although they are not authentic, too.
    public private(set) var refusals: [AuthenticationRefusal: UInt64] = [:]
    /// The number of packets that were not sent, because no sequence number was reserved or left.
    public private(set) var unsent: UInt64 = 0
    /// What has happened since ``takeNews()``.
    private var news: [AuthenticationNews] = []

    private let functions: CryptographicFunctions
    /// Keys prepared for use (Ko), by identifier.
    private var prepared: [UInt16: [UInt8]] = [:]
    /// The wall clock at ``Instant/zero``; `nil` if it is not known or not set.
    private var clockOffset: Duration?
    /// The key to send with, and whether it is valid.
    public private(set) var sendingKey: (key: AuthenticationKey, isValid: Bool)?
    /// When ``sendingKey`` must be chosen again.
    private var nextKeyChange = Int64.max
    private var numbers: SequenceNumbers?

    /// The end of the sequence numbers that earlier runs reserved.
    private let savedSequence: UInt64

    static let mostPeers = 1024
    static let mostStrangers = 32
    /// Strangers that have not been heard for this time are forgotten.
    public static let strangerLifetime = Duration.seconds(60)
    /// A wall clock before 2025 is not set.
    static let earliestTime: Int64 = 1_735_689_600

    /// `savedSequence` is the end of the last reservation that was saved, 0 without one.
    public init(functions: CryptographicFunctions, savedSequence: UInt64) {
        self.functions = functions
        self.savedSequence = savedSequence
    }

    /// The wall clock's second; `nil` if the clock is not set.
    public func second(at now: Instant) -> Int64? { clockOffset.map { ($0 + (now - .zero)).components.seconds } }

    /// Whether the wall clock is known and set.
    public var isClockSet: Bool { clockOffset != nil }

    /// The wall clock shows this time since 1970.
    public mutating func setClock(_ time: Duration, at now: Instant) {
        clockOffset = time.components.seconds >= Self.earliestTime ? time - (now - .zero) : nil
        chooseKey(at: now)
    }

    /// Uses these keys from now on.
    public mutating func configure(_ new: KeyChain, at now: Instant) {
        guard new != chain else { return }
        chain = new
        prepared = Dictionary(uniqueKeysWithValues: new.keys.map { ($0.id, protocolKey($0)) })
        if numbers == nil, !new.isEmpty {
            numbers = SequenceNumbers(saved: savedSequence, second: second(at: now))
        }
        chooseKey(at: now)
    }

    /// Prepares a key (RFC 7166 §4.5): the OSPFv3 Cryptographic Protocol ID is appended, and the result is hashed if it is
    /// longer than a digest, or filled with zeros.
    private func protocolKey(_ key: AuthenticationKey) -> [UInt8] {
        let size = key.algorithm.digestSize
        var octets = key.secret + (key.swapsProtocolID ? [1, 0] : [0, 1])
        if octets.count > size { octets = functions.hash(key.algorithm, octets) }
        octets += [UInt8](repeating: 0, count: max(0, size - octets.count))
        return octets
    }

    private mutating func chooseKey(at now: Instant) {
        let second = second(at: now)
        let before = sendingKey
        sendingKey = chain.keyForSending(at: second)
        nextKeyChange = second.flatMap { chain.nextChange(after: $0) } ?? .max
        guard let sendingKey, before.map({ $0 != sendingKey }) ?? true else { return }
        news.append(.sending(sendingKey.key, isValid: sendingKey.isValid))
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
        _ octets: [UInt8], policy: AuthenticationPolicy, from source: IPv6Address, to destination: IPv6Address,
        at now: Instant
    ) -> [UInt8]? {
        guard policy != .off else { return octets }
        if let second = second(at: now), second >= nextKeyChange { chooseKey(at: now) }
        guard let key = sendingKey?.key, let packet = TrailedPacket(octets), let secret = prepared[key.id],
            octets.count <= Int(UInt16.max) - AuthenticationTrailer.maximumSize, let sequence = numbers?.take()
        else {
            unsent += 1
            return nil
        }
        var sealed = packet.announcingTrailer(
            withChecksum: policy == .optional, source: source, destination: destination)
        let size = key.algorithm.digestSize
        AuthenticationTrailer(keyID: key.id, sequence: sequence, dataSize: size).encode(into: &sealed)
        sealed.appendPadding(source, size: size)
        let code = functions.code(key.algorithm, secret, sealed)
        guard code.count == size else {
            unsent += 1
            return nil
        }
        sealed.replaceSubrange(sealed.count - size..<sealed.count, with: code)
        return sealed
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
            note(packet, from: source, on: interface, .noKeyHere, at: now)
            return nil
        }
        let key = Peer.Key(interface: interface, router: packet.routerID)
        do throws(AuthenticationRefusal) {
            let trailer = try check(packet, from: source, key, lifetime: lifetime, at: now)
            accept(key, packet.type, at: source, trailer: trailer, lifetime: lifetime, at: now)
            return packet.withoutTrailer(source: source, destination: destination)
        } catch {
            refusals[error, default: 0] += 1
            let isPeer = peers[key].map { $0.address == source && now - $0.lastHeard < lifetime } ?? false
            guard policy == .optional, error != .replay else {
                if !isPeer || error != .replay { note(packet, from: source, on: interface, error, at: now) }
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
        guard let secret = prepared[trailer.keyID], let key = chain.keys.first(where: { $0.id == trailer.keyID })
        else { throw .unknownKey }
        guard Int(trailer.length) == AuthenticationTrailer.headerSize + key.algorithm.digestSize,
            packet.trailerOffset + Int(trailer.length) == packet.octets.count
        else { throw .malformed }
        if let second = second(at: now), !key.acceptance.contains(second) { throw .invalidKey }
        if let known = peers[peer], now - known.lastHeard < lifetime, let last = known.sequence(of: packet.type),
            trailer.sequence <= last
        {
            throw .replay
        }
        let data = packet.trailerOffset + AuthenticationTrailer.headerSize
        var message = packet.octets
        message.removeSubrange(data...)
        message.appendPadding(source, size: key.algorithm.digestSize)
        let code = functions.code(key.algorithm, secret, message)
        // All octets are compared, so that the time does not tell how many are right.
        guard code.count == key.algorithm.digestSize,
            zip(code, packet.octets[data...]).reduce(0 as UInt8, { $0 | ($1.0 ^ $1.1) }) == 0
        else { throw .digest }
        return trailer
    }

    private mutating func accept(
        _ key: Peer.Key, _ type: PacketType, at source: IPv6Address, trailer: AuthenticationTrailer?,
        lifetime: Duration, at now: Instant
    ) {
        let keyID = trailer?.keyID
        if peers[key].map({ now - $0.lastHeard >= lifetime }) ?? true {
            if peers.count >= Self.mostPeers, peers[key] == nil { makeRoom() }
            peers[key] = Peer(address: source, keyID: keyID, at: now)
            news.append(.peer(key, keyID: keyID, before: nil, isNew: true))
        } else if peers[key]!.keyID != keyID {
            news.append(.peer(key, keyID: keyID, before: peers[key]!.keyID, isNew: false))
            peers[key]!.keyID = keyID
            peers[key]!.since = now
        }
        peers[key]!.address = source
        peers[key]!.lastHeard = now
        if let trailer { peers[key]!.sequences[Int(type.rawValue)] = trailer.sequence }
        if !strangers.isEmpty {
            strangers.removeAll { $0.interface == key.interface && $0.address == source }
        }
    }

    /// Forgets a peer without a key, or else the one that was heard longest ago.
    private mutating func makeRoom() {
        let oldest = peers.min {
            ($0.value.keyID == nil ? 0 : 1, $0.value.lastHeard) < ($1.value.keyID == nil ? 0 : 1, $1.value.lastHeard)
        }
        if let oldest { peers[oldest.key] = nil }
    }

    private mutating func note(
        _ packet: TrailedPacket, from source: IPv6Address, on interface: UInt32, _ refusal: AuthenticationRefusal,
        at now: Instant
    ) {
        let trailer = AuthenticationTrailer(in: packet.octets, at: packet.trailerOffset)
        let keyID = trailer?.isHMAC == true ? trailer?.keyID : nil
        if let place = strangers.firstIndex(where: { $0.interface == interface && $0.address == source }) {
            strangers[place].routerID = packet.routerID
            strangers[place].keyID = keyID
            strangers[place].refusal = refusal
            strangers[place].last = now
            strangers[place].packets += 1
            return
        }
        strangers.removeAll { now - $0.last >= Self.strangerLifetime }
        // The first ones stay, so that a flood of forged addresses does not hide them.
        guard strangers.count < Self.mostStrangers else { return }
        strangers.append(
            Stranger(
                interface: interface, address: source, routerID: packet.routerID, keyID: keyID, refusal: refusal,
                first: now, last: now, packets: 1))
        news.append(.stranger)
    }

    /// Strangers that were heard lately.
    public func recentStrangers(at now: Instant) -> [Stranger] {
        strangers.filter { now - $0.last < Self.strangerLifetime }
    }

    // MARK: News

    public var hasNews: Bool { !news.isEmpty }

    /// What has happened since the last call.
    public mutating func takeNews() -> [AuthenticationNews] {
        defer { news.removeAll(keepingCapacity: true) }
        return news
    }
}

/// A change that people should know about.
public enum AuthenticationNews: Hashable, Sendable {
    /// Packets are sent with this key from now on. If it is not valid, no other is either.
    case sending(AuthenticationKey, isValid: Bool)
    /// The packets of a router come with another key than before; `nil` is without a valid trailer.
    case peer(Peer.Key, keyID: UInt16?, before: UInt16?, isNew: Bool)
    /// There is a new stranger.
    case stranger
}

extension [UInt8] {
    /// Appends Apad (RFC 7166 §4.5): the source address, then the octets 87 8f e1 f3, up to the size of the digest.
    fileprivate mutating func appendPadding(_ source: IPv6Address, size: Int) {
        for half in [source.high, source.low] {
            for shift in stride(from: 56, through: 0, by: -8) {
                append(UInt8(truncatingIfNeeded: half >> UInt64(shift)))
            }
        }
        for index in 0..<size - 16 { append([0x87, 0x8f, 0xe1, 0xf3][index % 4]) }
    }
}

extension PacketAuthentication {
    /// What a key is used for.
    public enum KeyState: String, Hashable, Sendable {
        /// Packets are sent with it.
        case sending
        /// Packets with it are accepted.
        case accepted
        /// Its time is over.
        case expired
        /// Its time has not come.
        case notYetValid = "not yet valid"
    }

    /// The keys with their uses.
    public func keyStates(at now: Instant) -> [(key: AuthenticationKey, state: KeyState)] {
        chain.keys.map { key in
            if key.id == sendingKey?.key.id { return (key, .sending) }
            guard let second = second(at: now), !key.acceptance.contains(second) else { return (key, .accepted) }
            return (key, key.acceptance.from.map { second < $0 } ?? false ? .notYetValid : .expired)
        }
    }
}
