internal import Addressing
internal import Links
internal import MeshConfiguration
internal import Netlink
internal import OSPF

/// The ports of this node that a rule is about, and whether the router can use them. A value: what the kernel says goes
/// in, what the router must be told comes out.
struct InterfaceTable: Sendable {
    /// One port.
    struct Port: Hashable, Sendable {
        /// What the kernel says of it.
        var link: Link
        /// The rule it goes by.
        var rule: InterfaceRule
        /// Its usable global prefixes.
        var prefixes: [IPv6Prefix]
        /// Whether the router has it.
        var state: State

        enum State: Hashable, Sendable {
            /// The router has it, so.
            case up(InterfaceConfiguration)
            /// It cannot be used, because of this.
            case down(String)
        }
    }

    /// What the router must be told, in order.
    enum Change: Hashable, Sendable {
        /// The port can be used.
        case up(InterfaceConfiguration)
        /// The port is used in another way than before.
        case changed(InterfaceConfiguration)
        /// The port cannot be used any more.
        case down(index: UInt32, name: String, reason: String)
    }

    /// The ports by the kernel's index.
    private(set) var ports: [UInt32: Port] = [:]

    /// The least MTU that IPv6 takes (RFC 8200 §5).
    private static let leastMTU = 1280
    /// The longest packet that an IPv6 header without extensions can describe, and more than any real link takes.
    private static let greatestMTU = 65535

    /// The ports by which other routers are reached, by index: neither passive ones nor those left alone.
    var activePorts: Set<UInt32> {
        Set(ports.filter { if case .active = $0.value.rule.role { true } else { false } }.keys)
    }

    /// The prefixes to announce because passive ports have them, with the cost of the port.
    var passivePrefixes: [AdvertisedPrefix] {
        ports.values.filter { $0.rule.role == .passive && $0.link.isUsable }.sorted { $0.link.index < $1.link.index }
            .flatMap { port in port.prefixes.map { AdvertisedPrefix(prefix: $0, metric: port.rule.cost) } }
    }

    /// Looks at one link again.
    mutating func update(
        _ link: Link, addresses: some Sequence<InterfaceAddress>, configuration: Configuration
    ) -> Change? {
        guard let rule = configuration.rule(for: InterfaceRule.Port(link)) else {
            return remove(link.index, reason: "no rule is about it any more")
        }
        let own = addresses.filter { $0.interface == link.index && $0.isUsable }
        let previous = ports[link.index]
        let state = Self.state(of: link, rule, own, current: previous?.routerAddress)
        let prefixes = Set(
            own.filter { !$0.address.isLinkLocal }.map { IPv6Prefix($0.address, length: $0.prefixLength) })
        ports[link.index] = Port(link: link, rule: rule, prefixes: prefixes.sorted(), state: state)
        switch (previous?.state, state) {
        case (.up(let before)?, .up(let configuration)): return before == configuration ? nil : .changed(configuration)
        case (_, .up(let configuration)): return .up(configuration)
        case (.up?, .down(let reason)): return .down(index: link.index, name: link.name, reason: reason)
        default: return nil
        }
    }

    /// A link is gone, or none of our business any more.
    mutating func remove(_ index: UInt32, reason: String = "it is gone") -> Change? {
        guard let port = ports.removeValue(forKey: index), case .up = port.state else { return nil }
        return .down(index: index, name: port.link.name, reason: reason)
    }

    private static func state(
        of link: Link, _ rule: InterfaceRule, _ addresses: [InterfaceAddress], current: IPv6Address?
    ) -> Port.State {
        guard link.isUp else { return .down("it is not up; ip link set \(link.name) up") }
        guard link.hasCarrier else { return .down("no carrier") }
        guard link.mtu >= leastMTU else { return .down("its MTU \(link.mtu) is below the \(leastMTU) of IPv6") }
        let linkLocal = addresses.map(\.address).filter(\.isLinkLocal)
        // The one in use stays in use while it is there, so that a second one disturbs no adjacency.
        guard let address = linkLocal.first(where: { $0 == current }) ?? linkLocal.min() else {
            return .down("no usable link-local address (yet); is IPv6 disabled on it?")
        }
        var configuration = InterfaceConfiguration(
            index: link.index, name: link.name, mtu: min(link.mtu, greatestMTU), linkLocalAddress: address,
            cost: rule.cost, helloInterval: rule.hello, deadInterval: rule.dead, retransmitInterval: rule.retransmit,
            priority: rule.priority)
        switch rule.role {
        case .active(let kind): configuration.kind = kind
        case .passive, .ignored: configuration.isPassive = true
        }
        return .up(configuration)
    }
}

extension InterfaceTable.Port {
    /// The link-local address the router uses.
    fileprivate var routerAddress: IPv6Address? {
        if case .up(let configuration) = state { configuration.linkLocalAddress } else { nil }
    }
}

extension InterfaceRule.Port {
    /// A link as rules look at it.
    init(_ link: Link) {
        self.init(
            name: link.name, kind: link.kind,
            isEthernet: link.macAddress != nil && !link.isLoopback && link.isMulticastCapable,
            hasMaster: link.master != nil, isPeerElsewhere: link.linkNamespaceID != nil)
    }
}
