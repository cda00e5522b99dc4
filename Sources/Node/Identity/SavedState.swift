public import Addressing

/// What a node remembers over restarts. All of it may be lost: then the node finds out again what it knew.
public struct SavedState: Hashable, Sendable {
    /// Who the node is; kept over restarts of the machine. `nil` at the first start.
    public var identity: SavedIdentity?
    /// The IPv4 ranges it took, by purpose; kept over restarts of the machine.
    public var ranges: [String: IPv4Prefix] = [:]
    /// Whether an operator drained it; forgotten when the machine restarts.
    public var isDrained = false

    /// A node that remembers nothing.
    public init() {}
}

/// Who a node was when it first started, whatever ports have come and gone since.
public struct SavedIdentity: Hashable, Sendable {
    /// The hardware address that its prefix and its router ID follow from.
    public var mac: MACAddress
    /// The router ID in use instead of the one derived from ``mac``, because another router had that; `nil` if none was.
    public var routerID: RouterID?
    /// A random number, made at the first start, that tells this node from another with the same hardware address.
    public var nonce: UInt64
    /// What names the machine itself, such as its mainboard's UUID, as a number; `nil` where nothing does. A disk that was
    /// copied into another machine does not make that machine the same node.
    public var machine: UInt64?

    /// Makes an identity.
    public init(mac: MACAddress, routerID: RouterID? = nil, nonce: UInt64, machine: UInt64? = nil) {
        self.mac = mac
        self.routerID = routerID
        self.nonce = nonce
        self.machine = machine
    }
}

/// One thing to remember.
public enum StateChange: Hashable, Sendable {
    /// Who the node is.
    case identity(SavedIdentity)
    /// The IPv4 range it has taken for a purpose.
    case range(IPv4Prefix, purpose: String)
    /// Whether an operator drained it.
    case drained(Bool)
}
