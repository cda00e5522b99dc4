/// How a node should announce an address that it shares with others.
public enum Wish: Hashable, Sendable, Comparable {
    /// As the last that is taken: it can serve, though others are to be preferred.
    case lastResort
    /// As any other that can serve.
    case announce
}
