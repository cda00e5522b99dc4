public import Addressing

/// All addresses and indexes of a lab. They follow from the topology alone, so every run has the same.
public struct AddressBook: Sendable {
    /// The prefix that contains all nodes' own prefixes: the part of the documentation prefix that the lab uses. 71 bits are
    /// the most that the address plan accepts (`AddressPlan`): a hardware address and nine more bits follow.
    public static let base = IPv6Prefix(IPv6Address("2001:db8::")!, length: 71)

    /// One end of a link.
    public struct Port: Hashable, Sendable {
        /// The name of its node.
        public var node: String
        /// The name of the network device.
        public var name: String
        /// The index of the network device. It is unique in a lab, because carrier events can be a second late if both ends
        /// of a veth pair have the same index.
        public var index: Int
        /// Its hardware address.
        public var mac: MACAddress

        /// The link-local address that the kernel derives from the hardware address (RFC 4291, appendix A).
        public var linkLocalAddress: IPv6Address {
            let raw = mac.rawValue ^ 0x02_00_00_00_00_00
            return IPv6Address(high: 0xfe80 << 48, low: (raw >> 24) << 40 | 0xfffe << 24 | raw & 0xff_ffff)
        }
    }

    /// The ports of each link, in the order of the topology.
    public let ports: [(first: Port, second: Port)]
    /// The index of each node in the topology, by its name.
    private let positions: [String: Int]

    /// Assigns the addresses of a topology that ``Topology/validate()`` accepts.
    public init(_ topology: Topology) {
        let positions = Dictionary(uniqueKeysWithValues: topology.nodes.enumerated().map { ($1.name, $0) })
        var used: [String: Int] = [:]
        func port(_ node: String, index: Int) -> Port {
            let number = used[node, default: 0]
            used[node] = number + 1
            return Port(
                node: node, name: "cluster\(number)", index: index,
                mac: Self.mac(position: positions[node, default: 0], port: number))
        }
        // The indexes below 100 are for `lo` and for the node's other devices.
        ports = topology.links.enumerated().map { number, link in
            (port(link.first, index: 100 + 2 * number), port(link.second, index: 101 + 2 * number))
        }
        self.positions = positions
    }

    /// A locally administered address with a readable address plan: the node's number becomes a group of its own in the
    /// node's IPv6 address, because the plan shifts the hardware address left by nine bits. The port's number has the lowest
    /// seven bits.
    static func mac(position: Int, port: Int) -> MACAddress {
        MACAddress(rawValue: 0x02_00_00_00_00_00 | UInt64(position + 1) << 7 | UInt64(port))
    }

    /// All ports of a node, in the order of its links.
    public func ports(of node: String) -> [Port] {
        ports.flatMap { [$0.first, $0.second] }.filter { $0.node == node }
    }

    /// The /128 that the address plan gives the node.
    public func address(of node: String) -> IPv6Address { plan.nodeAddress(for: lowestMAC(of: node)) }

    /// The /120 that the address plan gives the node's pods.
    public func podPrefix(of node: String) -> IPv6Prefix { plan.podPrefix(for: lowestMAC(of: node)) }

    /// A router ID for a node whose router cannot derive one itself.
    public func routerID(of node: String) -> String {
        let number = positions[node, default: 0] + 1
        return "10.0.\(number >> 8).\(number & 255)"
    }

    private var plan: AddressPlan { AddressPlan(base: Self.base)! }

    private func lowestMAC(of node: String) -> MACAddress { Self.mac(position: positions[node, default: 0], port: 0) }
}
