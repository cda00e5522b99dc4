public import Addressing

/// The state of a node that survives restarts. If it is lost, the node determines its identity and ranges again. What must not
/// survive a reboot is kept beside the control socket (in `/run`), the rest in `node.state`.
public struct SavedState: Hashable, Sendable {
    /// The identity; survives reboots. `nil` if none is saved, as at the first start.
    public var identity: SavedIdentity?
    /// The self-assigned IPv4 ranges, by purpose; survive reboots.
    public var ranges: [String: IPv4Prefix] = [:]
    /// The end of the sequence numbers of authentication that were reserved; survives reboots. 0 if none were.
    public var authenticationSequence: UInt64 = 0
    /// Whether an operator drained the node; lost on reboot.
    public var isDrained = false
    /// Where the last run kept its routes; lost on reboot. `nil` if that is not known.
    public var kernel: SavedKernel?

    public init() {}
}

/// The identity of a node at its first start. It stays the same whatever ports are added or removed.
public struct SavedIdentity: Hashable, Sendable {
    /// The hardware address that its prefix and its router ID are derived from.
    public var mac: MACAddress
    /// The router ID that replaces the derived one, because another router had the same; `nil` without a replacement.
    public var routerID: RouterID?
    /// A random number from the first start. It distinguishes this node from another one with the same hardware address.
    public var nonce: UInt64
    /// A number that identifies the machine, from its SMBIOS UUID; `nil` if nothing does. A machine with a copy of the disk is
    /// another node.
    public var machine: UInt64?

    public init(mac: MACAddress, routerID: RouterID? = nil, nonce: UInt64, machine: UInt64? = nil) {
        self.mac = mac
        self.routerID = routerID
        self.nonce = nonce
        self.machine = machine
    }
}

/// How the routes of a run are found in the kernel.
public struct SavedKernel: Hashable, Sendable {
    /// The protocol number of its routes, next hops and addresses.
    public var routeProtocol: UInt8
    /// The routing table.
    public var table: UInt32

    public init(routeProtocol: UInt8, table: UInt32) {
        self.routeProtocol = routeProtocol
        self.table = table
    }
}

/// A change of the saved state.
public enum StateChange: Hashable, Sendable {
    /// The identity.
    case identity(SavedIdentity)
    /// The self-assigned IPv4 range for a purpose.
    case range(IPv4Prefix, purpose: String)
    /// Sequence numbers of authentication below this one are reserved.
    case authenticationSequence(UInt64)
    /// Whether an operator drained the node.
    case drained(Bool)
    /// Where this run keeps its routes.
    case kernel(SavedKernel)

    /// A part of the state that is saved by itself.
    enum Part: Hashable, Comparable {
        case identity
        case range(purpose: String)
        case authenticationSequence
        case drained
        case kernel
    }

    /// The part that changes.
    var part: Part {
        switch self {
        case .identity: .identity
        case .range(_, let purpose): .range(purpose: purpose)
        case .authenticationSequence: .authenticationSequence
        case .drained: .drained
        case .kernel: .kernel
        }
    }
}

extension SavedState {
    /// The change that saves the current value of a part; `nil` if it has none.
    func change(of part: StateChange.Part) -> StateChange? {
        switch part {
        case .identity: identity.map { .identity($0) }
        case .range(let purpose): ranges[purpose].map { .range($0, purpose: purpose) }
        case .authenticationSequence: .authenticationSequence(authenticationSequence)
        case .drained: .drained(isDrained)
        case .kernel: kernel.map { .kernel($0) }
        }
    }
}
