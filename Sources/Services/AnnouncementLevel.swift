/// How this node should announce a service address; the lower level first.
public enum AnnouncementLevel: Hashable, Sendable, Comparable {
    /// As last resort: the endpoints on this node are terminating and still serve, but another node has ready ones.
    case lastResort
    /// At the normal metric, 0.
    case announce
}
