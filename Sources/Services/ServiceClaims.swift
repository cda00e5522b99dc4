public import Addressing

/// Decides which of the addresses that services want on this node are announced: no address of a machine, none of a VIP of the
/// configuration, and at most ``limit``.
///
/// Anybody who may write a service can write any address into it, and some controllers write those of the nodes. If other nodes
/// announced the address of a node, they would get its packets. An API server on it would be cut off, and no node would
/// learn that the service was deleted.
public struct ServiceClaims: Sendable {
    /// The decision about an address.
    public enum Verdict: Hashable, Sendable {
        /// Announce it as demanded.
        case grant(ServiceDemand)
        /// No service wants it any more: withdraw it as ``ServiceAddresses`` does, as last resort first.
        case end
        /// It must not be a service address: withdraw it at once.
        case revoke
    }

    /// The maximum number of service addresses of a node. Every other node has a route to each.
    public static let limit = 8192

    private let limit: Int
    /// All demands, granted or not.
    private var wanted: [IPv6Address: ServiceDemand] = [:]
    /// Addresses with a demand that this node announces.
    private var granted: Set<IPv6Address> = []
    /// Addresses of machines.
    private var reserved: Set<IPv6Address> = []
    /// Addresses of the VIPs of the configuration.
    private var configured: Set<IPv6Address> = []
    /// Addresses with a demand that are addresses of machines or of VIPs of the configuration.
    private var refused: Set<IPv6Address> = []
    /// Addresses with a demand that exceed the limit.
    private var excess: Set<IPv6Address> = []

    public init(limit: Int = Self.limit) { self.limit = limit }

    /// Whether there is any demand.
    public var hasAny: Bool { !wanted.isEmpty }

    /// Updates the demands for these addresses; `nil` means no demand. Returns what follows for them and, where places became
    /// free, for others.
    public mutating func apply(_ changes: [IPv6Address: ServiceDemand?]) -> [(IPv6Address, Verdict)] {
        var verdicts: [(IPv6Address, Verdict)] = []
        for (address, entry) in changes.sorted(by: { $0.key < $1.key }) {
            wanted[address] = entry
            if entry != nil {
                verdicts += judge(address)
            } else {
                refused.remove(address)
                excess.remove(address)
                if granted.remove(address) != nil { verdicts.append((address, .end)) }
            }
        }
        return verdicts + admitWaiting()
    }

    /// Replaces the addresses that must not be service addresses: those of machines, and those of the VIPs of the
    /// configuration, which have their own checks. Returns what follows.
    public mutating func reserve(
        _ reserved: Set<IPv6Address>, configured: Set<IPv6Address>
    ) -> [(IPv6Address, Verdict)] {
        guard reserved != self.reserved || configured != self.configured else { return [] }
        (self.reserved, self.configured) = (reserved, configured)
        var verdicts: [(IPv6Address, Verdict)] = []
        for address in reserved.union(configured).intersection(granted).sorted() {
            granted.remove(address)
            refused.insert(address)
            verdicts.append((address, .revoke))
        }
        for address in reserved.union(configured).intersection(excess) {
            excess.remove(address)
            refused.insert(address)
        }
        for address in refused.sorted() where !isReserved(address) {
            refused.remove(address)
            verdicts += judge(address)
        }
        return verdicts + admitWaiting()
    }

    /// Which services want addresses of machines, one line each for the first few, and whether there are more addresses than
    /// the limit.
    public var problems: [String] {
        // Few, because each is a line of the log.
        let most = 4
        // A service with the address of a VIP is no problem: the VIP's own check decides about the address.
        let ofMachines = refused.subtracting(configured).sorted()
        var lines = ofMachines.prefix(most).map { address in
            "\(names(of: address)): \(address) is the address of a node or of the API server and cannot be that of a service; "
                + "the address is not announced"
        }
        if ofMachines.count > most {
            lines.append("and \(ofMachines.count - most) more addresses of nodes that services have")
        }
        if !excess.isEmpty {
            lines.append("services have more than the \(limit) addresses that a node announces; some are not announced")
        }
        return lines
    }

    /// The first service that wants an address, and how many others do.
    private func names(of address: IPv6Address) -> String {
        let services = wanted[address]?.services ?? []
        let others = services.count > 1 ? " and \(services.count - 1) more" : ""
        return "\(services.first ?? "")\(others)"
    }

    private func isReserved(_ address: IPv6Address) -> Bool {
        reserved.contains(address) || configured.contains(address)
    }

    /// Grants a demand, or notes that it is refused or beyond the limit.
    private mutating func judge(_ address: IPv6Address) -> [(IPv6Address, Verdict)] {
        guard let entry = wanted[address] else { return [] }
        if isReserved(address) {
            refused.insert(address)
            excess.remove(address)
        } else if granted.contains(address) || granted.count < limit {
            granted.insert(address)
            excess.remove(address)
            return [(address, .grant(entry))]
        } else {
            excess.insert(address)
        }
        return []
    }

    /// Grants the lowest addresses in ``excess`` as far as there are free places.
    private mutating func admitWaiting() -> [(IPv6Address, Verdict)] {
        guard !excess.isEmpty, granted.count < limit else { return [] }
        return excess.sorted().prefix(limit - granted.count).flatMap { judge($0) }
    }
}
