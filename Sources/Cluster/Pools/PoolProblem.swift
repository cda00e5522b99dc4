public import Addressing
public import Kubernetes

/// Why a service gets no address, or not the one it requests. “It” in the cases is the service.
public enum PoolProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// It names a pool that does not exist.
    case unknownPool(String, known: [String])
    /// It requests something that is not an address.
    case notAnAddress(String)
    /// It requests addresses both in `spec.loadBalancerIP` and in an annotation.
    case conflictingRequests
    /// It requests an address of a family that is not one of its own (`spec.ipFamilies`).
    case otherFamily(IPv6Address)
    /// It requests two addresses of one family.
    case twoOfAFamily(IPFamily)
    /// It requests an address that is in no pool.
    case inNoPool(IPv6Address)
    /// It requests an address that is not in the pool it names.
    case inOtherPool(IPv6Address, String)
    /// It requests an address that another service should have on terms that do not agree with its own, or that the
    /// `status` of another still has.
    case inUse(IPv6Address, by: ObjectKey)
    /// No address of the family is free in this pool; if `pool` is `nil`, in the pools that assign automatically.
    case exhausted(IPFamily, pool: String?)
    /// There are no addresses of the family in this pool; if `pool` is `nil`, in the pools that assign automatically.
    case noAddresses(IPFamily, pool: String?)
    /// It has neither `spec.ipFamilies` nor cluster IPs, so its families are unknown.
    case noFamilies
    /// Its `status` has a hostname, or only addresses that are in no pool, and nothing marks the service as ours.
    case foreign

    /// The reason of the Event, for programs.
    public var reason: String {
        switch self {
        case .foreign: "AddressNotOurs"
        case .exhausted: "NoAddressLeft"
        case .inUse: "AddressInUse"
        default: "NoAddress"
        }
    }

    /// Whether an administrator should act.
    public var isWarning: Bool { self != .foreign }

    /// The message, with a remedy if there is one. Texts of the service and the list of pools are cut, so that the message
    /// stays readable.
    public var description: String {
        switch self {
        case .unknownPool(let name, let known):
            "there is no address pool \"\(name.prefix(63))\" (\(PoolAnnotation.pool) must name one of "
                + "\(known.prefix(20).joined(separator: ", ")))"
        case .notAnAddress(let text):
            "\"\(text.prefix(60))\" is not an address (\(PoolAnnotation.addresses) takes addresses separated by commas)"
        case .conflictingRequests:
            "both \(PoolAnnotation.addresses) and spec.loadBalancerIP request addresses: remove one"
        case .otherFamily(let address):
            "\(address) is not of an address family of the service (see its spec.ipFamilies)"
        case .twoOfAFamily(let family): "a service can have one \(family.rawValue) address, but two are requested"
        case .inNoPool(let address): "\(address) is not in any address pool"
        case .inOtherPool(let address, let pool): "\(address) is not in the address pool \"\(pool.prefix(63))\""
        case .inUse(let address, let other):
            "\(address) is in use by \(other); services share an address where both have the same "
                + "\(PoolAnnotation.sharing), other ports, and traffic to all nodes or to the same pods"
        case .exhausted(let family, let pool):
            "no \(family.rawValue) address is left in \(Self.words(pool)): add addresses, or delete a service"
        case .noAddresses(let family, let pool): "there are no \(family.rawValue) addresses in \(Self.words(pool))"
        case .noFamilies: "the service has neither spec.ipFamilies nor cluster IPs"
        case .foreign:
            "its status has a hostname, or only addresses outside of all address pools, which seem to be another controller's, so it is left unchanged "
                + "(with the spec.loadBalancerClass of the pools or the annotation \(PoolAnnotation.pool) it is replaced)"
        }
    }

    private static func words(_ pool: String?) -> String {
        pool.map { "the address pool \"\($0.prefix(63))\"" } ?? "the pools that assign automatically"
    }
}

/// The annotations of services that concern pools.
enum PoolAnnotation {
    /// The name of the pool to assign addresses from.
    static let pool = "kubermesh.io/pool"
    /// The requested addresses, separated by commas.
    static let addresses = "kubermesh.io/addresses"
    /// Services with the same value may share an address.
    static let sharing = "kubermesh.io/allow-shared-address"
}
