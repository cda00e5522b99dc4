public import Addressing
public import Kubernetes

/// Why a service has no address, or not that which it asks for.
public enum PoolProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// It chooses a pool that is none.
    case unknownPool(String, known: [String])
    /// It asks for something that is no address.
    case notAnAddress(String)
    /// It asks in two ways.
    case askedTwice
    /// It asks for an address of a family that it has not.
    case otherFamily(IPv6Address)
    /// It asks for two addresses of one family.
    case twoOfAFamily(IPFamily)
    /// It asks for an address that no pool has.
    case inNoPool(IPv6Address)
    /// It asks for an address and for a pool that has another.
    case inOtherPool(IPv6Address, String)
    /// It asks for an address that another has.
    case inUse(IPv6Address, by: ObjectKey)
    /// No address is left, in this pool or in any.
    case exhausted(IPFamily, pool: String?)
    /// There are no addresses of the family, in this pool or in any.
    case noAddresses(IPFamily, pool: String?)
    /// It has no cluster IPs, so nothing is known of its families.
    case noFamilies
    /// It has an address that is of no pool, and nothing says that it is ours.
    case foreign

    /// One word, for programs.
    public var reason: String {
        switch self {
        case .foreign: "AddressNotOurs"
        case .exhausted: "NoAddressLeft"
        case .inUse: "AddressInUse"
        default: "NoAddress"
        }
    }

    /// Whether somebody should do something.
    public var isWarning: Bool { self != .foreign }

    /// A sentence, with what to do.
    public var description: String {
        switch self {
        case .unknownPool(let name, let known):
            "there is no address pool \"\(name.prefix(63))\" (\(PoolAnnotation.pool) must name one of "
                + "\(known.prefix(20).joined(separator: ", ")))"
        case .notAnAddress(let text):
            "\"\(text.prefix(60))\" is no address (\(PoolAnnotation.addresses) takes addresses with commas between them)"
        case .askedTwice:
            "addresses are asked for by \(PoolAnnotation.addresses) and by spec.loadBalancerIP: leave one out"
        case .otherFamily(let address): "\(address) is not of a family that the service has (see its spec.ipFamilies)"
        case .twoOfAFamily(let family): "a service is given one \(family.rawValue) address, and two are asked for"
        case .inNoPool(let address): "\(address) is in none of the address pools"
        case .inOtherPool(let address, let pool): "\(address) is not in the address pool \"\(pool.prefix(63))\""
        case .inUse(let address, let other):
            "\(address) is that of \(other); services share an address where both have the same "
                + "\(PoolAnnotation.sharing), other ports, and traffic to all nodes or to the same pods"
        case .exhausted(let family, let pool):
            "no \(family.rawValue) address is left in \(Self.words(pool)): enlarge it, or delete a service"
        case .noAddresses(let family, let pool): "there are no \(family.rawValue) addresses in \(Self.words(pool))"
        case .noFamilies: "the service has neither spec.ipFamilies nor cluster IPs"
        case .foreign:
            "its address is in none of the address pools, so it is taken for another controller's and left alone "
                + "(with spec.loadBalancerClass or the annotation \(PoolAnnotation.pool) it is replaced)"
        }
    }

    private static func words(_ pool: String?) -> String {
        pool.map { "the address pool \"\($0.prefix(63))\"" } ?? "the pools that are assigned automatically"
    }
}

/// The annotations of services that concern pools.
enum PoolAnnotation {
    /// Names the pool to take addresses from.
    static let pool = "kubermesh.io/pool"
    /// The addresses to take.
    static let addresses = "kubermesh.io/addresses"
    /// Services with the same value may share an address.
    static let sharing = "kubermesh.io/allow-shared-address"
}
