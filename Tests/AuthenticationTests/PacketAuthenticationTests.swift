import Addressing
import OSPFPacket
import Testing
import Timing

@testable import Authentication

/// A keyed function in place of an HMAC, which the core does not contain. Known answers of real HMACs are in `AgentTests`.
let toyCryptography = CryptographicFunctions(
    hash: { algorithm, octets in toyDigest(octets, size: algorithm.digestSize) },
    code: { algorithm, key, message in toyDigest(key + message, size: algorithm.digestSize) })

private func toyDigest(_ octets: [UInt8], size: Int) -> [UInt8] {
    var state: UInt64 = 0xcbf2_9ce4_8422_2325
    for octet in octets { state = (state ^ UInt64(octet)) &* 0x100_0000_01b3 }
    return (0..<size).map { index in
        state = (state ^ UInt64(index)) &* 0x9e37_79b9_7f4a_7c15
        return UInt8(truncatingIfNeeded: state >> 56)
    }
}

struct PacketAuthenticationTests {
    static let source = IPv6Address("fe80::1")!
    static let group = IPv6Address("ff02::5")!
    static let router = RouterID("10.0.0.1")!
    static let dead = Duration.seconds(4)

    static func key(
        _ id: UInt16, _ secret: String = "secret", _ algorithm: AuthenticationAlgorithm = .hmacSHA256,
        send: AuthenticationKey.Validity = .init(), accept: AuthenticationKey.Validity = .init()
    ) -> AuthenticationKey {
        AuthenticationKey(
            id: id, algorithm: algorithm, secret: Array(secret.utf8), sending: send, acceptance: accept)
    }

    /// A router's authentication, with sequence numbers reserved.
    static func make(_ keys: [AuthenticationKey], saved: UInt64 = 0) -> PacketAuthentication {
        var value = PacketAuthentication(functions: toyCryptography, savedSequence: saved)
        value.configure(KeyChain(keys), at: .zero)
        if let end = value.takeReservation() { value.reserve(end) }
        return value
    }

    static func packet(_ type: PacketType = .hello) -> [UInt8] {
        let body: Packet.Body =
            switch type {
            case .hello:
                .hello(
                    Hello(
                        interfaceID: 7, priority: 1, options: [.v6, .e, .r], helloInterval: 1, deadInterval: 4,
                        designatedRouter: .none, backupDesignatedRouter: .none, neighbors: [RouterID("10.0.0.2")!]))
            case .databaseDescription:
                .databaseDescription(
                    DatabaseDescription(
                        options: [.v6], interfaceMTU: 1500, flags: [], sequenceNumber: 1, headers: []))
            case .linkStateRequest: .linkStateRequest(LinkStateRequest(keys: []))
            case .linkStateUpdate: .linkStateUpdate(LinkStateUpdate(lsas: []))
            case .linkStateAcknowledgment: .linkStateAcknowledgment(LinkStateAcknowledgment(headers: []))
            }
        return Packet(header: PacketHeader(routerID: router, areaID: .backbone, instanceID: 0), body: body)
            .encode(source: source, destination: group)
    }

    static func open(
        _ octets: [UInt8], by receiver: inout PacketAuthentication, _ policy: AuthenticationPolicy = .required,
        at now: Instant = .zero
    ) -> [UInt8]? {
        receiver.open(octets, policy: policy, on: 3, from: source, to: group, lifetime: dead, at: now)
    }

    static func seal(
        _ octets: [UInt8], by sender: inout PacketAuthentication, _ policy: AuthenticationPolicy = .required
    ) throws -> [UInt8] {
        let sealed = sender.seal(octets, policy: policy, on: 3, from: source, to: group, at: .zero)
        return try #require(sealed)
    }

    @Test(arguments: AuthenticationAlgorithm.allCases, PacketType.allCases)
    func aSealedPacketArrivesAsItWas(algorithm: AuthenticationAlgorithm, type: PacketType) throws {
        var sender = Self.make([Self.key(1, "s", algorithm)])
        var receiver = Self.make([Self.key(1, "s", algorithm)])
        let plain = Self.packet(type)
        let sealed = try Self.seal(plain, by: &sender)
        #expect(sealed.count == plain.count + 16 + algorithm.digestSize)
        #expect(Self.open(sealed, by: &receiver) == plain)
        #expect(receiver.peers.count == 1 && receiver.strangers.isEmpty)
    }

    /// No octet of packet or trailer can be changed, except for the reserved field, which is authenticated too; and the packet cannot
    /// come from another address or be cut.
    @Test(arguments: PacketType.allCases) func everyChangeIsDetected(type: PacketType) throws {
        var sender = Self.make([Self.key(1)])
        let sealed = try Self.seal(Self.packet(type), by: &sender)
        for place in sealed.indices {
            for bit in [UInt8(1), 0x80] {
                var receiver = Self.make([Self.key(1)])
                var changed = sealed
                changed[place] ^= bit
                #expect(Self.open(changed, by: &receiver) == nil, "octet \(place)")
                #expect(receiver.peers.isEmpty)
            }
        }
        for length in 0..<sealed.count {
            var receiver = Self.make([Self.key(1)])
            #expect(Self.open(Array(sealed[..<length]), by: &receiver) == nil, "\(length) octets")
        }
        var receiver = Self.make([Self.key(1)])
        #expect(Self.open(sealed + [0], by: &receiver) == nil)
        let other = receiver.open(
            sealed, policy: .required, on: 3, from: IPv6Address("fe80::2")!, to: Self.group, lifetime: Self.dead,
            at: .zero)
        #expect(other == nil)
    }

    @Test func refusalsAreCountedByReason() throws {
        var receiver = Self.make([Self.key(1), Self.key(2, accept: .init(until: 10))])
        receiver.setClock(.seconds(2_000_000_000), at: .zero)
        _ = Self.open(Self.packet(), by: &receiver)
        #expect(receiver.refusals == [.missing: 1])
        for (sender, reason) in [
            (Self.make([Self.key(1, "wrong")]), AuthenticationRefusal.digest), (Self.make([Self.key(9)]), .unknownKey),
            (Self.make([Self.key(2)]), .invalidKey), (Self.make([Self.key(1, "s", .hmacSHA1)]), .malformed),
        ] {
            var sender = sender
            _ = Self.open(try Self.seal(Self.packet(), by: &sender), by: &receiver)
            #expect(receiver.refusals[reason] == 1, "\(reason)")
        }
        var sender = Self.make([Self.key(1)])
        var octets = try Self.seal(Self.packet(), by: &sender)
        octets[Self.packet().count + 1] = 2
        _ = Self.open(octets, by: &receiver)
        #expect(receiver.refusals[.type] == 1)
        // The AT-bit without a trailer.
        octets = Array(try Self.seal(Self.packet(), by: &sender)[..<Self.packet().count])
        _ = Self.open(octets, by: &receiver)
        #expect(receiver.refusals[.malformed] == 2)
        // A trailer without the AT-bit.
        octets = Self.packet() + (try Self.seal(Self.packet(), by: &sender)[Self.packet().count...])
        _ = Self.open(octets, by: &receiver)
        #expect(receiver.refusals[.malformed] == 3)
        // One stranger, although there were eight packets.
        let stranger = try #require(receiver.strangers.first)
        #expect(receiver.strangers.count == 1 && stranger.packets == 8 && stranger.routerID == Self.router)
        #expect(receiver.peers.isEmpty)
    }

    /// A packet counts once; each type has its own sequence; and after a silence of the dead interval a neighbor may begin again.
    @Test func packetsAreNotAcceptedAgain() throws {
        var sender = Self.make([Self.key(1)])
        var receiver = Self.make([Self.key(1)])
        let first = try Self.seal(Self.packet(), by: &sender)
        let description = try Self.seal(Self.packet(.databaseDescription), by: &sender)
        let second = try Self.seal(Self.packet(), by: &sender)
        #expect(Self.open(second, by: &receiver) != nil)
        #expect(Self.open(first, by: &receiver) == nil)
        #expect(Self.open(second, by: &receiver) == nil)
        #expect(Self.open(description, by: &receiver) != nil)
        #expect(receiver.refusals == [.replay: 2])
        // A replay is no stranger: it comes from a neighbor's address.
        #expect(receiver.strangers.isEmpty)
        #expect(Self.open(first, by: &receiver, at: .zero + .seconds(3)) == nil)
        #expect(Self.open(first, by: &receiver, at: .zero + .seconds(4)) != nil)
    }

    @Test func optionalAcceptsWithoutAndSays() throws {
        var receiver = Self.make([Self.key(1)])
        let plain = Self.packet()
        #expect(Self.open(plain, by: &receiver, .optional) == plain)
        #expect(receiver.peers.values.map(\.keyID) == [nil])
        var stranger = Self.make([Self.key(9)])
        let sealed = try Self.seal(plain, by: &stranger, .optional)
        #expect(Self.open(sealed, by: &receiver, .optional) == plain)
        #expect(receiver.strangers.isEmpty)
        // Replays are refused all the same.
        var sender = Self.make([Self.key(1)])
        let good = try Self.seal(plain, by: &sender, .optional)
        #expect(Self.open(good, by: &receiver, .optional) == plain)
        #expect(receiver.peers.values.map(\.keyID) == [1])
        #expect(Self.open(good, by: &receiver, .optional) == nil)
        // A router without authentication reads what one with `optional` sends.
        for type in PacketType.allCases {
            var without = Self.make([])
            let sealed = try Self.seal(Self.packet(type), by: &sender, .optional)
            let opened = try #require(Self.open(sealed, by: &without, .off))
            let packet = try Packet.decode(opened, source: Self.source, destination: Self.group)
            #expect(packet.body.type == type)
        }
    }

    /// Where packets must be authentic they have no checksum. A node without keys cannot read them, and says why.
    @Test func aNodeWithoutKeysSaysThatOthersHaveThem() throws {
        var sender = Self.make([Self.key(1)])
        for type in PacketType.allCases {
            var without = Self.make([])
            #expect(Self.open(try Self.seal(Self.packet(type), by: &sender, .required), by: &without, .off) == nil)
            #expect(without.refusals == [.noKeyHere: 1])
            #expect(without.recentStrangers(at: .zero).map(\.refusal) == [.noKeyHere])
        }
        // A packet that was damaged on the way is none of these.
        var without = Self.make([])
        var damaged = try Self.seal(Self.packet(), by: &sender, .optional)
        damaged[20] ^= 1
        #expect(Self.open(damaged, by: &without, .off) != nil && without.refusals.isEmpty)
    }

    /// Nodes get a new key one after the other, in three steps; at each moment each accepts what each other sends.
    @Test func keysRollOverWithoutLoss() throws {
        let old = Self.key(1, "old"), new = Self.key(2, "new", .hmacSHA512)
        for (before, after) in [([old], [old, new]), ([old, new], [new, old]), ([new, old], [new])] {
            for (from, to) in [(before, after), (after, before), (after, after)] {
                var sender = Self.make(from)
                var receiver = Self.make(to)
                #expect(Self.open(try Self.seal(Self.packet(), by: &sender), by: &receiver) != nil)
            }
        }
    }

    @Test func keysChangeByTheClock() {
        let old = Self.key(1, send: .init(until: 2_000_000_100))
        let new = Self.key(2, send: .init(from: 2_000_000_050))
        var node = Self.make([old, new])
        // Without a clock, the one that begins first.
        #expect(node.sendingKey?.key.id == 1 && node.lacksClock)
        node.setClock(.zero, at: .zero)
        #expect(node.sendingKey?.key.id == 1 && node.lacksClock)
        node.setClock(.seconds(2_000_000_000), at: .zero)
        #expect(node.sendingKey?.key.id == 1)
        _ = node.seal(
            Self.packet(), policy: .required, on: 3, from: Self.source, to: Self.group, at: .zero + .seconds(51))
        #expect(node.sendingKey?.key.id == 2)
        // The last key stays in use when its time is over.
        node.configure(KeyChain([old]), at: .zero + .seconds(200))
        #expect(node.sendingKey?.key.id == 1 && node.sendingKey?.isValid == false)
        #expect(node.keyStates(at: .zero).map(\.state) == [.sending])
    }

    /// Without a clock, packets on each interface are sent with the newest key that neighbors there use; any key is accepted.
    @Test func withoutAClockNeighborsAreFollowed() throws {
        let old = Self.key(1, send: .init(until: 2_000_000_100), accept: .init(until: 2_000_000_200))
        let new = Self.key(2, send: .init(from: 2_000_000_050), accept: .init(from: 2_000_000_000))
        var node = Self.make([old, new])
        func keyID(on interface: UInt32) throws -> UInt16 {
            let sealed = node.seal(
                Self.packet(), policy: .required, on: interface, from: Self.source, to: Self.group, at: .zero)
            let octets = try #require(sealed)
            return try #require(AuthenticationTrailer(in: octets, at: Self.packet().count)).keyID
        }
        #expect(try keyID(on: 3) == 1)
        _ = node.takeNews()
        var neighbor = Self.make([new])
        for _ in 0..<3 { #expect(Self.open(try Self.seal(Self.packet(), by: &neighbor), by: &node) != nil) }
        #expect(try keyID(on: 3) == 2)
        #expect(try keyID(on: 4) == 1)
        #expect(node.takeNews().filter { $0 == .following(new, interface: 3) }.count == 1)
        #expect(node.keyStates(at: .zero).map(\.state) == [.sending, .sending])
        // A key that is not in the file any more is not followed, and times count again once the clock is set.
        node.configure(KeyChain([old]), at: .zero)
        #expect(try keyID(on: 3) == 1)
        node.configure(KeyChain([old, new]), at: .zero)
        #expect(try keyID(on: 3) == 2)
        node.setClock(.seconds(2_000_000_000), at: .zero)
        #expect(try keyID(on: 3) == 1)
        #expect(!node.lacksClock)
        // Keys without times need no clock: the order of the file counts, whatever neighbors do.
        var other = Self.make([Self.key(1), Self.key(2)])
        #expect(Self.open(try Self.seal(Self.packet(), by: &neighbor), by: &other) != nil)
        #expect(other.keyStates(at: .zero).map(\.state) == [.sending, .accepted] && !other.lacksClock)
    }

    /// Each change is told once.
    @Test func changesOfKeysAreNews() {
        let start: Int64 = 2_000_000_000
        let old = Self.key(1, send: .init(until: start + 20), accept: .init(until: start + 30))
        let new = Self.key(2, send: .init(from: start + 10), accept: .init(from: start + 5))
        var node = Self.make([])
        node.setClock(.seconds(start), at: .zero)
        node.configure(KeyChain([old]), at: .zero)
        #expect(
            node.takeNews() == [.keys(added: [1], removed: [], changed: []), .sending(old, isValid: true)])
        node.configure(KeyChain([old, new]), at: .zero)
        #expect(node.takeNews() == [.keys(added: [2], removed: [], changed: [])])
        var told: [Int: [AuthenticationNews]] = [:]
        for second in 1...40 {
            for _ in 0..<3 {
                let now = Instant.zero + .seconds(second)
                _ = node.seal(Self.packet(), policy: .required, on: 3, from: Self.source, to: Self.group, at: now)
            }
            if node.hasNews { told[second] = node.takeNews() }
        }
        #expect(
            told == [
                5: [.acceptance(new, isAccepted: true)], 10: [.sending(new, isValid: true)],
                30: [.acceptance(old, isAccepted: false)],
            ])
        var changed = new
        changed.secret = [1]
        node.configure(KeyChain([changed]), at: .zero + .seconds(41))
        #expect(node.takeNews() == [.keys(added: [], removed: [1], changed: [2])])
    }

    /// Numbers are used only when they are reserved, and a restart begins above all that were.
    @Test func sequenceNumbersIncreaseOverRestarts() throws {
        var node = PacketAuthentication(functions: toyCryptography, savedSequence: 500)
        node.configure(KeyChain([Self.key(1)]), at: .zero)
        #expect(node.seal(Self.packet(), policy: .required, on: 3, from: Self.source, to: Self.group, at: .zero) == nil)
        #expect(node.unsent == 1)
        let reservation = node.takeReservation()
        let end = try #require(reservation)
        let another = node.takeReservation()
        #expect(another == nil, "one is being saved")
        node.reserve(end)
        let third = node.takeReservation()
        #expect(third == nil, "there are enough")
        var last: UInt64 = 499
        for _ in 0..<10 {
            let sealed = try Self.seal(Self.packet(), by: &node)
            let trailer = try #require(AuthenticationTrailer(in: sealed, at: Self.packet().count))
            #expect(trailer.sequence > last && trailer.sequence < end)
            last = trailer.sequence
        }
        let next = SequenceNumbers(saved: end, second: nil)
        #expect(next.next == end)
        #expect(SequenceNumbers(saved: 0, second: 2_000_000_000).next == 2_000_000_000 << 8)
        #expect(SequenceNumbers(saved: .max, second: 2_000_000_000).next == .max)
    }

    @Test func theLastSequenceNumbersEndWithoutWrapping() {
        var numbers = SequenceNumbers(saved: .max - 2, second: nil)
        numbers.reserve(numbers.takeReservation()!)
        #expect(numbers.reserved == .max)
        #expect(numbers.take() == .max - 2 && numbers.take() == .max - 1 && numbers.take() == nil)
        #expect(numbers.takeReservation() == nil)
    }

    /// A flood from forged addresses fills no table, and hides neither the first stranger nor a neighbor.
    @Test func tablesAreBounded() throws {
        var receiver = Self.make([Self.key(1)])
        var sender = Self.make([Self.key(1)])
        #expect(Self.open(try Self.seal(Self.packet(), by: &sender), by: &receiver) != nil)
        for number in 0..<10_000 {
            _ = receiver.open(
                Self.packet(), policy: .required, on: 3,
                from: IPv6Address(high: Self.source.high, low: UInt64(number + 2)), to: Self.group,
                lifetime: Self.dead, at: .zero)
        }
        #expect(receiver.strangers.count == StrangerTable.mostOnAnInterface && receiver.peers.count == 1)
        #expect(receiver.strangers.first?.address == IPv6Address("fe80::2"))
        #expect(receiver.recentStrangers(at: .zero + StrangerTable.lifetime).isEmpty)
        // Those on other interfaces are not hidden, and there is a bound on them all.
        for interface in 4..<UInt32(104) {
            for number in 0..<20 {
                _ = receiver.open(
                    Self.packet(), policy: .required, on: interface,
                    from: IPv6Address(high: Self.source.high, low: UInt64(number + 2)), to: Self.group,
                    lifetime: Self.dead, at: .zero)
            }
        }
        #expect(receiver.strangers.count == StrangerTable.most)
        #expect(Set(receiver.strangers.map(\.interface)).count == StrangerTable.most / StrangerTable.mostOnAnInterface)
    }

    /// A stranger that gets the key is none after a dead interval. One whose packets are refused and accepted by turns stays one.
    @Test func strangersStayUntilTheyAreQuiet() throws {
        var receiver = Self.make([Self.key(1)])
        var sender = Self.make([Self.key(1)])
        func count(_ second: Int) -> Int { receiver.recentStrangers(at: .zero + .seconds(second)).count }
        _ = Self.open(Self.packet(), by: &receiver)
        #expect(count(0) == 1 && receiver.takeNews().contains(.stranger))
        #expect(count(119) == 1)
        for second in 1...5 {
            #expect(
                Self.open(try Self.seal(Self.packet(), by: &sender), by: &receiver, at: .zero + .seconds(second)) != nil
            )
        }
        #expect(count(3) == 1 && count(4) == 0)
        _ = receiver.takeNews()
        // A damaged packet of a neighbor is no news, but some within the time are, once.
        for second in 5..<65 {
            _ = Self.open(Self.packet(), by: &receiver, at: .zero + .seconds(second))
            #expect(
                Self.open(try Self.seal(Self.packet(), by: &sender), by: &receiver, at: .zero + .seconds(second)) != nil
            )
            #expect(count(second) == (second < 7 ? 0 : 1))
        }
        #expect(receiver.takeNews() == [.stranger])
        #expect(count(64 + 119) == 1 && count(64 + 120) == 0)
    }

    /// Random and damaged octets are refused, and never stop the program.
    @Test(arguments: 0..<20) func hostileOctetsAreRefused(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var receiver = Self.make([Self.key(1)])
        var sender = Self.make([Self.key(1)])
        for round in 0..<500 {
            var octets = try Self.seal(Self.packet(PacketType.allCases[round % 5]), by: &sender)
            switch random.next() % 4 {
            case 0: octets = (0..<Int(random.next() % 200)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            case 1: octets.removeLast(Int(random.next() % UInt64(octets.count)) + 1)
            case 2: octets += (0...Int(random.next() % 90)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            default: octets[Int(random.next() % UInt64(octets.count))] ^= 1 << UInt8(random.next() % 8)
            }
            #expect(Self.open(octets, by: &receiver) == nil)
            for policy in [AuthenticationPolicy.optional, .off] { _ = Self.open(octets, by: &receiver, policy) }
        }
    }

    /// A block of link-local signaling stands between packet and trailer (RFC 7166 §2.2).
    @Test func linkLocalSignalingIsPartOfTheMessage() throws {
        var plain = Self.packet()
        plain[PacketHeader.size + 6] |= 0x02  // the L-bit
        let block: [UInt8] = [0, 0, 0, 2, 1, 2, 3, 4]
        var sender = Self.make([Self.key(1)])
        var receiver = Self.make([Self.key(1)])
        let sealed = try Self.seal(plain + block, by: &sender)
        let opened = try #require(Self.open(sealed, by: &receiver))
        #expect(Array(opened.suffix(8)) == block)
        #expect(throws: Never.self) { try Packet.decode(opened, source: Self.source, destination: Self.group) }
        var changed = sealed
        changed[plain.count + 5] ^= 1
        var other = Self.make([Self.key(1)])
        #expect(Self.open(changed, by: &other) == nil)
    }
}
