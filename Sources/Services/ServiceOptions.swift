/// Which service addresses are announced.
public struct ServiceOptions: Hashable, Sendable {
    /// Whether cluster IPs are announced, for machines outside of the cluster.
    public var announcesClusterIPs = false
    /// The load balancer class whose ingress addresses are announced, beside those of services without a class.
    public var loadBalancerClass = "kubermesh.io/anycast"

    public init() {}
}
