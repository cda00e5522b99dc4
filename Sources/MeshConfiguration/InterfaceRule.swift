public import Authentication
public import Liveness
public import OSPF

/// An entry of `interfaces`: which ports it matches, and how they are used.
public struct InterfaceRule: Hashable, Sendable {
    /// The ports that it matches.
    public var pattern: Pattern
    /// How these ports are used.
    public var role: Role = .active(.auto)
    /// The OSPF cost, 1–65535. By default it is the same for all ports, so that the number of hops decides; 10 leaves room
    /// for better ports.
    public var cost: UInt16 = 10
    /// The hello interval, 1–65535 whole seconds.
    public var hello: Duration = .seconds(1)
    /// The dead interval, 1–65535 whole seconds, longer than the hello interval. In a rule of a file that sets `hello` but not
    /// `dead`, it is four hello intervals, at most 65,535 s.
    public var dead: Duration = .seconds(4)
    /// The retransmission interval (RxmtInterval), 50 ms to 1 h.
    public var retransmit: Duration = .seconds(1)
    /// The priority in the designated router election; 0 means that this node never becomes designated router.
    public var priority: UInt8 = 1
    /// Whether neighbors are asked by echo requests if they are alive.
    public var liveness: Liveness = .onCables
    /// Whether a port with a bad cable is used only where there is no better way.
    public var isQualityOn = false
    /// Whether there are sessions of BFD with neighbors (RFC 5881); `nil` means none.
    public var bfd: BFDRule?
    /// Whether packets must be authentic; `nil` is as `auth` says.
    public var authentication: AuthenticationPolicy?

    /// Makes a rule with defaults for a cabled mesh.
    public init(pattern: Pattern) { self.pattern = pattern }

    /// Which neighbors are asked by ICMPv6 echo requests whether they are alive.
    public enum Liveness: Hashable, Sendable {
        /// Those on links between two routers, with default parameters.
        case onCables
        /// All, with these parameters.
        case always(EchoParameters)
        /// None.
        case off

        /// The parameters for a link; `nil` if nobody is asked there.
        public func parameters(isBroadcast: Bool) -> EchoParameters? {
            switch self {
            case .onCables: isBroadcast ? nil : EchoParameters()
            case .always(let parameters): parameters
            case .off: nil
            }
        }
    }

    /// How a port is used.
    public enum Role: Hashable, Sendable {
        /// It sends hellos and has neighbors.
        case active(InterfaceConfiguration.Kind)
        /// Its prefixes are announced; it has no neighbors.
        case passive
        /// It is not used.
        case ignored
    }

    /// Which ports a rule matches.
    public enum Pattern: Hashable, Sendable {
        /// `*`: every cabled port (``Port/isCabled``).
        case everyCabledPort
        /// Ethernet ports by name, whatever their kind.
        case named(Glob)
    }

    /// What a rule needs to know of a port.
    public struct Port: Hashable, Sendable {
        /// The kernel's name.
        public var name: String
        /// The kind of virtual device as the kernel names it (`veth`, `bridge`, …); `nil` for real hardware.
        public var kind: String?
        /// Whether it has a hardware address of 48 bits and is not the loopback.
        public var isEthernet: Bool
        /// Whether it has a master: a bridge, a bond or the like.
        public var hasMaster: Bool
        /// Whether its other end or lower device is in another network namespace.
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

        /// Whether it can have a cable: it is Ethernet, has no master, and is real hardware or a veth whose other end is in
        /// another namespace (the cable of a lab), unless the veth's name begins with one of ``containerPrefixes``.
        public var isCabled: Bool {
            guard isEthernet, !hasMaster else { return false }
            switch kind {
            case nil: return true
            case "veth": return isPeerElsewhere && !Self.containerPrefixes.contains { name.hasPrefix($0) }
            default: return false
            }
        }

        /// The beginnings of the names that container runtimes, CNI plugins and hypervisors give to their ends of virtual
        /// cables.
        private static let containerPrefixes = [
            "veth", "ve-", "vb-", "cali", "lxc", "cni", "cilium", "docker", "podman", "vnet", "tap",
        ]
    }

    /// Whether the rule matches `port`. No rule matches a device that has a master (a bridge, a bond) or is not Ethernet.
    public func matches(_ port: Port) -> Bool {
        guard port.isEthernet, !port.hasMaster else { return false }
        switch pattern {
        case .everyCabledPort: return port.isCabled
        case .named(let glob): return glob.matches(port.name)
        }
    }
}

extension Configuration {
    /// The rule for `port`: the first that matches. `nil` if none does, or if that rule ignores the port.
    public func rule(for port: InterfaceRule.Port) -> InterfaceRule? {
        guard let rule = interfaces.first(where: { $0.matches(port) }), rule.role != .ignored else { return nil }
        return rule
    }
}
