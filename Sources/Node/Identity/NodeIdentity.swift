public import Addressing
public import MeshConfiguration

/// The identity of this node in the mesh, from the configuration and from the hardware at the node's first start.
public struct NodeIdentity: Hashable, Sendable {
    /// The name, as announced.
    public var name: String
    public var routerID: RouterID
    /// Whether the router ID was derived, so that it may be changed if another router has it.
    public var routerIDIsDerived: Bool
    /// The node's own IPv6 address, a /128 on `lo`.
    public var address: IPv6Address
    /// The pod prefixes of the configuration, else that of the address plan, which needs a hardware address.
    /// ``MeshNode/podRanges`` are those in use.
    public var podPrefixes: [IPv6Prefix]
    /// Distinguishes this machine from another one with the same router ID: 32 octets (RFC 7503 §7.2.2).
    public var hardwareFingerprint: [UInt8]
    /// The identity to save; `nil` if none was saved on this machine and there is no hardware address: then the configuration
    /// has both the router ID and the address.
    public var saved: SavedIdentity?

    /// The hardware at a start.
    public struct Hardware: Hashable, Sendable {
        /// The ports that the identity may be derived from, used or not.
        public var ports: [AddressPlan.Port]
        /// A number that identifies the machine; `nil` if nothing does.
        public var machine: UInt64?
        /// A random number for the first start.
        public var nonce: UInt64

        public init(ports: [AddressPlan.Port], machine: UInt64? = nil, nonce: UInt64) {
            self.ports = ports
            self.machine = machine
            self.nonce = nonce
        }
    }

    /// Determines the identity: the one saved on this machine, else one derived from the hardware. `nil` if there is neither,
    /// and the configuration does not have both the router ID and the address.
    public init?(configuration: Configuration, hostName: String, hardware: Hardware, saved: SavedIdentity?) {
        // What identifies the machine is optional on both sides; unknown counts as the same.
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
        // Without a hardware address nothing is saved, and each start has another fingerprint.
        hardwareFingerprint = Self.fingerprint(
            nonce: identity?.nonce ?? hardware.nonce, machine: identity?.machine ?? hardware.machine)
        self.saved = identity
    }

    /// Where the search for a free range starts: the same at every start, so from the hardware address if there is one,
    /// because a derived router ID may change.
    static func seed(of identity: NodeIdentity) -> UInt32 {
        identity.saved.map { routerID(for: $0.mac).rawValue } ?? identity.routerID.rawValue
    }

    /// The router ID for a hardware address, never 0.0.0.0 or 255.255.255.255. Two addresses may give the same ID, which is
    /// very rare; the mesh detects it (RFC 7503 §7).
    public static func routerID(for mac: MACAddress) -> RouterID {
        var candidate = mixed(mac.rawValue)
        while true {
            let id = UInt32(truncatingIfNeeded: candidate >> 32)
            if id != 0, id != .max { return RouterID(id) }
            candidate = mixed(candidate)
        }
    }

    /// 32 octets from a random number and from what identifies the machine. With those of the saved identity, they are the
    /// same at every start, whatever ports the node has.
    static func fingerprint(nonce: UInt64, machine: UInt64?) -> [UInt8] {
        var state = mixed(nonce ^ mixed(machine ?? 0))
        return (0..<4).flatMap { _ in
            state = mixed(state)
            return (0..<8).map { UInt8(truncatingIfNeeded: state >> UInt64(56 - 8 * $0)) }
        }
    }

    /// A hash of which every bit depends on every bit of `value`: two rounds of shifts and multiplications. The odd constants
    /// are arbitrary, but must stay: router IDs and fingerprints follow from them at every start.
    private static func mixed(_ value: UInt64) -> UInt64 {
        var value = value &+ 0x9e37_79b9_7f4a_7c15
        value = (value ^ value >> 32) &* 0xd6e8_feb8_6659_fd93
        value = (value ^ value >> 29) &* 0xa076_1d64_78bd_642f
        return value ^ value >> 32
    }
}
