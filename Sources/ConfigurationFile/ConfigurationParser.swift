import Addressing
import Authentication
import Liveness
public import MeshConfiguration
import OSPF
import Services
import Yams

extension Configuration {
    /// The maximum size of a file, in octets.
    public static let maximumFileSize = 1 << 20

    /// Parses the text of a configuration file; `file` is its name in problems. An empty text is a problem.
    public init(yaml: String, file: String) throws(ConfigurationProblems) {
        let reader = ConfigurationReader(file: file)
        self = EnvironmentDefaults.configuration
        do {
            guard yaml.utf8.count <= Self.maximumFileSize else {
                throw Complaint("longer than \(Self.maximumFileSize) octets", hint: "is this the right file?")
            }
            // Scalars stay text, so that the parser guesses no types and loads no regular expressions.
            guard let root = try Yams.compose(yaml: yaml, .basic, .default, .utf8), !root.isNothing else {
                throw Complaint(
                    "is empty, as after a failed write",
                    hint: "for the defaults, write apiVersion: \(Self.apiVersion)")
            }
            read(root, reader)
        } catch {
            reader.note(error)
        }
        if !reader.problems.isEmpty { throw ConfigurationProblems(problems: reader.problems) }
    }

    private mutating func read(_ root: Node, _ reader: ConfigurationReader) {
        let keys = [
            "apiVersion", "node", "addressing", "interfaces", "advertise", "vips", "pools", "cni", "kubernetes", "ospf",
            "auth", "kernel", "control", "http",
        ]
        guard let file = reader.section(root, key: "", keys: keys) else { return }
        _ = file.value("apiVersion") { try Read.word($0, [Self.apiVersion: ()]) }
        if let section = file.section("node", keys: ["name", "routerID", "onStop", "drainOnStop", "state"]) {
            section.read("name", into: &node.name) { try Read.name($0) }
            section.read("routerID", into: &node.routerID, Read.routerID)
            section.read("state", into: &node.state, Read.absolutePath)
            section.read("onStop", into: &node.onStop) {
                try Read.word($0, ["leave": .leave, "stay": .stay])
            }
            section.read("drainOnStop", into: &node.drainOnStop) {
                try Read.duration($0, in: .milliseconds(1) ... .seconds(3600))
            }
        }
        if let section = file.section("addressing", keys: ["base", "prefix", "podPrefixes", "ipv4"]) {
            readAddressing(section)
        }
        if let section = file.section("auth", keys: ["keys", "required"]) {
            section.read("keys", into: &authentication.keyFile, Read.absolutePath)
            section.read("required", into: &authentication.isRequired, Read.boolean)
            if !section.has("keys") {
                section.note(Complaint("has no \"keys\"", hint: "the path of the key file; meshd make-key makes one"))
            }
        }
        if let list = file.list("interfaces") {
            interfaces = list.compactMap { InterfaceRule($0.node, key: $0.key, reader) }
            if authentication.keyFile == nil {
                for (rule, entry) in zip(interfaces, list) where rule.authentication ?? .off != .off {
                    reader.note(
                        Complaint("needs keys", hint: "auth: { keys: FILE }"), at: entry.node, key: entry.key + ".auth")
                }
            }
        }
        if let list = file.list("advertise") {
            advertise = list.compactMap { AdvertisedPrefix($0.node, key: $0.key, reader) }
        }
        if let list = file.list("vips") { readVIPs(list, reader) }
        if let list = file.list("pools") { readPools(list, reader) }
        if let section = file.section("cni", keys: ["file", "plugin", "mtu"]) {
            var options = CNIOptions()
            section.read("file", into: &options.file, Read.absolutePath)
            section.read("plugin", into: &options.plugin) { try Read.word($0, ["ptp": .ptp, "bridge": .bridge]) }
            section.read("mtu", into: &options.mtu) { try Read.integer($0, in: 1280...65535) }
            cni = options
        }
        let clusterKeys = [
            "watch", "kubeconfig", "offerPodCIDRs", "bypassServiceProxy", "clusterIPs", "loadBalancerClass",
            "proxyCheck", "serviceRanges",
        ]
        if let section = file.section("kubernetes", keys: clusterKeys) {
            if section.has("proxyCheck"), let check = section.section("proxyCheck", keys: HealthCheck.keys) {
                kubernetes.proxyCheck = HealthCheck(check, environment: [:])
            }
            section.read("watch", into: &kubernetes.isWatched, Read.boolean)
            section.read("kubeconfig", into: &kubernetes.kubeconfig, Read.absolutePath)
            section.read("offerPodCIDRs", into: &kubernetes.offersPodRanges, Read.boolean)
            section.read("bypassServiceProxy", into: &kubernetes.bypassesServiceProxy, Read.boolean)
            section.read("clusterIPs", into: &kubernetes.services.announcesClusterIPs, Read.boolean)
            section.read("loadBalancerClass", into: &kubernetes.services.loadBalancerClass) { try Read.name($0) }
            if let list = section.list("serviceRanges") { readServiceRanges(list, section) }
        }
        if let section = file.section(
            "ospf", keys: ["area", "instance", "maximumPaths", "spfDelay", "fastReroute", "gracefulRestart"])
        {
            readOSPF(section)
        }
        if let section = file.section("kernel", keys: ["table", "protocol", "metric", "nextHopCompatibility"]) {
            readKernel(section)
        }
        if let section = file.section("control", keys: ["socket"]) { readControl(section) }
        if let section = file.section("http", keys: ["listen"]) {
            section.read("listen", into: &http.listen) { node -> Endpoint? in
                ["off", "none", "false", ""].contains(try Read.text(node)) ? nil : try Read.endpoint(node)
            }
        }
    }

    private mutating func readServiceRanges(_ list: [(node: Node, key: String)], _ section: Section) {
        guard list.count <= ClusterView.mostServiceRanges else {
            return section.note(
                Complaint("must be at most \(ClusterView.mostServiceRanges) ranges"), at: "serviceRanges")
        }
        kubernetes.serviceRanges = list.compactMap {
            section.reader.value($0.node, key: $0.key, Read.serviceRange)
        }
    }

    private mutating func readAddressing(_ section: Section) {
        section.read("base", into: &addressing.plan) { node in
            guard let plan = AddressPlan(base: try Read.ipv6Prefix(node)) else {
                throw Complaint("must be /71 or shorter, to leave room for a hardware address")
            }
            return plan
        }
        section.read("prefix", into: &addressing.prefix, Read.ipv6Prefix)
        if let list = section.list("podPrefixes") {
            addressing.podPrefixes = list.compactMap { section.reader.value($0.node, key: $0.key, Read.unicastPrefix) }
        }
        if let ipv4 = section.section("ipv4", keys: ["address", "nodes", "pods", "podLength"]) { readIPv4(ipv4) }
    }

    private mutating func readIPv4(_ section: Section) {
        section.read("address", into: &addressing.ipv4.address, Read.ipv4Address)
        section.read("nodes", into: &addressing.ipv4.nodes) { try Read.pool($0, length: 32) }
        var podLength = 24
        section.read("podLength", into: &podLength) { try Read.integer($0, in: 8...32) }
        section.read("pods", into: &addressing.ipv4.pods) { try Read.pool($0, length: podLength) }
        if addressing.ipv4.address != nil, section.has("nodes") {
            section.note(
                Complaint("the address is given already", hint: "leave \"nodes\" or \"address\" out"), at: "nodes")
        }
        guard let pods = addressing.ipv4.pods?.base else { return }
        let others = [
            ("nodes", addressing.ipv4.nodes?.base),
            ("address", addressing.ipv4.address.map { IPv4Prefix($0, length: 32) }),
        ]
        for case (let key, let other?) in others where AddressRange(pods).overlaps(AddressRange(other)) {
            section.note(
                Complaint(
                    "\(pods) overlaps addressing.ipv4.\(key), \(other)",
                    hint: "pods need a range in which nothing else has an address"), at: "pods")
        }
    }

    private mutating func readVIPs(_ list: [(node: Node, key: String)], _ reader: ConfigurationReader) {
        // There may be thousands of VIPs, so duplicates are found in tables.
        var names: Set<String> = []
        var owners: [IPv6Address: String] = [:]
        for (node, place) in list {
            guard let vip = VIP(node, key: place, reader) else { continue }
            if names.contains(vip.name) {
                reader.note(Complaint("another VIP is named \"\(vip.name)\" already"), at: node, key: place)
            } else if let other = owners[vip.address] {
                reader.note(
                    Complaint("\(vip.address) is the address of VIP \"\(other)\" already"), at: node, key: place)
            } else if let (key, base) = ipv4Pools.first(where: { AddressRange($1).contains(vip.address) }) {
                reader.note(
                    Complaint("\(vip.address) is in \(key), \(base)", hint: "nodes take addresses out of it"),
                    at: node, key: place)
            } else {
                names.insert(vip.name)
                owners[vip.address] = vip.name
                vips.append(vip)
            }
        }
    }

    private mutating func readOSPF(_ section: Section) {
        section.read("area", into: &ospf.area, Read.area)
        section.read("instance", into: &ospf.instance) { try Read.integer($0, in: 0...255) }
        section.read("maximumPaths", into: &ospf.maximumPaths) { try Read.integer($0, in: 1...256) }
        section.read("fastReroute", into: &ospf.fastReroute, Read.boolean)
        if let restart = section.section("gracefulRestart", keys: ["helper", "strictLSAChecking", "period"]) {
            ospf.gracefulRestart.read(restart)
        }
        guard let delay = section.section("spfDelay", keys: ["initial", "short", "long", "timeToLearn", "holdDown"])
        else { return }
        let range: ClosedRange<Duration> = .zero ... .seconds(60)
        delay.read("initial", into: &ospf.spfDelay.initial) { try Read.duration($0, in: range) }
        delay.read("short", into: &ospf.spfDelay.short) { try Read.duration($0, in: range) }
        delay.read("long", into: &ospf.spfDelay.long) { try Read.duration($0, in: range) }
        delay.read("timeToLearn", into: &ospf.spfDelay.timeToLearn) { try Read.duration($0, in: range) }
        delay.read("holdDown", into: &ospf.spfDelay.holdDown) { try Read.duration($0, in: range) }
        if ospf.spfDelay.holdDown < ospf.spfDelay.timeToLearn {
            delay.note(Complaint("must not be shorter than timeToLearn (RFC 8405 §3)"), at: "holdDown")
        }
    }

    private mutating func readKernel(_ section: Section) {
        section.read("table", into: &kernel.table) { node in
            if case .scalar(let scalar) = node, scalar.string == "main" { return 254 }
            let table = try Read.integer(node, in: UInt32(1)...UInt32.max)
            guard table != 255 else { throw Complaint("255 is the kernel's own table \"local\"", hint: "main is 254") }
            return table
        }
        section.read("metric", into: &kernel.metric) { try Read.integer($0, in: 1...UInt32.max - 1) }
        section.read("nextHopCompatibility", into: &kernel.keepsNextHopCompatibility) {
            try Read.word($0, ["off": false, "keep": true])
        }
        section.read("protocol", into: &kernel.routeProtocol) { node in
            let number = try Read.integer(node, in: UInt8(1)...UInt8.max)
            if let owner = KernelOptions.owner(ofRouteProtocol: number) {
                throw Complaint("\(number) belongs to \(owner)", hint: "choose another, such as the default, 71")
            }
            return number
        }
    }

    private mutating func readControl(_ section: Section) {
        section.read("socket", into: &control.socket) { node in
            let path = try Read.absolutePath(node)
            guard path.utf8.count <= 107 else {
                throw Complaint("longer than the 107 octets a Unix socket's path may have")
            }
            return path
        }
    }
}

extension InterfaceRule {
    init?(_ node: Node, key: String, _ reader: ConfigurationReader) {
        let keys = [
            "match", "type", "cost", "hello", "dead", "retransmit", "priority", "liveness", "quality", "bfd", "auth",
            "passive",
        ]
        guard let section = reader.section(node, key: key, keys: keys) else { return nil }
        guard section.has("match") else {
            section.note(Complaint("has no \"match\"", hint: "match: \"*\" is every cabled port"))
            return nil
        }
        guard let pattern = section.value("match", Self.pattern) else { return nil }
        self.init(pattern: pattern)
        section.read("type", into: &role) { node in
            try Read.word(
                node,
                [
                    "auto": .active(.auto), "p2p": .active(.pointToPoint), "point-to-point": .active(.pointToPoint),
                    "broadcast": .active(.broadcast), "passive": .passive, "ignore": .ignored,
                ])
        }
        if section.value("passive", Read.boolean) == true {
            if role == .ignored {
                section.note(Complaint("a port that is ignored cannot be passive"), at: "passive")
            }
            role = .passive
        }
        section.read("cost", into: &cost) { try Read.integer($0, in: 1...65535) }
        let isHelloValid = section.read("hello", into: &hello, Read.wholeSeconds)
        // By default four hello intervals, within the 16 bits of RouterDeadInterval.
        if section.has("hello"), !section.has("dead") { dead = min(hello * 4, .seconds(65535)) }
        let isDeadValid = section.read("dead", into: &dead, Read.wholeSeconds)
        section.read("retransmit", into: &retransmit) {
            try Read.duration($0, in: .milliseconds(50) ... .seconds(3600))
        }
        section.read("priority", into: &priority) { try Read.integer($0, in: 0...255) }
        readLiveness(section)
        readQuality(section)
        readBFD(section)
        section.read("auth", into: &authentication) { node -> AuthenticationPolicy? in
            try Read.word(node, ["required": .required, "optional": .optional, "off": .off])
        }
        if isHelloValid, isDeadValid, dead <= hello {
            section.note(
                Complaint(
                    "\(dead.configurationText) must be longer than hello, \(hello.configurationText)",
                    hint: "four times the hello interval is usual"), at: section.has("dead") ? "dead" : "hello")
        }
    }

    /// Reads `liveness`: `off`, `on`, or a section with parameters, which then applies to links of all kinds.
    private mutating func readLiveness(_ section: Section) {
        if case .scalar? = section.entries["liveness"] {
            section.read("liveness", into: &liveness) { try Read.word($0, ["on": .onCables, "off": .off]) }
            return
        }
        guard let inner = section.section("liveness", keys: ["interval", "multiplier"]) else { return }
        var parameters = EchoParameters()
        inner.read("interval", into: &parameters.interval) { try Read.duration($0, in: EchoParameters.intervals) }
        inner.read("multiplier", into: &parameters.multiplier) { try Read.integer($0, in: EchoParameters.multipliers) }
        liveness = .always(parameters)
    }

    private static func pattern(_ node: Node) throws -> Pattern {
        let text = try Read.name(node, upTo: 64)
        if text == "*" { return .everyCabledPort }
        guard let glob = Glob(text) else {
            throw Complaint("\"\(text)\" is not a pattern", hint: "names with * ? [a-z], as in \"cluster*\"")
        }
        return .named(glob)
    }
}

extension AdvertisedPrefix {
    /// A prefix by itself, or with a metric.
    init?(_ node: Node, key: String, _ reader: ConfigurationReader) {
        if case .scalar = node {
            guard let prefix = reader.value(node, key: key, Read.unicastPrefix) else { return nil }
            self.init(prefix: prefix)
            return
        }
        guard let section = reader.section(node, key: key, keys: ["prefix", "metric"]) else { return nil }
        guard section.has("prefix") else {
            section.note(Complaint("has no \"prefix\""))
            return nil
        }
        guard let prefix = section.value("prefix", Read.unicastPrefix) else { return nil }
        self.init(prefix: prefix)
        section.read("metric", into: &metric) { try Read.integer($0, in: 0...65534) }
    }
}

extension ConfigurationReader {
    /// Adds an error that prevents reading the file: a ``Complaint``, or an error of the YAML parser.
    func note(_ error: any Error) {
        switch error {
        case let complaint as Complaint:
            note(complaint, at: nil, key: "")
        case YamlError.scanner(let context, let problem, let mark, _),
            YamlError.parser(let context, let problem, let mark, _),
            YamlError.composer(let context, let problem, let mark, _):
            let place = context.map { " (\($0.text) in line \($0.mark.line))" } ?? ""
            note(Complaint("not YAML: \(problem)\(place)"), at: mark, key: "")
        case YamlError.duplicatedKeysInMapping(let duplicates, let context):
            note(Complaint("given twice"), at: context.mark, key: duplicates.joined(separator: ", "))
        case YamlError.reader(let problem, _, _, _):
            note(Complaint("not YAML: \(problem)"), at: nil, key: "")
        default:
            note(Complaint("not YAML: \(error)"), at: nil, key: "")
        }
    }
}
