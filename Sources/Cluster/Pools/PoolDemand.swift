internal import Addressing
internal import Kubernetes

/// The pool addresses that a service requests. They depend only on its `spec` and its annotations.
struct PoolDemand: Hashable, Sendable {
    /// The requested families, one or two.
    var families: [IPFamily]
    /// Whether the service accepts an address of one family if it cannot have both (`PreferDualStack`).
    var acceptsOneFamily: Bool
    /// The pool that it names; `nil` if it names none.
    var pool: String?
    /// The addresses that it requests, by family.
    var asked: [IPFamily: IPv6Address] = [:]
    /// The terms on which it shares its addresses.
    var terms: SharingTerms
}

/// The terms on which a service shares its addresses with other services.
struct SharingTerms: Hashable, Sendable {
    /// Where traffic may go, which determines the nodes that announce the address: all nodes, or those with selected pods.
    private enum AnnouncingNodes: Hashable {
        case allNodes
        case pods(namespace: String, selector: [String: String])
    }

    /// The sharing key; `nil` if it shares with no other service.
    let key: String?
    /// The protocol in the upper 16 bits, the port number in the lower.
    private let ports: Set<UInt32>
    /// `nil` if it is unknown which nodes announce the address; then the service shares with no other.
    private let announcingNodes: AnnouncingNodes?

    init(_ service: Service) {
        key = service.metadata.annotations[PoolAnnotation.sharing].flatMap { $0.isEmpty ? nil : $0 }
        ports = Set(
            service.ports.map { port in
                UInt32(["TCP", "UDP", "SCTP"].firstIndex(of: port.transport) ?? 3) << 16 | UInt32(port.port)
            })
        switch service.externalTrafficPolicy {
        case .cluster: announcingNodes = .allNodes
        // If a service selects no pods, the nodes of its endpoints are not known here.
        case .local:
            announcingNodes =
                service.selector.isEmpty
                ? nil : .pods(namespace: service.metadata.namespace, selector: service.selector)
        }
    }

    /// Whether two services may have the same address: they have the same sharing key, no port in common, and the same nodes
    /// announce the address for both.
    func agree(with other: SharingTerms) -> Bool {
        guard let key, key == other.key, let announcingNodes, announcingNodes == other.announcingNodes else {
            return false
        }
        return ports.isDisjoint(with: other.ports)
    }
}

extension Service {
    /// The request of a service of type `LoadBalancer`. Throws if it is invalid.
    func poolDemand() throws(PoolProblem) -> PoolDemand {
        let known = families.isEmpty ? clusterIPs.map(\.family) : families
        guard let first = known.first else { throw .noFamilies }
        let second = familyPolicy == .single ? nil : known.first { $0 != first }
        var demand = PoolDemand(
            families: [first, second].compactMap(\.self), acceptsOneFamily: familyPolicy == .preferDual,
            pool: metadata.annotations[PoolAnnotation.pool], terms: SharingTerms(self))
        for address in try askedAddresses() {
            guard demand.families.contains(address.family) else { throw .otherFamily(address) }
            guard demand.asked.updateValue(address, forKey: address.family) == nil else {
                throw .twoOfAFamily(address.family)
            }
        }
        return demand
    }

    /// The addresses that the annotation or `spec.loadBalancerIP` requests.
    private func askedAddresses() throws(PoolProblem) -> [IPv6Address] {
        let single = loadBalancerIP ?? ""
        guard let list = metadata.annotations[PoolAnnotation.addresses], !list.isEmpty else {
            return single.isEmpty ? [] : [try address(single[...])]
        }
        guard single.isEmpty else { throw .conflictingRequests }
        var addresses: [IPv6Address] = []
        // Two are allowed; a third is enough to find two of one family.
        for text in list.split(separator: ",").prefix(3) {
            addresses.append(try address(text.drop { $0 == " " }.prefix { $0 != " " }))
        }
        return addresses
    }

    private func address(_ text: Substring) throws(PoolProblem) -> IPv6Address {
        guard let address = IPv6Address(String(text)) else { throw .notAnAddress(String(text)) }
        return address
    }

    /// Whether the service is explicitly meant for the pools, by its class or a ``PoolAnnotation``.
    func isMeantForPools(of loadBalancerClass: String) -> Bool {
        self.loadBalancerClass == loadBalancerClass
            || [PoolAnnotation.pool, PoolAnnotation.addresses, PoolAnnotation.sharing].contains {
                metadata.annotations[$0] != nil
            }
    }
}
