public import Kubernetes
public import Services

/// How addresses of pools are assigned.
public struct PoolOptions: Hashable, Sendable {
    /// The pools. No two ranges may overlap.
    public var pools: [AddressPool]
    /// The class of services that get addresses, besides those without a class.
    public var loadBalancerClass = ServiceOptions().loadBalancerClass
    /// The lease that elects the agent that assigns addresses. It must be the same for all agents of a cluster, wherever they
    /// run.
    public var lease: ObjectKey
    /// The times of the election, which determine how soon another agent takes over.
    public var times = LeaseElection.Times()

    /// The namespace of the lease if the agents do not run in pods.
    public static let defaultNamespace = "kube-system"

    /// Makes options for these pools. `namespace` is that of the lease: the namespace of the agents' pods.
    public init(pools: [AddressPool], namespace: String = defaultNamespace) {
        self.pools = pools
        lease = ObjectKey(namespace: namespace, name: PoolController.leaseName)
    }
}
