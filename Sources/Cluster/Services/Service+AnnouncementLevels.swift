public import Addressing
public import Kubernetes
public import Services

extension Service {
    /// The addresses of this service that a node should announce, with the level of each; none if the service is headless, of
    /// type `ExternalName`, or being deleted. Addresses that cannot be routed are left out, and so are cluster IPs unless the
    /// options include them, and load balancer addresses unless the service is of type `LoadBalancer` with the class of the
    /// options or without a class. A node that is excluded from external load balancers announces cluster IPs only.
    ///
    /// External IPs and load balancer addresses follow `externalTrafficPolicy`, cluster IPs follow `internalTrafficPolicy`.
    /// An endpoint of the address's family counts if it is ready, or if it terminates but still serves, as in kube-proxy. With
    /// the policy `Cluster`, the node must not be known to be unready, and there must be an endpoint anywhere. With `Local`, an
    /// endpoint must be on the node; if all on it terminate while there is a ready one elsewhere, the address is last resort.
    public func levels(
        on node: NodeConditions, slices: some Collection<EndpointSlice>, options: ServiceOptions
    ) -> [IPv6Address: AnnouncementLevel] {
        guard !isHeadless, !metadata.isBeingDeleted, type != "ExternalName" else { return [:] }
        var result: [IPv6Address: AnnouncementLevel] = [:]
        var known: [IPFamily: EndpointCensus] = [:]
        func add(_ addresses: [IPv6Address], _ policy: TrafficPolicy) {
            for address in addresses where address.isRoutable {
                let census = known[address.family] ?? EndpointCensus(slices, family: address.family, on: node.name)
                known[address.family] = census
                guard let level = census.level(policy, node) else { continue }
                result[address] = max(result[address] ?? level, level)
            }
        }
        if !node.isExcluded {
            add(externalIPs, externalTrafficPolicy)
            if isBalanced(by: options.loadBalancerClass) { add(ingressIPs, externalTrafficPolicy) }
        }
        if options.announcesClusterIPs { add(clusterIPs, internalTrafficPolicy) }
        return result
    }

    /// Whether it is of type `LoadBalancer`, with this class or without a class.
    func isBalanced(by loadBalancerClass: String) -> Bool {
        type == "LoadBalancer" && (self.loadBalancerClass ?? loadBalancerClass) == loadBalancerClass
    }
}

/// The number of endpoints of one family, on the node (`Here`) and in total. Leaving ones terminate but still serve.
private struct EndpointCensus {
    private var readyHere = 0
    private var leavingHere = 0
    private var ready = 0
    private var leaving = 0

    init(_ slices: some Collection<EndpointSlice>, family: IPFamily, on node: String) {
        for slice in slices where slice.addressType == family.rawValue {
            for endpoint in slice.endpoints {
                let isHere = endpoint.nodeName == node
                if endpoint.isReady {
                    ready += 1
                    if isHere { readyHere += 1 }
                } else if endpoint.isServing, endpoint.isTerminating {
                    leaving += 1
                    if isHere { leavingHere += 1 }
                }
            }
        }
    }

    func level(_ policy: TrafficPolicy, _ node: NodeConditions) -> AnnouncementLevel? {
        switch policy {
        case .local:
            if readyHere > 0 { return .announce }
            guard leavingHere > 0 else { return nil }
            return ready > 0 ? .lastResort : .announce
        case .cluster:
            return node.isReady && ready + leaving > 0 ? .announce : nil
        }
    }
}
