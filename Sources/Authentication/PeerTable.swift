internal import Addressing
internal import OSPFPacket
internal import Timing

/// The senders whose packets were accepted, with their sequence numbers.
struct PeerTable: Sendable {
    private(set) var all: [Peer.Key: Peer] = [:]

    static let most = 1024

    /// Whether packets from an address were accepted within the dead interval, whatever router ID they have.
    func isHeard(_ address: IPv6Address, on interface: UInt32, at now: Instant) -> Bool {
        all.contains {
            $0.key.interface == interface && $0.value.address == address
                && now - $0.value.lastHeard < $0.value.lifetime
        }
    }

    /// Whether a sequence number is not larger than that of an earlier packet of the type. After a dead interval without packets, a
    /// neighbor may have begun again (RFC 7166 §4.1).
    func isReplay(
        _ sequence: UInt64, _ type: PacketType, of key: Peer.Key, lifetime: Duration, at now: Instant
    ) -> Bool {
        guard let peer = all[key], now - peer.lastHeard < lifetime, let last = peer.sequence(of: type) else {
            return false
        }
        return sequence <= last
    }

    /// Records an accepted packet; `trailer` is `nil` if it came without a valid one. Returns what is new.
    mutating func accept(
        _ key: Peer.Key, _ type: PacketType, at source: IPv6Address, trailer: AuthenticationTrailer?,
        lifetime: Duration, at now: Instant
    ) -> AuthenticationNews? {
        let keyID = trailer?.keyID
        var news: AuthenticationNews?
        if all[key].map({ now - $0.lastHeard >= lifetime }) ?? true {
            if all.count >= Self.most, all[key] == nil { makeRoom() }
            all[key] = Peer(address: source, keyID: keyID, at: now)
            news = .peer(key, keyID: keyID, before: nil, isNew: true)
        } else if all[key]!.keyID != keyID {
            news = .peer(key, keyID: keyID, before: all[key]!.keyID, isNew: false)
            all[key]!.keyID = keyID
            all[key]!.since = now
        }
        all[key]!.address = source
        all[key]!.lastHeard = now
        all[key]!.lifetime = lifetime
        if let trailer { all[key]!.sequences[Int(type.rawValue)] = trailer.sequence }
        return news
    }

    /// The keys that peers use which were heard within the dead interval, by interface.
    func keyIDs(at now: Instant) -> [UInt32: [UInt16]] {
        var ids: [UInt32: [UInt16]] = [:]
        for (key, peer) in all where now - peer.lastHeard < peer.lifetime {
            if let id = peer.keyID { ids[key.interface, default: []].append(id) }
        }
        return ids
    }

    /// Forgets a peer without a key, or else the one that was heard longest ago.
    private mutating func makeRoom() {
        let oldest = all.min {
            ($0.value.keyID == nil ? 0 : 1, $0.value.lastHeard) < ($1.value.keyID == nil ? 0 : 1, $1.value.lastHeard)
        }
        if let oldest { all[oldest.key] = nil }
    }
}
