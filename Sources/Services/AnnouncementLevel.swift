/// How a node should announce an anycast address.
public enum AnnouncementLevel: Hashable, Sendable, Comparable {
    /// As last resort: the node can serve, but other nodes are preferred.
    case lastResort
    /// At the normal metric.
    case announce
}
