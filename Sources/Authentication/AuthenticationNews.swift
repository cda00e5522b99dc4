/// A change that people should know about.
public enum AuthenticationNews: Hashable, Sendable {
    /// Packets are sent with this key from now on. If it is not valid, no other is either.
    case sending(AuthenticationKey, isValid: Bool)
    /// The packets of a router come with another key than before; `nil` is without a valid trailer.
    case peer(Peer.Key, keyID: UInt16?, before: UInt16?, isNew: Bool)
    /// There is a new stranger.
    case stranger
}
