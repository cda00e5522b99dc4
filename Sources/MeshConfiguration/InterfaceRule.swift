public import OSPF

/// One entry of `interfaces`: which ports it is about, and how the router treats them.
public struct InterfaceRule: Hashable, Sendable {
    /// Which ports the rule is about.
    public var pattern: Pattern
    /// What becomes of them.
    public var role: Role = .active(.auto)
    /// The cost of sending out of the port, 1–65535.
    public var cost: UInt16 = 10
    /// Time between hellos, whole seconds.
    public var hello: Duration = .seconds(1)
    /// Silence after which a neighbour is gone, whole seconds.
    public var dead: Duration = .seconds(4)
    /// Time until something unacknowledged is sent again.
    public var retransmit: Duration = .seconds(1)
    /// For becoming designated router; 0 is never.
    public var priority: UInt8 = 1

    /// Makes a rule with the defaults a cabled mesh wants.
    public init(pattern: Pattern) { self.pattern = pattern }

    /// What becomes of a port.
    public enum Role: Hashable, Sendable {
        /// Hellos are sent and neighbours found.
        case active(InterfaceConfiguration.Kind)
        /// The port's prefixes are announced; no neighbours.
        case passive
        /// The port is left alone.
        case ignored
    }

    /// Which ports a rule is about.
    public enum Pattern: Hashable, Sendable {
        /// `*`: whatever ``Port/isCabled`` says is a cabled port.
        case everyCabledPort
        /// Ports by name, whatever they are.
        case named(Glob)
    }

    /// A port of the machine, as far as rules look at it.
    public struct Port: Hashable, Sendable {
        /// The kernel's name.
        public var name: String
        /// The kind of virtual device as the kernel names it (`veth`, `bridge`, …); `nil` for real hardware.
        public var kind: String?
        /// Whether it is an Ethernet device other than the loopback.
        public var isEthernet: Bool
        /// Whether it belongs to a bridge, bond or the like, whose traffic it carries.
        public var hasMaster: Bool
        /// Whether its other end or lower device lives in another network namespace.
        public var isPeerElsewhere: Bool

        public init(
            name: String, kind: String? = nil, isEthernet: Bool = true, hasMaster: Bool = false,
            isPeerElsewhere: Bool = false
        ) {
            self.name = name
            self.kind = kind
            self.isEthernet = isEthernet
            self.hasMaster = hasMaster
            self.isPeerElsewhere = isPeerElsewhere
        }

        /// Whether a cable can be in it: real hardware, or a veth whose other end is in another namespace (the cable of a
        /// machine made of namespaces), unless its name is one that container runtimes and CNI plugins give to the
        /// ends they keep.
        public var isCabled: Bool {
            guard isEthernet, !hasMaster else { return false }
            switch kind {
            case nil: return true
            case "veth": return isPeerElsewhere && !Self.containerPrefixes.contains { name.hasPrefix($0) }
            default: return false
            }
        }

        private static let containerPrefixes = [
            "veth", "ve-", "vb-", "cali", "lxc", "cni", "cilium", "docker", "podman", "vnet", "tap",
        ]
    }

    /// Whether the rule is about `port`. A port that belongs to a bridge or bond, and the loopback, are never used.
    public func matches(_ port: Port) -> Bool {
        guard port.isEthernet, !port.hasMaster else { return false }
        switch pattern {
        case .everyCabledPort: return port.isCabled
        case .named(let glob): return glob.matches(port.name)
        }
    }
}

extension Configuration {
    /// The rule for `port`: the first that matches, unless that says to leave the port alone.
    public func rule(for port: InterfaceRule.Port) -> InterfaceRule? {
        guard let rule = interfaces.first(where: { $0.matches(port) }), rule.role != .ignored else { return nil }
        return rule
    }
}
