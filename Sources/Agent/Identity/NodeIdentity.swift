internal import Addressing
internal import MeshConfiguration

/// Who this node is in the mesh: found out once at the start, from the configuration and the hardware.
struct NodeIdentity: Hashable, Sendable {
    /// The name told to the others.
    var name: String
    /// The router ID.
    var routerID: RouterID
    /// Whether the router ID was derived, so that it may be changed when another router turns out to have it.
    var routerIDIsDerived: Bool
    /// What the router ID is without a change of it: what is kept on disk counts only for the same.
    var derivedRouterID: RouterID
    /// The node's own address, announced as a /128 and put on `lo`.
    var address: IPv6Address
    /// The prefixes of its pods.
    var podPrefixes: [IPv6Prefix]
    /// Tells this machine from another with the same router ID: 32 octets (RFC 7503 §7.2.2).
    var hardwareFingerprint: [UInt8]

    /// Finds out who this is. `nil` while there is no port to take a hardware address from and the configuration does not
    /// say instead.
    init?(
        configuration: Configuration, hostName: String, ports: some Sequence<AddressPlan.Port>, nonce: UInt64,
        savedRouterID: (RouterID) -> RouterID?
    ) {
        let ports = Array(ports)
        let mac = AddressPlan.nodeMAC(among: ports)
        name = configuration.node.name ?? hostName
        if let prefix = configuration.addressing.prefix {
            address = prefix.address
            podPrefixes =
                configuration.addressing.podPrefixes ?? mac.map { [configuration.addressing.plan.podPrefix(for: $0)] }
                ?? []
        } else if let mac {
            address = configuration.addressing.plan.nodeAddress(for: mac)
            podPrefixes = configuration.addressing.podPrefixes ?? [configuration.addressing.plan.podPrefix(for: mac)]
        } else {
            return nil
        }
        if let given = configuration.node.routerID {
            (routerID, derivedRouterID, routerIDIsDerived) = (given, given, false)
        } else if let mac {
            derivedRouterID = Self.routerID(for: mac)
            routerID = savedRouterID(derivedRouterID) ?? derivedRouterID
            routerIDIsDerived = true
        } else {
            return nil
        }
        hardwareFingerprint = Self.fingerprint(of: ports.map(\.mac), nonce: nonce)
    }

    /// A router ID that depends on nothing but the hardware address: never 0.0.0.0 or 255.255.255.255. Addresses that
    /// differ give different numbers nearly always; the mesh finds out when they do not (RFC 7503 §7).
    static func routerID(for mac: MACAddress) -> RouterID {
        var candidate = mixed(mac.rawValue)
        while true {
            let id = UInt32(truncatingIfNeeded: candidate >> 32)
            if id != 0, id != .max { return RouterID(id) }
            candidate = mixed(candidate)
        }
    }

    /// 32 octets from the hardware addresses of all ports and a number of this machine's own.
    static func fingerprint(of macs: [MACAddress], nonce: UInt64) -> [UInt8] {
        var state = nonce
        for mac in macs.sorted() { state = mixed(state ^ mac.rawValue) }
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
