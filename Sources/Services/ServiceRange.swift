public import Addressing

extension IPv6Prefix {
    /// Whether it can be a range of cluster IPs: routable, and not so short that it contains addresses of others: at least
    /// /32, or /8 for IPv4, which is /104 in the mapped form.
    public var canBeServiceRange: Bool { address.isRoutable && length >= (ipv4 == nil ? 32 : 96 + 8) }
}
