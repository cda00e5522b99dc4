/// Derives a node's addresses from a base prefix and its own hardware address alone, so that no server is needed. The node's
/// /119 (512 addresses) is `base | MAC << 9`. Its lower /120 is for the host itself, its upper /120 for the pods.
public struct AddressPlan: Hashable, Sendable {
    /// The prefix that all nodes share, at most 71 bits long: the last 57 bits of an address are the 48 of the hardware address
    /// and 9 within the /119.
    public let base: IPv6Prefix

    /// Makes a plan. `nil` if the base is longer than /71 and leaves no room for the hardware address.
    public init?(base: IPv6Prefix) {
        guard base.length <= 71 else { return nil }
        self.base = base
    }

    /// The node's /119.
    public func nodePrefix(for mac: MACAddress) -> IPv6Prefix {
        IPv6Prefix(IPv6Address(high: base.address.high, low: base.address.low | mac.rawValue << 9), length: 119)
    }

    /// The lower /120 of the node's /119: the host's own addresses.
    public func hostPrefix(for mac: MACAddress) -> IPv6Prefix {
        IPv6Prefix(nodePrefix(for: mac).address, length: 120)
    }

    /// The upper /120 of the node's /119: the addresses of its pods.
    public func podPrefix(for mac: MACAddress) -> IPv6Prefix {
        let address = nodePrefix(for: mac).address
        return IPv6Prefix(IPv6Address(high: address.high, low: address.low | 0x100), length: 120)
    }

    /// The node's own address, the first of its host range; announced as a /128.
    public func nodeAddress(for mac: MACAddress) -> IPv6Address { nodePrefix(for: mac).address }

    /// The /126 of cabled port `port` (0–3), for a link that needs global addresses; OSPF uses link-local ones. The four
    /// prefixes begin at `::10`, `::14`, `::18` and `::1c` of the host range.
    public func portPrefix(for mac: MACAddress, port: Int) -> IPv6Prefix {
        precondition((0..<4).contains(port))
        let address = nodePrefix(for: mac).address
        return IPv6Prefix(IPv6Address(high: address.high, low: address.low | UInt64(0x10 + 4 * port)), length: 126)
    }

    /// The properties of a port that the plan uses.
    public struct Port: Hashable, Sendable {
        /// The port's permanent hardware address if the kernel knows it, else the current one.
        public var mac: MACAddress
        /// Whether a real device is behind the port, rather than a veth, a bridge or the like.
        public var isPhysical: Bool

        public init(mac: MACAddress, isPhysical: Bool) {
            self.mac = mac
            self.isPhysical = isPhysical
        }
    }

    /// The hardware address from which a node derives its addresses and router ID: that of a physical port before others,
    /// then a universally administered one before a locally administered one, then the lowest. Virtual ports and local
    /// addresses come last because they may differ at the next start. `nil` if no port has a usable address.
    public static func nodeMAC(among ports: some Sequence<Port>) -> MACAddress? {
        ports.filter(\.mac.isUsable).min { left, right in
            if left.isPhysical != right.isPhysical { return left.isPhysical }
            if left.mac.isLocallyAdministered != right.mac.isLocallyAdministered {
                return right.mac.isLocallyAdministered
            }
            return left.mac < right.mac
        }?.mac
    }
}
