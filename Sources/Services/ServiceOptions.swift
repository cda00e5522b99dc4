/// Which addresses of services are announced, besides their external IPs.
public struct ServiceOptions: Hashable, Sendable {
    /// Whether cluster IPs are announced, for machines outside of the cluster.
    public var announcesClusterIPs = false
    /// The class (`spec.loadBalancerClass`) of the services whose load balancer addresses are announced. Those of services
    /// without a class are announced, too.
    public var loadBalancerClass = "kubermesh.io/anycast"

    public init() {}
}
