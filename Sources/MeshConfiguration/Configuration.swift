public import Addressing
public import OSPF
public import Services

/// What `meshd` was told to be, with every default filled in. `Configuration()` is what no file at all means: a node
/// that speaks on every cabled port.
public struct Configuration: Hashable, Sendable {
    /// `node`: who this is.
    public var node = Identity()
    /// `addressing`: where its addresses come from.
    public var addressing = Addresses()
    /// `interfaces`: which ports to speak on and how; the first rule that matches counts.
    public var interfaces: [InterfaceRule] = [InterfaceRule(pattern: .everyCabledPort)]
    /// `advertise`: further prefixes of this node.
    public var advertise: [AdvertisedPrefix] = []
    /// Prefixes that this node imports from outside of the mesh. No key sets them yet.
    public var externals: [ExternalPrefix] = []
    /// `vips`: addresses this node shares with others while its checks pass.
    public var vips: [VIP] = []
    /// `pools`: addresses that services of type `LoadBalancer` are given.
    public var pools: [AddressPool] = []
    /// `cni`: how container runtimes attach pods; `nil` if that is somebody else's business.
    public var cni: CNIOptions?
    /// `kubernetes`: what is asked of an API server, if there is one.
    public var kubernetes = KubernetesOptions()
    /// `ospf`: what concerns the whole router.
    public var ospf = RouterOptions()
    /// `kernel`: where routes go.
    public var kernel = KernelOptions()
    /// `control`: where `meshctl` finds the agent.
    public var control = ControlOptions()
    /// `http`: where metrics and probes are served.
    public var http = HTTPOptions()

    /// The configuration that no file means.
    public init() {}

    /// Where the file is looked for when nobody says.
    public static let defaultPath = "/etc/kubermesh/kubermesh.yaml"
    /// What `apiVersion` must say, if it is there.
    public static let apiVersion = "kubermesh/v1"
    /// Where is kept what must outlive a restart of the machine, when nobody says.
    public static let defaultState = "/var/lib/kubermesh"
}

extension Configuration {
    /// Who the node is.
    public struct Identity: Hashable, Sendable {
        /// Its name; `nil` takes `$NODE_NAME` or else the host's name.
        public var name: String?
        /// Its router ID; `nil` derives one from the hardware address.
        public var routerID: RouterID?
        /// How long it drains before it stops; `nil` stops at once.
        public var drainOnStop: Duration?
        /// What becomes of its place in the mesh when the agent stops.
        public var onStop = StopBehavior.leave
        /// The directory of what must outlive a restart of the machine; `nil` is the usual one, or that of a control socket
        /// that is not at its usual place.
        public var state: String?

        /// Who a node is when nothing is said.
        public init() {}
    }

    /// What becomes of a node's place in the mesh when its agent stops.
    public enum StopBehavior: Hashable, Sendable {
        /// It says goodbye, and the others route around the node.
        case leave
        /// Everything stays as it is, as the agent is going to be back within the dead interval; unless the cluster says
        /// that the node is about to be taken away.
        case stay
    }

    /// Where the node's addresses come from.
    public struct Addresses: Hashable, Sendable {
        /// The plan all nodes share.
        public var plan = AddressPlan(base: IPv6Prefix("fd6b:6d65:7368::/71")!)!
        /// The node's own prefix; its first address is the node's. `nil` follows the plan.
        public var prefix: IPv6Prefix?
        /// The prefixes of the node's pods; `nil` follows the plan, an empty list announces none.
        public var podPrefixes: [IPv6Prefix]?
        /// What the node has of IPv4.
        public var ipv4 = IPv4()

        public init() {}
    }

    /// Where the node's IPv4 addresses come from. There is none unless something is said here.
    public struct IPv4: Hashable, Sendable {
        /// The node's own address.
        public var address: IPv4Address?
        /// Where the node takes its own address from, unless it is given.
        public var nodes: PrefixPool?
        /// Where the node takes a range for its pods from.
        public var pods: PrefixPool?

        /// No IPv4.
        public init() {}
    }

    /// How container runtimes attach pods.
    public struct CNIOptions: Hashable, Sendable {
        /// The plugin that makes a pod's interface.
        public enum Plugin: String, Hashable, Sendable {
            /// A cable of its own for every pod.
            case ptp
            /// A bridge that all pods of the node are on.
            case bridge
        }

        /// The file that runtimes look for.
        public var file = "/etc/cni/net.d/10-kubermesh.conflist"
        /// The plugin that makes a pod's interface.
        public var plugin = Plugin.ptp
        /// The MTU of pods; `nil` is the smallest of the mesh.
        public var mtu: Int?

        public init() {}
    }

    /// What is asked of an API server.
    public struct KubernetesOptions: Hashable, Sendable {
        /// Whether one is asked at all, where there is one.
        public var isWatched = true
        /// The file that describes the connection; `nil` takes `$KUBECONFIG`, or the pod's service account.
        public var kubeconfig: String?
        /// What must work for services to be announced, as kube-proxy's own word that its rules are there; `nil` asks nobody.
        public var proxyCheck: HealthCheck?
        /// Which addresses of services are announced.
        public var services = ServiceOptions()

        public init() {}
    }

    /// What concerns the whole router.
    public struct RouterOptions: Hashable, Sendable {
        /// The area of all interfaces.
        public var area = AreaID.backbone
        /// The instance ID on all interfaces.
        public var instance: UInt8 = 0
        /// The most next hops of one route, 1–256.
        public var maximumPaths = 64
        /// How soon shortest paths follow a change.
        public var spfDelay = SPFDelayParameters()

        public init() {}
    }

    /// Where routes go.
    public struct KernelOptions: Hashable, Sendable {
        /// The routing table; 254 is `main`.
        public var table: UInt32 = 254
        /// The route protocol number that marks routes and next hops as ours.
        public var routeProtocol: UInt8 = 71
        /// The kernel's metric of our routes: more than 256, so that what is directly connected wins, and less than
        /// 1024, so that we win over router advertisements and most routes set by hand.
        public var metric: UInt32 = 512
        /// Whether the kernel goes on telling every route behind a next-hop group when the group changes, as it does
        /// by default. It costs ten times the change itself; only programs that do not know next-hop objects need it.
        public var keepsNextHopCompatibility = false

        public init() {}
    }

    /// Where `meshctl` finds the agent.
    public struct ControlOptions: Hashable, Sendable {
        /// The path of the Unix socket.
        public var socket = "/run/kubermesh/meshd.sock"

        public init() {}
    }

    /// Where metrics and probes are served.
    public struct HTTPOptions: Hashable, Sendable {
        /// The address and port; `nil` serves nothing.
        public var listen: Endpoint? = Endpoint(host: .v6(.loopback), port: 9179)

        public init() {}
    }
}
