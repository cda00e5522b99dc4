public import Addressing
public import Links
public import MeshConfiguration
public import OSPF

/// The ports of this node that a rule is about, and whether the router can use them. A value: what the kernel says goes
/// in, what the router must be told comes out.
public struct InterfaceTable: Sendable {
    /// One port.
    public struct Port: Hashable, Sendable {
        /// What the kernel says of it.
        public var link: Link
        /// The rule it goes by.
        public var rule: InterfaceRule
        /// Its usable global prefixes.
        public var prefixes: [IPv6Prefix]
        /// Whether the router has it.
        public var state: State

        /// Whether the router has a port.
        public enum State: Hashable, Sendable {
            /// The router has it, so.
            case up(InterfaceConfiguration)
            /// It cannot be used, because of this.
            case down(String)
        }
    }

    /// What the router must be told, in order.
    public enum Change: Hashable, Sendable {
        /// The port can be used.
        case up(InterfaceConfiguration)
        /// The port is used in another way than before.
        case changed(InterfaceConfiguration, from: InterfaceConfiguration)
        /// The port cannot be used any more.
        case down(index: UInt32, name: String, reason: String)
    }

    /// The ports by the kernel's index.
    public private(set) var ports: [UInt32: Port] = [:]

    /// Makes an empty table.
    public init() {}

    /// The least MTU that IPv6 takes (RFC 8200 §5).
    private static let leastMTU = 1280
    /// The longest packet that an IPv6 header without extensions can describe, and more than any real link takes.
    private static let greatestMTU = 65535

    /// The ports by which other routers are reached, by index: neither passive ones nor those left alone.
    public var activePorts: Set<UInt32> {
        Set(ports.filter { if case .active = $0.value.rule.role { true } else { false } }.keys)
    }

    /// The prefixes to announce because passive ports have them, with the cost of the port.
    public var passivePrefixes: [AdvertisedPrefix] {
        ports.values.filter { $0.rule.role == .passive && $0.link.isUsable }.sorted { $0.link.index < $1.link.index }
            .flatMap { port in port.prefixes.map { AdvertisedPrefix(prefix: $0, metric: port.rule.cost) } }
    }

    /// Ports that are not used, and why.
    public private(set) var unused: [UInt32: Unused] = [:]

    /// A port that is not used.
    public struct Unused: Hashable, Sendable {
        /// What the kernel says of it.
        public var link: Link
        /// Why it is not used.
        public var reason: Reason

        /// Why a port is not used.
        public enum Reason: Hashable, Sendable {
            /// No rule of the configuration matches it.
            case noRule
            /// A rule says to leave it alone.
            case ignored
            /// It belongs to a bridge, a bond or the like.
            case hasMaster
            /// It was in use, and is gone from the machine.
            case gone
            /// It looks like a port of a LAN that is not the mesh's, and no rule names it.
            case foreignNetwork(Sign)
        }

        /// What shows that a port leads to another network.
        public enum Sign: Hashable, Sendable {
            /// A default route leads out of it.
            case defaultRoute
            /// A router advertises itself there.
            case routerAdvertisement
            /// The machine has an address there that is not of the mesh's address plan.
            case address(IPv6Address, prefixLength: Int)
        }
    }

    /// What is known of the networks that ports lead to, beside their addresses.
    public struct Surroundings: Hashable, Sendable {
        /// Default routes of somebody else's.
        private var routes: Set<DefaultRoute> = []
        /// Ports that such a route leads out of.
        var defaultRoutes: Set<UInt32> { Set(routes.map(\.interface)) }
        /// Ports on which a router advertises itself.
        public var advertisedRouters: Set<UInt32> = []

        /// Nothing is known.
        public init() {}

        /// There is a default route of somebody else's.
        public mutating func add(_ route: DefaultRoute) { routes.insert(route) }

        /// There is none of this kind any more.
        public mutating func remove(_ route: DefaultRoute) { routes.remove(route) }

        /// A port is gone.
        mutating func removed(_ interface: UInt32) {
            routes = routes.filter { $0.interface != interface }
            advertisedRouters.remove(interface)
        }
    }

    /// Looks at one link again.
    public mutating func update(
        _ link: Link, addresses: some Sequence<InterfaceAddress>, configuration: Configuration,
        surroundings: Surroundings = Surroundings()
    ) -> Change? {
        let all = addresses.filter { $0.interface == link.index }
        let own = all.filter(\.isUsable)
        let rule: InterfaceRule
        switch Self.decide(link, own, configuration, surroundings) {
        case .failure(let refusal):
            unused[link.index] = link.isLoopback ? nil : Unused(link: link, reason: refusal.reason)
            return drop(link.index, reason: refusal.reason.text(of: link.name))
        case .success(let found): rule = found
        }
        unused = unused.filter {
            $0.key != link.index && !($0.value.reason == .gone && $0.value.link.name == link.name)
        }
        let previous = ports[link.index]
        let state = Self.state(
            of: link, rule, own, unusable: all.filter { !$0.isUsable }, current: previous?.routerAddress)
        let prefixes = Set(
            own.filter { !$0.address.isLinkLocal }.map { IPv6Prefix($0.address, length: $0.prefixLength) })
        ports[link.index] = Port(link: link, rule: rule, prefixes: prefixes.sorted(), state: state)
        switch (previous?.state, state) {
        case (.up(let before)?, .up(let configuration)):
            return before == configuration ? nil : .changed(configuration, from: before)
        case (_, .up(let configuration)): return .up(configuration)
        case (.up?, .down(let reason)): return .down(index: link.index, name: link.name, reason: reason)
        default: return nil
        }
    }

    private struct Refusal: Error { var reason: Unused.Reason }

    /// The rule a port is used by, or why it is not used.
    private static func decide(
        _ link: Link, _ addresses: [InterfaceAddress], _ configuration: Configuration, _ surroundings: Surroundings
    ) -> Result<InterfaceRule, Refusal> {
        if link.master != nil { return .failure(Refusal(reason: .hasMaster)) }
        let port = InterfaceRule.Port(link)
        guard let rule = configuration.interfaces.first(where: { $0.matches(port) }) else {
            return .failure(Refusal(reason: .noRule))
        }
        if rule.role == .ignored { return .failure(Refusal(reason: .ignored)) }
        // Whoever names a port knows what is behind it.
        guard rule.pattern == .everyCabledPort, case .active = rule.role else { return .success(rule) }
        if let sign = foreignSign(link, addresses, configuration, surroundings) {
            return .failure(Refusal(reason: .foreignNetwork(sign)))
        }
        return .success(rule)
    }

    private static func foreignSign(
        _ link: Link, _ addresses: [InterfaceAddress], _ configuration: Configuration, _ surroundings: Surroundings
    ) -> Unused.Sign? {
        if surroundings.defaultRoutes.contains(link.index) { return .defaultRoute }
        if surroundings.advertisedRouters.contains(link.index) { return .routerAdvertisement }
        let plan = configuration.addressing.plan.base
        let foreign = addresses.filter { address in
            guard address.address.isRoutable, address.prefixLength < 128, !plan.contains(address.address),
                address.origin != configuration.kernel.routeProtocol
            else { return false }
            return configuration.addressing.prefix?.contains(address.address) != true
        }.min { $0.address < $1.address }
        return foreign.map { .address($0.address, prefixLength: $0.prefixLength) }
    }

    /// Ports that are gone and remembered at most.
    private static let mostGone = 64

    /// A link is gone. That a port in use was there is remembered until one of its name comes.
    public mutating func remove(_ index: UInt32) -> Change? {
        unused[index] = nil
        let port = ports[index]
        let change = drop(index, reason: "the port is gone (removed)")
        if let port, unused.values.count(where: { $0.reason == .gone }) < Self.mostGone {
            var link = port.link
            link.isUp = false
            link.hasCarrier = false
            unused[index] = Unused(link: link, reason: .gone)
        }
        return change
    }

    /// Names of ports that were in use and are gone, in order.
    public var gone: [String] { unused.values.filter { $0.reason == .gone }.map(\.link.name).sorted() }

    private mutating func drop(_ index: UInt32, reason: String) -> Change? {
        guard let port = ports.removeValue(forKey: index), case .up = port.state else { return nil }
        return .down(index: index, name: port.link.name, reason: reason)
    }

    private static func state(
        of link: Link, _ rule: InterfaceRule, _ addresses: [InterfaceAddress], unusable: [InterfaceAddress],
        current: IPv6Address?
    ) -> Port.State {
        guard link.isUp else { return .down("the link is down; set it up with: ip link set \(link.name) up") }
        guard link.hasCarrier else { return .down("no carrier") }
        guard link.mtu >= leastMTU else { return .down("its MTU \(link.mtu) is too small: IPv6 needs \(leastMTU)") }
        let linkLocal = addresses.map(\.address).filter(\.isLinkLocal)
        // The one in use stays in use while it is there, so that a second one disturbs no adjacency.
        guard let address = linkLocal.first(where: { $0 == current }) ?? linkLocal.min() else {
            return .down(missingAddressReason(unusable))
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

extension InterfaceTable {
    /// Why there is no link-local address to send from.
    private static func missingAddressReason(_ unusable: [InterfaceAddress]) -> String {
        let linkLocal = unusable.filter(\.address.isLinkLocal)
        if let duplicate = linkLocal.first(where: \.isDuplicate) {
            return "duplicate address detection failed for \(duplicate.address): another machine on this link has it"
        }
        if !linkLocal.isEmpty { return "duplicate address detection of its link-local address is not complete" }
        return "no link-local address; is IPv6 disabled on it (net.ipv6.conf.*.disable_ipv6)?"
    }
}

extension InterfaceTable.Unused.Reason {
    /// In words, for the port of this name.
    public func text(of name: String) -> String {
        switch self {
        case .noRule: "no rule of `interfaces` matches it"
        case .ignored: "a rule of `interfaces` says to ignore it"
        case .hasMaster: "it belongs to a bridge or bond"
        case .gone: "gone (removed)"
        case .foreignNetwork(let sign):
            "\(sign.text), so it is taken for another network; to use it, add to `interfaces`: - match: \(name)"
        }
    }
}

extension InterfaceTable.Unused.Sign {
    /// In words.
    var text: String {
        switch self {
        case .defaultRoute: "a default route leads out of it"
        case .routerAdvertisement: "a router advertises itself on it"
        case .address(let address, let length):
            "it has the address \(address)/\(address.ipv4 == nil ? length : length - 96), which is not of the mesh"
        }
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
