internal import Addressing
internal import Kubernetes

/// What a service wants of the pools: a function of its `spec` and its annotations alone.
struct PoolDemand: Hashable, Sendable {
    /// The families it has, one or two.
    var families: [IPFamily]
    /// Whether some of them are better than none.
    var acceptsOneFamily: Bool
    /// The pool it chooses.
    var pool: String?
    /// The addresses it asks for.
    var asked: [IPFamily: IPv6Address] = [:]
    /// With whom it shares.
    var terms: SharingTerms
}

/// On which terms a service shares its address with others.
struct SharingTerms: Hashable, Sendable {
    /// Which pods traffic goes to, as far as that decides on which nodes the address must be.
    private enum Reach: Hashable {
        case allNodes
        case pods(namespace: String, selector: [String: String])
    }

    /// The sharing key; `nil` shares with no other service.
    let key: String?
    /// Protocol and number.
    private let ports: Set<UInt32>
    private let reach: Reach?

    init(_ service: Service) {
        key = service.metadata.annotations[PoolAnnotation.sharing].flatMap { $0.isEmpty ? nil : $0 }
        ports = Set(
            service.ports.map { port in
                UInt32(["TCP", "UDP", "SCTP"].firstIndex(of: port.transport) ?? 3) << 16 | UInt32(port.port)
            })
        switch service.externalTrafficPolicy {
        case .cluster: reach = .allNodes
        // Where its endpoints are is only known of a service that selects them.
        case .local:
            reach =
                service.selector.isEmpty
                ? nil : .pods(namespace: service.metadata.namespace, selector: service.selector)
        }
    }

    /// Whether both may have one address: they say so, no port is claimed twice, and the nodes that serve the one are those
    /// that serve the other.
    func agree(with other: SharingTerms) -> Bool {
        guard let key, key == other.key, let reach, reach == other.reach else { return false }
        return ports.isDisjoint(with: other.ports)
    }
}

extension Service {
    /// What it wants of the pools, if it is a load balancer's.
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

    private func askedAddresses() throws(PoolProblem) -> [IPv6Address] {
        let single = loadBalancerIP ?? ""
        guard let list = metadata.annotations[PoolAnnotation.addresses], !list.isEmpty else {
            return single.isEmpty ? [] : [try address(single[...])]
        }
        guard single.isEmpty else { throw .askedTwice }
        var addresses: [IPv6Address] = []
        for text in list.split(separator: ",").prefix(3) {
            addresses.append(try address(text.drop { $0 == " " }.prefix { $0 != " " }))
        }
        return addresses
    }

    private func address(_ text: Substring) throws(PoolProblem) -> IPv6Address {
        guard let address = IPv6Address(String(text)) else { throw .notAnAddress(String(text)) }
        return address
    }

    /// Whether the service asks for pool addresses, whatever it has now.
    func isMeantForPools(of loadBalancerClass: String) -> Bool {
        self.loadBalancerClass == loadBalancerClass
            || [PoolAnnotation.pool, PoolAnnotation.addresses, PoolAnnotation.sharing].contains {
                metadata.annotations[$0] != nil
            }
    }
}
