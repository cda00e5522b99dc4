public import Addressing
public import Authentication
public import OSPF
public import Services

/// The configuration of `meshd`, with a default for each value that is not given. `Configuration()` is that without a file and
/// without environment variables: a node that uses every cabled port.
public struct Configuration: Hashable, Sendable {
    /// `node`: the identity of the node.
    public var node = Identity()
    /// `addressing`: the addresses of the node and its pods.
    public var addressing = Addresses()
    /// `interfaces`: which ports to use and how; the first rule that matches applies.
    public var interfaces: [InterfaceRule] = [InterfaceRule(pattern: .everyCabledPort)]
    /// `advertise`: further prefixes of this node.
    public var advertise: [AdvertisedPrefix] = []
    /// AS-external prefixes that this node imports. No key sets them yet.
    public var externals: [ExternalPrefix] = []
    /// `vips`: anycast addresses that the node announces while their checks pass.
    public var vips: [VIP] = []
    /// `pools`: addresses for services of type `LoadBalancer`.
    public var pools: [AddressPool] = []
    /// `cni`: how container runtimes attach pods; `nil` writes no CNI file.
    public var cni: CNIOptions?
    /// `kubernetes`: how to use the API server, if there is one.
    public var kubernetes = KubernetesOptions()
    /// `auth`: authentication of OSPF packets.
    public var authentication = AuthenticationOptions()
    /// `ospf`: parameters of the whole router.
    public var ospf = RouterOptions()
    /// `kernel`: how routes are installed.
    public var kernel = KernelOptions()
    /// `control`: the control socket.
    public var control = ControlOptions()
    /// `http`: metrics and probes.
    public var http = HTTPOptions()

    /// All defaults.
    public init() {}

    /// The default path of the file.
    public static let defaultPath = "/etc/kubermesh/kubermesh.yaml"
    /// The `apiVersion`, which may be left out.
    public static let apiVersion = "kubermesh/v1"
    /// The default directory of the state that survives reboots.
    public static let defaultState = "/var/lib/kubermesh"
}

extension Configuration {
    /// The identity of the node.
    public struct Identity: Hashable, Sendable {
        /// Its name; `nil` means `$NODE_NAME` or the host name.
        public var name: String?
        /// Its router ID; `nil` derives one from the hardware address.
        public var routerID: RouterID?
        /// How long to drain at a stop before the node leaves the mesh, 1 ms to 1 h; `nil` means no drain.
        public var drainOnStop: Duration?
        /// What happens when the agent stops.
        public var onStop = StopBehavior.leave
        /// The directory of the state that survives reboots; `nil` means the default, or the directory of a control socket
        /// that is not the default one.
        public var state: String?

        /// All defaults.
        public init() {}
    }

    /// What happens when the agent stops.
    public enum StopBehavior: Hashable, Sendable {
        /// The node leaves the mesh, and others route around it.
        case leave
        /// Routes and addresses stay and neighbors are asked to hold their links, because an agent starts again. If
        /// the node is drained, or is about to be removed from the cluster, it leaves.
        case stay
    }

    /// The addresses of the node and its pods.
    public struct Addresses: Hashable, Sendable {
        /// The address plan, the same on all nodes. The default is a unique local prefix (RFC 4193) whose octets after `fd`
        /// are “kmesh” in ASCII.
        public var plan = AddressPlan(base: IPv6Prefix("fd6b:6d65:7368::/71")!)!
        /// The prefix whose first address is the node's own; `nil` follows the plan.
        public var prefix: IPv6Prefix?
        /// The pod prefixes, besides a self-assigned one (``IPv4/pods``); an empty list means none. `nil` means that of the
        /// plan, or those of the cluster if it has assigned any and ``IPv4/pods`` is not given.
        public var podPrefixes: [IPv6Prefix]?
        /// The IPv4 addresses.
        public var ipv4 = IPv4()

        public init() {}
    }

    /// The IPv4 addresses of the node and its pods. By default there are none.
    public struct IPv4: Hashable, Sendable {
        /// The node's own address.
        public var address: IPv4Address?
        /// The pool from which the node assigns itself its own address, if none is given.
        public var nodes: PrefixPool?
        /// The pool from which the node assigns itself a range for its pods.
        public var pods: PrefixPool?

        /// No IPv4.
        public init() {}
    }

    /// How container runtimes attach pods.
    public struct CNIOptions: Hashable, Sendable {
        /// The plugin that creates a pod's interface.
        public enum Plugin: String, Hashable, Sendable {
            /// A veth pair for each pod.
            case ptp
            /// A bridge for all pods of the node.
            case bridge
        }

        /// The file that container runtimes read.
        public var file = "/etc/cni/net.d/10-kubermesh.conflist"
        /// The plugin that creates a pod's interface.
        public var plugin = Plugin.ptp
        /// The MTU of pods, 1280–65535 octets; `nil` means the smallest that reachable routers announce, 1280 before any does.
        public var mtu: Int?

        public init() {}
    }

    /// How to use the API server.
    public struct KubernetesOptions: Hashable, Sendable {
        /// Whether to send requests at all.
        public var isWatched = true
        /// The kubeconfig; `nil` means `$KUBECONFIG` or the pod's service account.
        public var kubeconfig: String?
        /// Whether to write the node's pod ranges into `spec.podCIDRs` of its Node if the cluster has assigned none. Not for
        /// clusters whose controller-manager assigns ranges (`--allocate-node-cidrs`): it exits if a Node has others.
        public var offersPodRanges = false
        /// Whether packets in transit to and from addresses of services elsewhere bypass the service proxy of this node.
        public var bypassesServiceProxy = true
        /// A check of the service proxy, such as kube-proxy's health. No service address is announced before it has passed
        /// once; while it fails later, they are last resort. `nil` checks nothing.
        public var proxyCheck: HealthCheck?
        /// The ranges of cluster IPs, to which the node has service routes where nothing else routes them; `nil` means those that
        /// the API server tells.
        public var serviceRanges: [IPv6Prefix]?
        /// Which service addresses are announced.
        public var services = ServiceOptions()

        public init() {}
    }

    /// Parameters of the whole router.
    public struct RouterOptions: Hashable, Sendable {
        /// The area of all interfaces.
        public var area = AreaID.backbone
        /// The instance ID on all interfaces.
        public var instance: UInt8 = 0
        /// The maximum number of next hops of a route, 1–256.
        public var maximumPaths = 64
        /// The SPF delay (RFC 8405).
        public var spfDelay = SPFDelayParameters()
        /// Whether routes with a single next hop have a loop-free alternate as its backup (RFC 5286).
        public var fastReroute = true
        /// Graceful restart (RFC 3623).
        public var gracefulRestart = GracefulRestartOptions()

        public init() {}
    }

    /// Authentication of OSPF packets (RFC 7166). Without a key file there is none.
    public struct AuthenticationOptions: Hashable, Sendable {
        /// The file with the keys.
        public var keyFile: String?
        /// The keys in it.
        public var keys = KeyChain()
        /// Whether packets without a valid trailer are refused.
        public var isRequired = true

        public init() {}

        /// The policy of ports whose rule has none.
        public var policy: AuthenticationPolicy { keyFile == nil ? .off : isRequired ? .required : .optional }
    }

    /// How routes are installed.
    public struct KernelOptions: Hashable, Sendable {
        /// The routing table; 254 is `main`.
        public var table: UInt32 = 254
        /// The number that marks routes, next hops and addresses as ours. No program is known to use the default one
        /// (``owner(ofRouteProtocol:)``).
        public var routeProtocol: UInt8 = 71
        /// The metric of our routes in the kernel, 1 or more, and less than that of service routes (4294967295). The default is
        /// more than 256, so that connected routes are preferred, and less than 1024, so that ours are preferred to those of router advertisements and to most static
        /// IPv6 routes.
        public var metric: UInt32 = 512
        /// Whether the kernel sends a notification for every route behind a next-hop group when the group changes, as it does
        /// by default (`net.ipv4.nexthop_compat_mode`). That costs ten times the change itself; only programs that do not
        /// support next-hop objects need it.
        public var keepsNextHopCompatibility = false

        public init() {}
    }

    /// The control socket.
    public struct ControlOptions: Hashable, Sendable {
        /// The path of the Unix socket.
        public var socket = "/run/kubermesh/meshd.sock"

        public init() {}
    }

    /// Metrics and probes.
    public struct HTTPOptions: Hashable, Sendable {
        /// The address and port; `nil` means no HTTP. An environment variable may change the default (`EnvironmentDefaults`).
        public var listen: Endpoint? = Endpoint(host: .v6(.loopback), port: 9179)

        public init() {}
    }
}
