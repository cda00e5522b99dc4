public import Addressing
public import MeshConfiguration

/// Who this node is in the mesh: from the configuration and from the hardware as it was at the node's first start.
public struct NodeIdentity: Hashable, Sendable {
    /// The name told to the others.
    public var name: String
    /// The router ID.
    public var routerID: RouterID
    /// Whether the router ID was derived, so that it may be changed when another router turns out to have it.
    public var routerIDIsDerived: Bool
    /// The node's own address, announced as a /128 and put on `lo`.
    public var address: IPv6Address
    /// The prefixes of its pods.
    public var podPrefixes: [IPv6Prefix]
    /// Tells this machine from another with the same router ID: 32 octets (RFC 7503 §7.2.2).
    public var hardwareFingerprint: [UInt8]
    /// What is to be remembered; `nil` where the configuration says everything and there is no hardware address.
    public var saved: SavedIdentity?

    /// What the hardware says of this machine at a start.
    public struct Hardware: Hashable, Sendable {
        /// The ports that may name the node, used or not.
        public var ports: [AddressPlan.Port]
        /// What names the machine itself, as a number; `nil` where nothing does.
        public var machine: UInt64?
        /// A random number, for a node that starts for the first time.
        public var nonce: UInt64

        /// Describes a machine.
        public init(ports: [AddressPlan.Port], machine: UInt64? = nil, nonce: UInt64) {
            self.ports = ports
            self.machine = machine
            self.nonce = nonce
        }
    }

    /// Finds out who this is: as remembered, else from the hardware. `nil` while nothing is remembered, there is no port to
    /// take a hardware address from, and the configuration does not say instead.
    public init?(configuration: Configuration, hostName: String, hardware: Hardware, saved: SavedIdentity?) {
        let isSameMachine = saved?.machine == nil || hardware.machine == nil || saved?.machine == hardware.machine
        var identity = isSameMachine ? saved : nil
        if identity == nil, let mac = AddressPlan.nodeMAC(among: hardware.ports) {
            identity = SavedIdentity(mac: mac, nonce: hardware.nonce, machine: hardware.machine)
        }
        let plan = configuration.addressing.plan
        name = configuration.node.name ?? hostName
        podPrefixes =
            configuration.addressing.podPrefixes ?? identity.map { [plan.podPrefix(for: $0.mac)] } ?? []
        if let prefix = configuration.addressing.prefix {
            address = prefix.address
        } else if let identity {
            address = plan.nodeAddress(for: identity.mac)
        } else {
            return nil
        }
        if let given = configuration.node.routerID {
            (routerID, routerIDIsDerived) = (given, false)
        } else if let identity {
            (routerID, routerIDIsDerived) = (identity.routerID ?? Self.routerID(for: identity.mac), true)
        } else {
            return nil
        }
        hardwareFingerprint = Self.fingerprint(
            nonce: identity?.nonce ?? hardware.nonce, machine: identity?.machine ?? hardware.machine)
        self.saved = identity
    }

    /// Where this node begins to look for a free range: the same at every start.
    static func seed(of identity: NodeIdentity) -> UInt32 {
        identity.saved.map { routerID(for: $0.mac).rawValue } ?? identity.routerID.rawValue
    }

    /// A router ID that depends on nothing but the hardware address: never 0.0.0.0 or 255.255.255.255. Addresses that
    /// differ give different numbers nearly always; the mesh finds out when they do not (RFC 7503 §7).
    public static func routerID(for mac: MACAddress) -> RouterID {
        var candidate = mixed(mac.rawValue)
        while true {
            let id = UInt32(truncatingIfNeeded: candidate >> 32)
            if id != 0, id != .max { return RouterID(id) }
            candidate = mixed(candidate)
        }
    }

    /// 32 octets that are the same at every start of this node, whatever ports come and go: from a number made at the first
    /// start, and from what names the machine.
    static func fingerprint(nonce: UInt64, machine: UInt64?) -> [UInt8] {
        var state = mixed(nonce ^ mixed(machine ?? 0))
        return (0..<4).flatMap { _ in
            state = mixed(state)
            return (0..<8).map { UInt8(truncatingIfNeeded: state >> UInt64(56 - 8 * $0)) }
        }
    }

    /// Spreads every bit over all others: two rounds of multiplication by odd constants and shifts.
    private static func mixed(_ value: UInt64) -> UInt64 {
        var value = value &+ 0x9e37_79b9_7f4a_7c15
        value = (value ^ value >> 32) &* 0xd6e8_feb8_6659_fd93
        value = (value ^ value >> 29) &* 0xa076_1d64_78bd_642f
        return value ^ value >> 32
    }
}
