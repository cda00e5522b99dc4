/// An address family. The raw values are the names that Kubernetes uses, as in `ipFamilies` of a service.
public enum IPFamily: String, Hashable, Sendable {
    case ipv4 = "IPv4"
    case ipv6 = "IPv6"
}
