public import Addressing
public import Links
public import MeshConfiguration
public import OSPF
internal import Timing

/// The ports of this machine: those of the mesh, and those that are not used. `lo` is neither. The input is changes of links,
/// addresses, rules and signs of other networks; the output is changes for the router.
public struct InterfaceTable: Sendable {
    /// A port of the mesh: its first matching rule does not ignore it, it has no master, and it does not seem to belong to
    /// another network.
    public struct Port: Hashable, Sendable {
        public var link: Link
        /// The first rule that matches it.
        public var rule: InterfaceRule
        /// The prefixes of its usable addresses (``InterfaceAddress/isUsable``) without link-local ones, ascending; those of
        /// IPv4 are IPv4-mapped.
        public var prefixes: [IPv6Prefix]
        /// Whether the router can use it.
        public var state: State
        /// Whether duplicate address detection of a link-local address is under way.
        var isDetectingDuplicates = false

        /// Whether the router can use a port.
        public enum State: Hashable, Sendable {
            /// It can be used, with this configuration.
            case up(InterfaceConfiguration)
            /// It cannot be used, for this reason.
            case down(String)
        }
    }

    /// A change for the router.
    public enum Change: Hashable, Sendable {
        /// The port can be used, which it could not before.
        case up(InterfaceConfiguration)
        /// The configuration of the port has changed.
        case changed(InterfaceConfiguration, from: InterfaceConfiguration)
        /// The port cannot be used any more.
        case down(index: UInt32, name: String, reason: String)
    }

    /// The ports of the mesh, by index, whether the router can use them or not. None of them is in ``unused``.
    public private(set) var ports: [UInt32: Port] = [:]

    /// The ports, by index, that should be used only where there is no better way; they have a high cost.
    public internal(set) var avoided: Set<UInt32> = []

    public init() {}

    /// The minimum MTU of IPv6 (RFC 8200 §5).
    private static let leastMTU = 1280
    /// The largest MTU that Database Description packets can carry: the field has 16 bits (RFC 5340 §A.3.3).
    private static let greatestMTU = 65535

    /// The indexes of the ports that are to have neighbors, up or down: those with an active rule.
    public var activePorts: Set<UInt32> {
        Set(ports.filter { if case .active = $0.value.rule.role { true } else { false } }.keys)
    }

    /// The prefixes of passive ports that are up and have carrier, with the cost of the port as metric, by index.
    public var passivePrefixes: [AdvertisedPrefix] {
        ports.values.filter { $0.rule.role == .passive && $0.link.isUsable }.sorted { $0.link.index < $1.link.index }
            .flatMap { port in port.prefixes.map { AdvertisedPrefix(prefix: $0, metric: port.rule.cost) } }
    }

    /// Ports that are not used, and why, by index; also up to ``mostGone`` removed ones.
    public private(set) var unused: [UInt32: Unused] = [:]

    /// A port that is not used.
    public struct Unused: Hashable, Sendable {
        public var link: Link
        public var reason: Reason
        /// Whether the router could use it until it became unused; `false` for a removed one.
        var wasUsed = false

        /// Why a port is not used.
        public enum Reason: Hashable, Sendable {
            /// No rule of the configuration matches it.
            case noRule
            /// A rule ignores it.
            case ignored
            /// It belongs to a bridge, a bond or a VRF.
            case hasMaster
            /// It was one of ``InterfaceTable/ports``, and was removed from the machine.
            case gone
            /// It seems to belong to another network, such as an office LAN, and the first rule that matches it is an active
            /// `*`.
            case foreignNetwork(Sign)
        }

        /// Signs that a port belongs to another network.
        public enum Sign: Hashable, Sendable {
            /// A default route leads through it that the agent did not add.
            case defaultRoute
            /// A router sends router advertisements on it.
            case routerAdvertisement
            /// It has this address with a subnet outside of the mesh's address plan, as any IPv4 subnet is.
            case address(IPv6Address, prefixLength: Int)
        }
    }

    /// Signs of other networks on ports, apart from addresses.
    public struct ForeignNetworkSigns: Hashable, Sendable {
        /// Default routes that are not ours.
        private var routes: Set<DefaultRoute> = []
        /// The ports of these routes.
        var portsWithDefaultRoute: Set<UInt32> { Set(routes.map(\.interface)) }
        /// Whether there is one of this address family.
        func hasDefaultRoute(of family: IPFamily) -> Bool { routes.contains { $0.family == family } }
        /// Ports on which router advertisements were received, and when the last one was.
        private var advertisements: [UInt32: Instant] = [:]

        public init() {}

        public mutating func add(_ route: DefaultRoute) { routes.insert(route) }

        public mutating func remove(_ route: DefaultRoute) { routes.remove(route) }

        /// How long a router advertisement counts. A router sends one at least every 30 minutes (RFC 4861 §6.2.1,
        /// MaxRtrAdvInterval); one may be lost.
        static let advertisementValidity = Duration.seconds(3600)

        /// Whether a router advertisement was received on a port and still counts.
        func hasRouter(on interface: UInt32) -> Bool { advertisements[interface] != nil }

        /// When ``expire(at:)`` changes something next.
        var nextDeadline: Instant? { advertisements.values.min().map { $0 + Self.advertisementValidity } }

        /// A router advertisement was received on a port.
        mutating func routerAdvertised(on interface: UInt32, at now: Instant) { advertisements[interface] = now }

        /// Forgets old router advertisements. Returns their ports, ascending.
        mutating func expire(at now: Instant) -> [UInt32] {
            let old = advertisements.filter { now - $0.value >= Self.advertisementValidity }.keys.sorted()
            for interface in old { advertisements[interface] = nil }
            return old
        }

        /// A port has lost carrier: its router advertisements are forgotten, because it may be plugged into another network.
        mutating func lostCarrier(_ interface: UInt32) { advertisements[interface] = nil }

        /// A port was removed.
        mutating func removed(_ interface: UInt32) {
            routes = routes.filter { $0.interface != interface }
            advertisements[interface] = nil
        }
    }

    /// Updates a port after a change of its link, its addresses, the rules or the signs of other networks. `addresses` may
    /// include those of other ports. Returns the change for the router; `nil` if there is none.
    public mutating func update(
        _ link: Link, addresses: some Sequence<InterfaceAddress>, configuration: Configuration,
        foreignSigns: ForeignNetworkSigns = ForeignNetworkSigns()
    ) -> Change? {
        let all = addresses.filter { $0.interface == link.index }
        let own = all.filter(\.isUsable)
        let rule: InterfaceRule
        switch Self.decide(link, own, configuration, foreignSigns) {
        case .failure(let refusal):
            let wasUsed = unused[link.index]?.wasUsed == true || ports[link.index]?.routerAddress != nil
            unused[link.index] = link.isLoopback ? nil : Unused(link: link, reason: refusal.reason, wasUsed: wasUsed)
            return drop(link.index, reason: refusal.reason.text(of: link.name))
        case .success(let found): rule = found
        }
        // A port of the same name that was gone is back.
        unused = unused.filter {
            $0.key != link.index && !($0.value.reason == .gone && $0.value.link.name == link.name)
        }
        let previous = ports[link.index]
        let state = Self.state(
            of: link, rule, own, unusable: all.filter { !$0.isUsable }, current: previous?.routerAddress,
            isAvoided: avoided.contains(link.index))
        let prefixes = Set(
            own.filter { !$0.address.isLinkLocal }.map { IPv6Prefix($0.address, length: $0.prefixLength) })
        let isDetecting = all.contains { $0.address.isLinkLocal && !$0.isUsable && !$0.isDuplicate }
        ports[link.index] = Port(
            link: link, rule: rule, prefixes: prefixes.sorted(), state: state, isDetectingDuplicates: isDetecting)
        switch (previous?.state, state) {
        case (.up(let before)?, .up(let configuration)):
            return before == configuration ? nil : .changed(configuration, from: before)
        case (_, .up(let configuration)): return .up(configuration)
        case (.up?, .down(let reason)): return .down(index: link.index, name: link.name, reason: reason)
        default: return nil
        }
    }

    private struct Refusal: Error { var reason: Unused.Reason }

    /// The rule for a port, or why it is not used.
    private static func decide(
        _ link: Link, _ addresses: [InterfaceAddress], _ configuration: Configuration,
        _ foreignSigns: ForeignNetworkSigns
    ) -> Result<InterfaceRule, Refusal> {
        if link.master != nil { return .failure(Refusal(reason: .hasMaster)) }
        let port = InterfaceRule.Port(link)
        guard let rule = configuration.interfaces.first(where: { $0.matches(port) }) else {
            return .failure(Refusal(reason: .noRule))
        }
        if rule.role == .ignored { return .failure(Refusal(reason: .ignored)) }
        // Only an active rule `*` depends on what a port is connected to; any other rule decides by itself.
        guard rule.pattern == .everyCabledPort, case .active = rule.role else { return .success(rule) }
        if let sign = foreignSign(link, addresses, configuration, foreignSigns) {
            return .failure(Refusal(reason: .foreignNetwork(sign)))
        }
        return .success(rule)
    }

    /// A sign that a port leads to another network; `nil` if there is none.
    private static func foreignSign(
        _ link: Link, _ addresses: [InterfaceAddress], _ configuration: Configuration,
        _ foreignSigns: ForeignNetworkSigns
    ) -> Unused.Sign? {
        if foreignSigns.portsWithDefaultRoute.contains(link.index) { return .defaultRoute }
        if foreignSigns.hasRouter(on: link.index) { return .routerAdvertisement }
        let plan = configuration.addressing.plan.base
        // A single address (/128 or /32) says nothing about the link, and neither does one with our protocol number.
        let foreign = addresses.filter { address in
            guard address.address.isRoutable, address.prefixLength < 128, !plan.contains(address.address),
                address.origin != configuration.kernel.routeProtocol
            else { return false }
            return configuration.addressing.prefix?.contains(address.address) != true
        }.min { $0.address < $1.address }
        return foreign.map { .address($0.address, prefixLength: $0.prefixLength) }
    }

    /// The maximum number of removed ports that are listed: names of virtual ports may change without end.
    private static let mostGone = 64

    /// Removes a link. If it is one of ``ports``, it stays listed as gone until a port of this name is one of them again;
    /// beyond ``mostGone`` it is not listed. Returns the change for the router; `nil` if the router could not use the port.
    public mutating func remove(_ index: UInt32) -> Change? {
        avoided.remove(index)
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

    /// The ports with an active rule that are up with carrier and that the router cannot use, except during duplicate address
    /// detection; and those with carrier that it could use until they got a master or seemed to belong to another network.
    /// Each with the reason, by name.
    public var unusable: [(name: String, reason: String)] {
        let down = ports.values.compactMap { port -> (name: String, reason: String)? in
            guard case .active = port.rule.role, port.link.isUp, port.link.hasCarrier, !port.isDetectingDuplicates,
                case .down(let reason) = port.state
            else { return nil }
            return (port.link.name, reason)
        }
        let lost = unused.values.filter { $0.wasUsed && $0.link.hasCarrier && $0.reason.isIndependentOfConfiguration }
        return (down + lost.map { ($0.link.name, $0.reason.text(of: $0.link.name)) }).sorted { $0.name < $1.name }
    }

    /// Avoids a port, or ends that. Returns the change for the router; `nil` if the router cannot use the port.
    mutating func setAvoided(_ index: UInt32, _ isAvoided: Bool) -> Change? {
        if isAvoided { avoided.insert(index) } else { avoided.remove(index) }
        guard let port = ports[index], case .up(let before) = port.state else { return nil }
        var configuration = before
        configuration.cost = isAvoided ? QualityTable.costToAvoid(port.rule.cost) : port.rule.cost
        ports[index]!.state = .up(configuration)
        return configuration == before ? nil : .changed(configuration, from: before)
    }

    /// The names of the removed ports that are listed as gone, ascending.
    public var gone: [String] { unused.values.filter { $0.reason == .gone }.map(\.link.name).sorted() }

    /// Removes a port from ``ports``. Returns the change for the router; `nil` if the router could not use the port.
    private mutating func drop(_ index: UInt32, reason: String) -> Change? {
        guard let port = ports.removeValue(forKey: index), case .up = port.state else { return nil }
        return .down(index: index, name: port.link.name, reason: reason)
    }

    /// Whether the router can use a port, and how. `addresses` are its usable addresses, `unusable` its others, `current` is
    /// the link-local address in use.
    private static func state(
        of link: Link, _ rule: InterfaceRule, _ addresses: [InterfaceAddress], unusable: [InterfaceAddress],
        current: IPv6Address?, isAvoided: Bool
    ) -> Port.State {
        guard link.isUp else { return .down("the link is down; set it up with: ip link set \(link.name) up") }
        guard link.hasCarrier else { return .down("no carrier") }
        guard link.isMulticastCapable else {
            return .down("multicast is off; turn it on with: ip link set \(link.name) multicast on")
        }
        guard link.mtu >= leastMTU else { return .down("its MTU \(link.mtu) is too small: IPv6 needs \(leastMTU)") }
        let linkLocal = addresses.map(\.address).filter(\.isLinkLocal)
        // The address in use stays in use, so that another one does not disturb adjacencies.
        guard let address = linkLocal.first(where: { $0 == current }) ?? linkLocal.min() else {
            return .down(missingAddressReason(unusable))
        }
        var configuration = InterfaceConfiguration(
            index: link.index, name: link.name, mtu: min(link.mtu, greatestMTU), linkLocalAddress: address,
            cost: isAvoided ? QualityTable.costToAvoid(rule.cost) : rule.cost, helloInterval: rule.hello,
            deadInterval: rule.dead, retransmitInterval: rule.retransmit,
            priority: rule.priority)
        switch rule.role {
        case .active(let kind): configuration.kind = kind
        // `update` lists an ignored port as unused, so none gets here.
        case .passive, .ignored: configuration.isPassive = true
        }
        return .up(configuration)
    }
}

extension InterfaceTable {
    /// Why there is no usable link-local address.
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
    /// Whether a port that exists is unused for a reason other than the configuration.
    fileprivate var isIndependentOfConfiguration: Bool {
        switch self {
        case .hasMaster, .foreignNetwork: true
        case .noRule, .ignored, .gone: false
        }
    }

    /// The reason as text, for the port of this name.
    public func text(of name: String) -> String {
        switch self {
        case .noRule: "no rule of `interfaces` matches it"
        case .ignored: "a rule of `interfaces` says to ignore it"
        case .hasMaster: "it belongs to another device, such as a bridge, bond or VRF"
        case .gone: "gone (removed)"
        case .foreignNetwork(let sign):
            """
            \(sign.text), so it seems to belong to another network; to use it, name it before `*`: \
            interfaces: [ { match: \(name) }, { match: "*" } ]
            """
        }
    }
}

extension InterfaceTable.Unused.Sign {
    /// The sign as text.
    var text: String {
        switch self {
        case .defaultRoute: "it has a default route"
        case .routerAdvertisement: "it receives router advertisements"
        case .address(let address, let length):
            "it has the address \(address)/\(address.ipv4 == nil ? length : length - 96), which is outside of the mesh's address plan"
        }
    }
}

extension InterfaceTable.Port {
    /// The link-local address that the router uses.
    fileprivate var routerAddress: IPv6Address? {
        if case .up(let configuration) = state { configuration.linkLocalAddress } else { nil }
    }
}

extension InterfaceRule.Port {
    /// The properties of a link that rules match.
    init(_ link: Link) {
        self.init(
            name: link.name, kind: link.kind,
            isEthernet: link.macAddress != nil && !link.isLoopback,
            hasMaster: link.master != nil, isPeerElsewhere: link.linkNamespaceID != nil)
    }
}
