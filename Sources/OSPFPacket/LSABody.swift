public import Addressing

/// What an LSA says, by type. Types without a case of their own are kept as octets.
public enum LSABody: Hashable, Sendable {
    /// Router-LSA.
    case router(RouterLSA)
    /// Network-LSA.
    case network(NetworkLSA)
    /// Inter-area-prefix-LSA.
    case interAreaPrefix(InterAreaPrefixLSA)
    /// Inter-area-router-LSA.
    case interAreaRouter(InterAreaRouterLSA)
    /// AS-external-LSA.
    case asExternal(ASExternalLSA)
    /// NSSA-LSA, which has the form of an AS-external-LSA.
    case nssa(ASExternalLSA)
    /// Link-LSA.
    case link(LinkLSA)
    /// Intra-area-prefix-LSA.
    case intraAreaPrefix(IntraAreaPrefixLSA)
    /// Router Information LSA (RFC 7770).
    case routerInformation(RouterInformationLSA)
    /// Anything else.
    case unknown([UInt8])
}

/// The 24-bit Options of hellos, database descriptions and some LSAs (RFC 5340 §A.2).
public struct OSPFOptions: OptionSet, Hashable, Sendable {
    /// The low 24 bits.
    public let rawValue: UInt32
    /// Makes options from their bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue & 0xff_ffff }

    /// The router may be used for IPv6 forwarding.
    public static let v6 = OSPFOptions(rawValue: 1 << 0)
    /// AS-external-LSAs are flooded here: not a stub area.
    public static let e = OSPFOptions(rawValue: 1 << 1)
    /// Not-so-stubby area.
    public static let n = OSPFOptions(rawValue: 1 << 3)
    /// The originator is an active router: clear, nothing is routed through it (stub router).
    public static let r = OSPFOptions(rawValue: 1 << 4)
    /// Demand circuits.
    public static let dc = OSPFOptions(rawValue: 1 << 5)
    /// Address families (RFC 5838 §2.2).
    public static let af = OSPFOptions(rawValue: 1 << 8)
    /// Link-local signalling block follows (RFC 5613).
    public static let l = OSPFOptions(rawValue: 1 << 9)
    /// Authentication trailer follows (RFC 7166 §2.1).
    public static let at = OSPFOptions(rawValue: 1 << 10)
}

/// The options of one prefix inside an LSA (RFC 5340 §A.4.1.1).
public struct PrefixOptions: OptionSet, Hashable, Sendable {
    /// The eight bits.
    public let rawValue: UInt8
    /// Makes options from their bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// No unicast: left out of unicast routes.
    public static let noUnicast = PrefixOptions(rawValue: 1 << 0)
    /// The prefix is an address of the advertising router itself.
    public static let localAddress = PrefixOptions(rawValue: 1 << 1)
    /// NSSA prefixes: to be propagated.
    public static let propagate = PrefixOptions(rawValue: 1 << 3)
    /// The prefix came down from a higher area (DN-bit, RFC 4577).
    public static let down = PrefixOptions(rawValue: 1 << 4)
    /// The prefix identifies a node (N-bit, RFC 8362).
    public static let node = PrefixOptions(rawValue: 1 << 5)
}

/// A prefix with its options and the 16 bits whose meaning depends on the LSA (RFC 5340 §A.4.1).
public struct LSAPrefix: Hashable, Sendable {
    /// The prefix.
    public var prefix: IPv6Prefix
    /// Its options.
    public var options: PrefixOptions
    /// In intra-area-prefix-LSAs the prefix's metric; elsewhere reserved.
    public var metric: UInt16

    /// Makes an entry.
    public init(prefix: IPv6Prefix, options: PrefixOptions = [], metric: UInt16 = 0) {
        self.prefix = prefix
        self.options = options
        self.metric = metric
    }
}

/// Router-LSA (RFC 5340 §A.4.3). A router may originate several; they count as one.
public struct RouterLSA: Hashable, Sendable {
    /// The bits that say what the router is.
    public struct Flags: OptionSet, Hashable, Sendable {
        /// The eight bits before the options.
        public let rawValue: UInt8
        /// Makes flags from their bits.
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// Area border router.
        public static let border = Flags(rawValue: 1 << 0)
        /// AS boundary router.
        public static let external = Flags(rawValue: 1 << 1)
        /// Endpoint of a virtual link.
        public static let virtualLink = Flags(rawValue: 1 << 2)
        /// NSSA translator.
        public static let translator = Flags(rawValue: 1 << 4)
    }

    /// What a described interface attaches to.
    public enum LinkType: UInt8, Hashable, Sendable {
        /// Another router, point to point.
        case pointToPoint = 1
        /// A transit network with a designated router.
        case transit = 2
        /// A virtual link.
        case virtual = 4
    }

    /// One interface of the router: 16 octets.
    public struct Link: Hashable, Sendable {
        /// What it attaches to.
        public var type: LinkType
        /// The cost of sending out of the interface.
        public var metric: UInt16
        /// The originator's interface ID.
        public var interfaceID: UInt32
        /// The interface ID of the neighbour, or of the designated router on a transit network.
        public var neighborInterfaceID: UInt32
        /// The neighbour's router ID, or the designated router's.
        public var neighborRouterID: RouterID

        /// Describes an interface.
        public init(
            type: LinkType, metric: UInt16, interfaceID: UInt32, neighborInterfaceID: UInt32, neighborRouterID: RouterID
        ) {
            self.type = type
            self.metric = metric
            self.interfaceID = interfaceID
            self.neighborInterfaceID = neighborInterfaceID
            self.neighborRouterID = neighborRouterID
        }
    }

    /// What the router is.
    public var flags: Flags
    /// Its capabilities.
    public var options: OSPFOptions
    /// Its interfaces that have a full adjacency.
    public var links: [Link]

    /// Makes a body.
    public init(flags: Flags = [], options: OSPFOptions, links: [Link]) {
        self.flags = flags
        self.options = options
        self.links = links
    }
}

/// Network-LSA (RFC 5340 §A.4.4), originated by a designated router; its link state ID is that router's interface ID.
public struct NetworkLSA: Hashable, Sendable {
    /// The union of what the attached routers can.
    public var options: OSPFOptions
    /// The routers fully adjacent to the designated router, and itself.
    public var attachedRouters: [RouterID]

    /// Makes a body.
    public init(options: OSPFOptions, attachedRouters: [RouterID]) {
        self.options = options
        self.attachedRouters = attachedRouters
    }
}

/// Inter-area-prefix-LSA (RFC 5340 §A.4.5).
public struct InterAreaPrefixLSA: Hashable, Sendable {
    /// 24 bits; 0xffffff is unreachable.
    public var metric: UInt32
    /// The prefix; its own metric field is reserved.
    public var prefix: LSAPrefix

    /// Makes a body.
    public init(metric: UInt32, prefix: LSAPrefix) {
        self.metric = metric
        self.prefix = prefix
    }
}

/// Inter-area-router-LSA (RFC 5340 §A.4.6): the way to an AS boundary router elsewhere.
public struct InterAreaRouterLSA: Hashable, Sendable {
    /// The destination's capabilities.
    public var options: OSPFOptions
    /// 24 bits; 0xffffff is unreachable.
    public var metric: UInt32
    /// The AS boundary router.
    public var destination: RouterID

    /// Makes a body.
    public init(options: OSPFOptions, metric: UInt32, destination: RouterID) {
        self.options = options
        self.metric = metric
        self.destination = destination
    }
}

/// AS-external-LSA (RFC 5340 §A.4.7), and NSSA-LSA.
public struct ASExternalLSA: Hashable, Sendable {
    /// Type 2 (the E-bit): the metric is larger than any path inside. Otherwise type 1, comparable.
    public var isType2: Bool
    /// 24 bits; 0xffffff is unreachable.
    public var metric: UInt32
    /// The prefix.
    public var prefix: LSAPrefix
    /// Where to send instead of to the originator.
    public var forwardingAddress: IPv6Address?
    /// A tag for the administrators' use.
    public var routeTag: UInt32?
    /// Another LSA that says more, if its type is not 0.
    public var referencedType: LSAType?
    /// The link state ID of that LSA.
    public var referencedLinkStateID: UInt32?

    /// Makes a body.
    public init(
        isType2: Bool, metric: UInt32, prefix: LSAPrefix, forwardingAddress: IPv6Address? = nil,
        routeTag: UInt32? = nil, referencedType: LSAType? = nil, referencedLinkStateID: UInt32? = nil
    ) {
        self.isType2 = isType2
        self.metric = metric
        self.prefix = prefix
        self.forwardingAddress = forwardingAddress
        self.routeTag = routeTag
        self.referencedType = referencedType
        self.referencedLinkStateID = referencedLinkStateID
    }
}

/// Link-LSA (RFC 5340 §A.4.9): what a router says to the others on one link. Its link state ID is the interface ID.
public struct LinkLSA: Hashable, Sendable {
    /// The priority for becoming designated router.
    public var priority: UInt8
    /// The options wanted in the network-LSA.
    public var options: OSPFOptions
    /// The originator's address on the link.
    public var linkLocalAddress: IPv6Address
    /// The prefixes to attach to the link.
    public var prefixes: [LSAPrefix]

    /// Makes a body.
    public init(priority: UInt8, options: OSPFOptions, linkLocalAddress: IPv6Address, prefixes: [LSAPrefix]) {
        self.priority = priority
        self.options = options
        self.linkLocalAddress = linkLocalAddress
        self.prefixes = prefixes
    }
}

/// Intra-area-prefix-LSA (RFC 5340 §A.4.10): prefixes behind a router or a transit network.
public struct IntraAreaPrefixLSA: Hashable, Sendable {
    /// `.router` or `.network`: what the prefixes hang on.
    public var referencedType: LSAType
    /// 0 for a router; the designated router's interface ID for a network.
    public var referencedLinkStateID: UInt32
    /// The router, or the network's designated router.
    public var referencedAdvertisingRouter: RouterID
    /// The prefixes with their metrics.
    public var prefixes: [LSAPrefix]

    /// Makes a body.
    public init(
        referencedType: LSAType, referencedLinkStateID: UInt32, referencedAdvertisingRouter: RouterID,
        prefixes: [LSAPrefix]
    ) {
        self.referencedType = referencedType
        self.referencedLinkStateID = referencedLinkStateID
        self.referencedAdvertisingRouter = referencedAdvertisingRouter
        self.prefixes = prefixes
    }
}

/// Router Information LSA (RFC 7770): a list of TLVs.
public struct RouterInformationLSA: Hashable, Sendable {
    /// One type-length-value.
    public enum TLV: Hashable, Sendable {
        /// Informational capabilities, 32 bits (RFC 7770 §2.4).
        case informationalCapabilities(UInt32)
        /// The router's name in UTF-8, 1–255 octets (RFC 5642 §3).
        case hostname(String)
        /// The router's hardware fingerprint, at least 32 octets (RFC 7503 §7.2.2; type 15).
        case hardwareFingerprint([UInt8])
        /// Anything else, or a value that does not fit its type.
        case unknown(type: UInt16, value: [UInt8])
    }

    /// The values in order.
    public var values: [TLV]

    /// Makes a body.
    public init(values: [TLV]) { self.values = values }

    /// The router's name if it says one.
    public var hostname: String? {
        for case .hostname(let name) in values { return name }
        return nil
    }
}
