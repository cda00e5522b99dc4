/// A family of addresses.
public enum IPFamily: String, Hashable, Sendable {
    /// IPv4.
    case ipv4 = "IPv4"
    /// IPv6.
    case ipv6 = "IPv6"
}
