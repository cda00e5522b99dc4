public import Kubernetes
public import Services

/// How addresses of pools are assigned.
public struct PoolOptions: Hashable, Sendable {
    /// The pools. No two ranges may overlap.
    public var pools: [AddressPool]
    /// The class of services that are given addresses, besides those without a class.
    public var loadBalancerClass = ServiceOptions().loadBalancerClass
    /// What decides which agent assigns. It must be the same for all agents of a cluster, wherever they run.
    public var lease: ObjectKey
    /// How soon another takes over.
    public var times = LeaseElection.Times()

    /// Where the lease is of agents that are no pods.
    public static let defaultNamespace = "kube-system"

    /// Options for these pools. `namespace` is where the lease is: that of the agents' pods.
    public init(pools: [AddressPool], namespace: String = defaultNamespace) {
        self.pools = pools
        lease = ObjectKey(namespace: namespace, name: PoolController.leaseName)
    }
}
