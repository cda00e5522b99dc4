/// A change that people should know about.
public enum AuthenticationNews: Hashable, Sendable {
    /// The file has other keys than before, by identifier; of those that changed, anything may have.
    case keys(added: [UInt16], removed: [UInt16], changed: [UInt16])
    /// Packets are sent with this key from now on. If it is not valid, no other is either.
    case sending(AuthenticationKey, isValid: Bool)
    /// Packets on an interface are sent with this key from now on, because a neighbor does so, and the clock is not set.
    case following(AuthenticationKey, interface: UInt32)
    /// Packets with a key, which was known before, are accepted from now on, or no longer.
    case acceptance(AuthenticationKey, isAccepted: Bool)
    /// The packets of a router come with another key than before; `nil` is without a valid trailer.
    case peer(Peer.Key, keyID: UInt16?, before: UInt16?, isNew: Bool)
    /// There is a new stranger.
    case stranger
}
