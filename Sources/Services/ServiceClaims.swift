public import Addressing

/// The addresses that services want of this node, less those that they cannot have: what belongs to a machine, or is given
/// by the configuration, and more than a node announces.
///
/// Whoever may write a service may write any address into it, and some who do write those of the nodes. Were that of a
/// node announced by others, it would be cut off, the API server behind it as well, and nobody would hear that it is over.
public struct ServiceClaims: Sendable {
    /// What is to be done about an address.
    public enum Verdict: Hashable, Sendable {
        /// Announce it as wished.
        case grant(ServiceDemand)
        /// Nothing wants it any more.
        case end
        /// It is no service's, and must be given up at once.
        case revoke
    }

    /// Addresses that a node announces for services at most. Every other node has a route to each.
    public static let limit = 8192

    private let limit: Int
    private var wanted: [IPv6Address: ServiceDemand] = [:]
    private var granted: Set<IPv6Address> = []
    private var machines: Set<IPv6Address> = []
    private var configured: Set<IPv6Address> = []
    /// What is wanted and belongs to somebody else.
    private var refused: Set<IPv6Address> = []
    /// What is wanted and is too much.
    private var excess: Set<IPv6Address> = []

    /// Makes one that knows of no service.
    public init(limit: Int = Self.limit) { self.limit = limit }

    /// Whether anything is wanted.
    public var hasAny: Bool { !wanted.isEmpty }

    /// Takes in what is wanted of addresses now; `nil` is nothing.
    public mutating func take(_ changes: [IPv6Address: ServiceDemand?]) -> [(IPv6Address, Verdict)] {
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

    /// Takes in what cannot be a service's: addresses of `machines`, and those that are `configured`, which follow checks of
    /// their own.
    public mutating func reserve(
        machines: Set<IPv6Address>, configured: Set<IPv6Address>
    ) -> [(IPv6Address, Verdict)] {
        guard machines != self.machines || configured != self.configured else { return [] }
        (self.machines, self.configured) = (machines, configured)
        var verdicts: [(IPv6Address, Verdict)] = []
        for address in machines.union(configured).intersection(granted).sorted() {
            granted.remove(address)
            refused.insert(address)
            verdicts.append((address, .revoke))
        }
        for address in refused.sorted() where !isReserved(address) {
            refused.remove(address)
            verdicts += judge(address)
        }
        return verdicts + admitWaiting()
    }

    /// What is wanted and belongs to machines, with the services that want it, and how much more there is than is announced.
    /// A line each, of few.
    public var problems: [String] {
        let most = 4
        let stolen = refused.subtracting(configured).sorted()
        var lines = stolen.prefix(most).map { address in
            "\(names(of: address)): \(address) is the address of a node or of the API server and cannot be that of a service; "
                + "it is not announced"
        }
        if stolen.count > most { lines.append("and \(stolen.count - most) more addresses of nodes that services have") }
        if !excess.isEmpty {
            lines.append("services have more than the \(limit) addresses that a node announces; some are not announced")
        }
        return lines
    }

    private func names(of address: IPv6Address) -> String {
        let services = wanted[address]?.services ?? []
        let others = services.count > 1 ? " and \(services.count - 1) more" : ""
        return "\(services.first ?? "")\(others)"
    }

    private func isReserved(_ address: IPv6Address) -> Bool {
        machines.contains(address) || configured.contains(address)
    }

    private mutating func judge(_ address: IPv6Address) -> [(IPv6Address, Verdict)] {
        guard let entry = wanted[address] else { return [] }
        if isReserved(address) {
            refused.insert(address)
        } else if granted.contains(address) || granted.count < limit {
            granted.insert(address)
            excess.remove(address)
            return [(address, .grant(entry))]
        } else {
            excess.insert(address)
        }
        return []
    }

    /// Gives what has become free to those that wait for it.
    private mutating func admitWaiting() -> [(IPv6Address, Verdict)] {
        guard !excess.isEmpty, granted.count < limit else { return [] }
        return excess.sorted().prefix(limit - granted.count).flatMap { judge($0) }
    }
}
