internal import Addressing
internal import Timing

/// The keys of a router, ready for use: which one packets are sent with, and which are accepted, by the wall clock.
struct KeyRing: Sendable {
    private(set) var chain = KeyChain()
    /// The key to send with where no neighbor is followed, and whether it is valid.
    private(set) var sending: (key: AuthenticationKey, isValid: Bool)?
    /// Where the clock is needed and not set: the newest of the keys that neighbors on an interface use.
    private(set) var followed: [UInt32: UInt16] = [:]
    /// What has changed since it was last taken.
    var news: [AuthenticationNews] = []

    private let functions: CryptographicFunctions
    private var prepared: [UInt16: PreparedKey] = [:]
    /// The wall clock at ``Instant/zero``; `nil` if it is not known or not set.
    private var clockOffset: Duration?
    /// Whether each key was accepted at the last review.
    private var acceptance: [UInt16: Bool] = [:]
    /// The second in which ``review(at:)`` is due.
    private var nextChange = Int64.max

    /// A wall clock before 2025 is not set.
    static let earliestTime: Int64 = 1_735_689_600

    init(_ functions: CryptographicFunctions) { self.functions = functions }

    // MARK: The clock

    /// The wall clock's second; `nil` if the clock is not set.
    func second(at now: Instant) -> Int64? { clockOffset.map { ($0 + (now - .zero)).components.seconds } }

    /// Whether keys have times, and the clock is not set, so that they cannot be judged.
    var lacksClock: Bool { clockOffset == nil && chain.hasTimes }

    mutating func setClock(_ time: Duration, at now: Instant) {
        clockOffset = time.components.seconds >= Self.earliestTime ? time - (now - .zero) : nil
        review(at: now)
    }

    // MARK: The keys

    mutating func configure(_ new: KeyChain, at now: Instant) {
        let old = Dictionary(uniqueKeysWithValues: chain.keys.map { ($0.id, $0) })
        let ids = Set(new.keys.map(\.id))
        let added = new.keys.filter { old[$0.id] == nil }.map(\.id)
        let removed = chain.keys.map(\.id).filter { !ids.contains($0) }
        let changed = new.keys.filter { key in old[key.id].map { $0 != key } ?? false }.map(\.id)
        if !(added.isEmpty && removed.isEmpty && changed.isEmpty) {
            news.append(.keys(added: added, removed: removed, changed: changed))
        }
        chain = new
        acceptance = acceptance.filter { ids.contains($0.key) }
        followed = followed.filter { ids.contains($0.value) }
        prepared = Dictionary(uniqueKeysWithValues: new.keys.map { ($0.id, PreparedKey($0, functions)) })
        review(at: now)
    }

    func key(_ id: UInt16) -> PreparedKey? { prepared[id] }

    /// Whether packets with a key are accepted now: at any time, if the clock is not set.
    func isAccepted(_ key: AuthenticationKey, at now: Instant) -> Bool {
        second(at: now).map(key.acceptance.contains) ?? true
    }

    /// The key for packets on an interface.
    mutating func keyForSending(on interface: UInt32, at now: Instant) -> PreparedKey? {
        if let second = second(at: now), second >= nextChange { review(at: now) }
        return (followed[interface] ?? sending?.key.id).flatMap { prepared[$0] }
    }

    /// The identifiers of all keys that packets are sent with.
    private var used: Set<UInt16> { Set(followed.values).union(sending.map { [$0.key.id] } ?? []) }

    /// Neighbors use these keys now, by interface. Where times cannot be judged, they are followed: one whose clock is set knows which key is
    /// the one to use. Each interface follows its own neighbors, so that a neighbor with a wrong clock does not decide for others.
    mutating func follow(_ heard: [UInt32: [UInt16]]) {
        guard clockOffset == nil, chain.needsClockForSending else { return }
        let before = followed
        // Where nobody is heard any more, the last key that was stays, as long as there is room.
        if followed.count > PeerTable.most { followed = [:] }
        for (interface, ids) in heard.sorted(by: { $0.key < $1.key }) {
            guard let newest = chain.newest(of: ids) else { continue }
            followed[interface] = newest.id
            if before[interface] ?? sending?.key.id != newest.id {
                news.append(.following(newest, interface: interface))
            }
        }
    }

    /// Chooses the key to send with, and tells which keys are accepted from now on or no longer.
    private mutating func review(at now: Instant) {
        let second = second(at: now)
        let before = sending
        sending = chain.keyForSending(at: second)
        nextChange = second.flatMap { chain.nextChange(after: $0) } ?? .max
        if second != nil || !chain.needsClockForSending { followed = [:] }
        if let sending, before.map({ ($0.key.id, $0.isValid) != (sending.key.id, sending.isValid) }) ?? true {
            news.append(.sending(sending.key, isValid: sending.isValid))
        }
        for key in chain.keys {
            let isAccepted = isAccepted(key, at: now)
            if let before = acceptance[key.id], before != isAccepted {
                news.append(.acceptance(key, isAccepted: isAccepted))
            }
            acceptance[key.id] = isAccepted
        }
    }
}

extension KeyRing {
    /// The keys with their uses.
    func states(at now: Instant) -> [(key: AuthenticationKey, state: PacketAuthentication.KeyState)] {
        let used = used
        return chain.keys.map { key in
            if used.contains(key.id) { return (key, .sending) }
            switch second(at: now).map(key.acceptance.phase(at:)) {
            case .early: return (key, .notYetValid)
            case .over: return (key, .expired)
            case .valid, nil: return (key, .accepted)
            }
        }
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
}
