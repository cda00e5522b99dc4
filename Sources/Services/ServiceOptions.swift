/// Which addresses of services are announced at all.
public struct ServiceOptions: Hashable, Sendable {
    /// Whether cluster IPs are, so that machines outside of the cluster reach them.
    public var announcesClusterIPs = false
    /// The class whose ingress addresses are announced, besides those of services without a class.
    public var loadBalancerClass = "kubermesh.io/anycast"

    public init() {}
}
