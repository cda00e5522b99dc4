import Addressing
import BFD
import Cluster
import ConfigurationFile
import MeshConfiguration
import OSPF
import Services
import TestSupport
import Testing

@testable import Agent

/// Parses `yaml` as the file `f.yaml`.
private func parse(_ yaml: String) throws -> Configuration { try Configuration(yaml: yaml, file: "f.yaml") }

/// The problems of `yaml`; empty if there are none.
private func problems(_ yaml: String) -> [String] {
    do {
        _ = try parse(yaml)
        return []
    } catch let problems as ConfigurationProblems {
        return problems.problems.map(\.description)
    } catch {
        return ["\(error)"]
    }
}

@Suite struct ConfigurationTests {
    @Test func absentKeysHaveTheirDefaults() throws {
        #expect(try parse("apiVersion: kubermesh/v1\nvips:\n") == Configuration())
        #expect(try parse("{}") == Configuration())
    }

    @Test(arguments: ["", "\n", "# only a comment\n", "---\n", "~"]) func anEmptyFileIsAnError(text: String) {
        #expect(
            problems(text) == [
                "f.yaml: is empty, as after a failed write (for the defaults, write apiVersion: kubermesh/v1)"
            ])
    }

    @Test func aWrongTimerIsReportedOnce() {
        for (timers, expected) in [
            ("hello: 1500ms, dead: 1s", "hello: must be whole seconds, not 1500ms"),
            ("hello: 6s, dead: 1500ms", "dead: must be whole seconds, not 1500ms"),
            ("hello: 20000s, dead: 70000s", "dead: 70000s is out of range"),
        ] {
            let found = problems("interfaces: [ { match: a, \(timers) } ]")
            #expect(found.count == 1 && found.first?.contains(expected) == true, "\(found)")
        }
    }

    @Test func keysOfMostSectionsAreRead() throws {
        let configuration = try parse(
            """
            apiVersion: kubermesh/v1
            node: { name: n1, routerID: 10.0.0.1 }
            addressing:
              base: "2001:db8::/64"
              prefix: 2001:db8:0:1::100/120
              podPrefixes: [ "2001:db8:0:2::/120" ]
            interfaces:
              - match: "cluster*"
                type: p2p
                cost: 20
                hello: 2s
                dead: 10s
                priority: 7
                retransmit: 500ms
                bfd: { interval: 50ms, multiplier: 5, passive: true, auth: { type: sha1, id: 3, keyFile: /k } }
              - { match: dummy0, passive: true }
              - { match: "*", type: ignore }
            advertise: [ "2001:db8:f::/48", { prefix: "2001:db8:e::/48", metric: 5 } ]
            vips:
              - name: api
                address: 2001:db8::a
                check: { tcp: 6443, interval: 100ms, timeout: 50ms, rise: 1, fall: 2 }
              - { name: web, address: 2001:db8::b, check: { http: { url: "http://[::1]:8080/healthz?x=1", host: web, status: 200-204 } } }
              - { name: dns, address: 2001:db8::c }
            pools:
              - { name: lan, addresses: [ 192.0.2.10-192.0.2.20, 198.51.100.0/28 ] }
              - { name: six, autoAssign: off, addresses: [ "2001:db8:f::/120", 2001:db8:e::7 ] }
            ospf:
              area: 0.0.0.1
              instance: 3
              maximumPaths: 8
              spfDelay: { initial: 1ms, short: 20ms }
              gracefulRestart: { helper: off, strictLSAChecking: off, period: 30s }
            kernel: { table: 100, protocol: 72, metric: 99, nextHopCompatibility: keep }
            control: { socket: /tmp/x.sock }
            http: { listen: "127.0.0.1:80" }
            """)
        var cluster = InterfaceRule(pattern: .named(Glob("cluster*")!))
        cluster.role = .active(.pointToPoint)
        cluster.cost = 20
        cluster.hello = .seconds(2)
        cluster.dead = .seconds(10)
        cluster.priority = 7
        cluster.retransmit = .milliseconds(500)
        cluster.bfd = BFDRule()
        cluster.bfd?.parameters = SessionParameters(interval: .milliseconds(50), multiplier: 5, isPassive: true)
        cluster.bfd?.authentication = SessionKeyRule(type: .keyedSHA1, id: 3, keyFile: "/k")
        #expect(configuration.interfaces.first == cluster)
        #expect(configuration.interfaces.map(\.role) == [.active(.pointToPoint), .passive, .ignored])
        #expect(configuration.node.name == "n1")
        #expect(configuration.node.routerID == RouterID("10.0.0.1"))
        #expect(configuration.addressing.plan.base == IPv6Prefix("2001:db8::/64"))
        #expect(configuration.addressing.prefix == IPv6Prefix("2001:db8:0:1::100/120"))
        #expect(configuration.addressing.podPrefixes == [IPv6Prefix("2001:db8:0:2::/120")!])
        #expect(configuration.advertise.map(\.metric) == [0, 5])
        #expect(configuration.ospf.area == AreaID("0.0.0.1"))
        #expect(configuration.ospf.instance == 3)
        #expect(configuration.ospf.maximumPaths == 8)
        #expect(configuration.ospf.spfDelay.initial == .milliseconds(1))
        #expect(configuration.ospf.spfDelay.long == SPFDelayParameters().long)
        #expect(!configuration.ospf.gracefulRestart.helps)
        #expect(!configuration.ospf.gracefulRestart.checksLSAsStrictly)
        #expect(configuration.ospf.gracefulRestart.period == .seconds(30))
        #expect(configuration.kernel.table == 100)
        #expect(configuration.kernel.routeProtocol == 72)
        #expect(configuration.kernel.keepsNextHopCompatibility)
        #expect(configuration.kernel.metric == 99)
        #expect(configuration.control.socket == "/tmp/x.sock")
        #expect(configuration.http.listen == Endpoint("127.0.0.1:80"))
        let api = try #require(configuration.vips.first?.check)
        #expect(api.probe == .tcp(Endpoint.loopback(port: 6443)))
        #expect(
            api.interval == .milliseconds(100) && api.timeout == .milliseconds(50) && api.rise == 1 && api.fall == 2)
        #expect(
            configuration.vips[1].check?.probe
                == .http(
                    HTTPProbe(
                        endpoints: [Endpoint("[::1]:8080")!], path: "/healthz?x=1", host: "web", status: [200...204])))
        #expect(configuration.vips[2].check == nil)
        #expect(
            configuration.pools == [
                AddressPool(
                    name: "lan", ranges: ["192.0.2.10-192.0.2.20", "198.51.100.0/28"].map { AddressRange($0)! }),
                AddressPool(
                    name: "six",
                    ranges: [AddressRange("2001:db8:f::/120")!, AddressRange(IPv6Prefix("2001:db8:e::7/128")!)],
                    assignsAutomatically: false),
            ])
    }

    @Test func rangesOfClusterIPsAreRead() throws {
        #expect(try parse("kubernetes: { watch: on }").kubernetes.serviceRanges == nil)
        #expect(try parse("kubernetes: { serviceRanges: [] }").kubernetes.serviceRanges == [])
        let two = try parse("kubernetes: { serviceRanges: [ 10.96.0.0/12, \"fd00:10:96::/112\" ] }")
        #expect(two.kubernetes.serviceRanges?.map(\.description) == ["10.96.0.0/12", "fd00:10:96::/112"])
        #expect(
            problems("kubernetes: { serviceRanges: [ 10.96.0.1/12 ] }").first?.contains("did you mean 10.96.0.0/12?")
                == true)
        for range in ["0.0.0.0/0", "\"::/0\"", "\"fd00::/8\"", "127.0.0.0/8", "\"fe80::/64\""] {
            #expect(problems("kubernetes: { serviceRanges: [ \(range) ] }").count == 1, "\(range)")
        }
        let many = (0..<17).map { "10.\($0).0.0/16" }.joined(separator: ", ")
        #expect(problems("kubernetes: { serviceRanges: [ \(many) ] }").first?.contains("at most 16") == true)
        // Service routes have the largest metric.
        #expect(problems("kernel: { metric: 4294967295 }").count == 1)
        #expect(problems("kernel: { metric: 4294967294 }") == [])
    }

    @Test func anUnknownKeyIsReportedWithItsPlaceAndASuggestion() {
        #expect(
            problems("interfaces:\n  - { match: eth0, helo: 1s }\n")
                == ["f.yaml:2:20: interfaces[0].helo: unknown key (did you mean \"hello\"?)"])
        #expect(problems("advertize: []\n") == ["f.yaml:1:1: advertize: unknown key (did you mean \"advertise\"?)"])
        #expect(problems("zebra: 1\n").first?.contains("known here: apiVersion, node") == true)
    }

    @Test func allErrorsAreReportedTogether() {
        let found = problems(
            """
            node: { routerID: 0.0.0.0 }
            interfaces:
              - { match: eth0, cost: 0 }
              - { match: eth1, hello: 2 }
            advertise: [ "2001:db8::1/64", 10.0.0.1/8 ]
            """)
        #expect(found.count == 5)
        #expect(found[0].hasPrefix("f.yaml:1:19: node.routerID: 0.0.0.0 is not a router ID"))
        #expect(
            found[1].hasPrefix("f.yaml:3:26: interfaces[0].cost: must be a whole number from 1 to 65535, not \"0\""))
        #expect(found[2].contains("add the unit: 2s or 2ms"))
        #expect(found[3].contains("did you mean 2001:db8::/64?"))
        #expect(found[4].contains("did you mean 10.0.0.0/8?"))
    }

    @Test(arguments: [
        ("apiVersion: kubermesh/v2", "apiVersion"), ("node: 5", "must be a mapping"),
        ("interfaces: eth0", "must be a list"),
        ("interfaces: [ { cost: 5 } ]", "has no \"match\""),
        ("interfaces: [ { match: \"eth[\" } ]", "is not a pattern"),
        ("interfaces: [ { match: a, type: ptp } ]", "did you mean \"p2p\"?"),
        ("interfaces: [ { match: a, bfd: { interval: 5ms } } ]", "5ms is out of range"),
        ("interfaces: [ { match: a, bfd: { multiplier: 0 } } ]", "from 1 to 255"),
        ("interfaces: [ { match: a, bfd: { auth: { type: md5 } } } ]", "has no \"keyFile\""),
        ("interfaces: [ { match: a, bfd: { auth: { type: md4, keyFile: /k } } } ]", "md4"),
        ("interfaces: [ { match: a, hello: 4s, dead: 4s } ]", "must be longer than hello"),
        ("interfaces: [ { match: a, hello: 1500ms } ]", "whole seconds"), ("auth: { keys: [] }", "must be a text"),
        ("auth: { required: true }", "has no \"keys\""), ("interfaces: [ { match: a, auth: required } ]", "needs keys"),
        ("addressing: { base: \"fd00::/72\" }", "/71 or shorter"), ("advertise: [ \"fe80::/64\" ]", "link-local"),
        ("pools: [ { name: a } ]", "needs a \"name\" and \"addresses\""),
        ("pools: [ { name: a, addresses: [] } ]", "pools[0].addresses: has no address"),
        ("pools: [ { name: a, addresses: [ 192.0.2.9-192.0.2.1 ] } ]", "the lower address comes first"),
        ("pools: [ { name: a, addresses: [ \"192.0.2.9-fd00::1\" ] } ]", "both are of one family"),
        ("pools: [ { name: a, addresses: [ 192.0.2.1-2-3 ] } ]", "pools[0].addresses[0]: \"2\" is not an address"),
        ("pools: [ { name: a, addresses: [ 127.0.0.1 ] } ]", "not an address that can be routed"),
        ("pools: [ { name: a, addresses: [ 192.0.2.1/24 ] } ]", "did you mean 192.0.2.0/24?"),
        ("pools: [ { name: a, addresses: [ 0.0.0.0/0 ] } ]", "contains all addresses"),
        ("pools: [ { name: a, addresses: [ 192.0.2.1, 192.0.2.0/24 ] } ]", "overlaps what this pool has already"),
        (
            "{ pools: [ { name: a, addresses: [ 192.0.2.0/24 ] } ], vips: [ { name: api, address: 192.0.2.9 } ] }",
            "overlaps what VIP \"api\" has already"
        ),
        (
            "{ pools: [ { name: a, addresses: [ 10.0.7.9 ] } ], addressing: { ipv4: { pods: 10.0.0.0/16 } } }",
            "overlaps what addressing.ipv4.pods has already"
        ),
        (
            "pools: [ { name: a, addresses: [ 192.0.2.1 ] }, { name: b, addresses: [ 192.0.2.0/24 ] } ]",
            "pools[1].addresses[0]: 192.0.2.0-192.0.2.255 overlaps what pool \"a\" has already"
        ),
        (
            "pools: [ { name: a, addresses: [ 192.0.2.1 ] }, { name: a, addresses: [ 192.0.2.2 ] } ]",
            "named \"a\" already"
        ),
        ("pools: [ { name: a, addresses: [ 192.0.2.1 ], autoAssign: perhaps } ]", "must be true or false"),
        (
            "addressing: { ipv4: { nodes: 10.0.3.0/24, pods: 10.0.0.0/16 } }",
            "addressing.ipv4.pods: 10.0.0.0/16 overlaps addressing.ipv4.nodes, 10.0.3.0/24"
        ),
        (
            "addressing: { ipv4: { nodes: 10.0.0.0/16, pods: 10.0.3.0/24 } }",
            "addressing.ipv4.pods: 10.0.3.0/24 overlaps addressing.ipv4.nodes, 10.0.0.0/16"
        ),
        (
            "addressing:\n  ipv4:\n    nodes: 10.0.0.0/24\n    pods: 10.0.0.0/16", "f.yaml:4:11: addressing.ipv4.pods"
        ),
        (
            "addressing: { ipv4: { address: 10.0.3.7, pods: 10.0.0.0/16 } }",
            "overlaps addressing.ipv4.address, 10.0.3.7/32"
        ),
        (
            "{ addressing: { ipv4: { nodes: 10.0.3.0/24 } }, vips: [ { name: api, address: 10.0.3.9 } ] }",
            "vips[0]: 10.0.3.9 is in addressing.ipv4.nodes, 10.0.3.0/24"
        ),
        (
            "{ addressing: { ipv4: { pods: 10.0.0.0/16 } }, vips: [ { name: api, address: 10.0.3.9 } ] }",
            "vips[0]: 10.0.3.9 is in addressing.ipv4.pods, 10.0.0.0/16"
        ),
        ("vips: [ { name: a } ]", "needs a \"name\" and an \"address\""),
        ("vips: [ { name: a, address: 224.0.0.1 } ]", "not an address that can be routed"),
        ("advertise: [ 169.254.7.0/24 ]", "link-local"), ("advertise: [ 10.0.0.1 ]", "write 10.0.0.1/32"),
        ("addressing: { prefix: 10.0.0.0/24 }", "an IPv6 prefix is needed"),
        ("vips: [ { name: a, address: \"fd00::1\" }, { name: a, address: \"fd00::2\" } ]", "named \"a\" already"),
        ("vips: [ { name: a, address: \"fd00::1\" }, { name: b, address: \"fd00::1\" } ]", "of VIP \"a\" already"),
        ("vips: [ { name: a, address: \"fd00::1\", prefixes: [ \"fe80::/64\" ] } ]", "vips[0].prefixes[0]"),
        (
            "vips: [ { name: a, address: \"fd00::1\", check: { interval: 1s } } ]",
            "needs exactly one of tcp, http, https and exec"
        ),
        ("vips: [ { name: a, address: \"fd00::1\", check: { tcp: \"[fd00::1]:5\" } } ]", "VIP's own address"),
        ("vips: [ { name: a, address: 192.0.2.1, check: { tcp: \"192.0.2.1:5\" } } ]", "VIP's own address"),
        ("vips: [ { name: a, address: \"fd00::1\", check: { http: \"http://web/\" } } ]", "names are not looked up"),
        ("advertise: [ \"::1/128\" ]", "cannot be routed"), ("advertise: [ \"::/128\" ]", "cannot be routed"),
        (
            "vips: [ { name: a, address: \"fd00::1\", check: { tcp: 1, http: \"http://[::1]/\" } } ]",
            "needs exactly one of"
        ),
        (
            "kernel: { protocol: 188 }",
            "kernel.protocol: 188 belongs to FRR (OSPF) (choose another, such as the default, 71)"
        ), ("kernel: { protocol: 2 }", "belongs to the kernel"),
        ("kernel: { protocol: 0 }", "from 1 to 255"),
        ("kernel: { table: 255 }", "local"), ("kernel: { nextHopCompatibility: kepp }", "did you mean \"keep\""),
        ("control: { socket: x.sock }", "absolute path"),
        ("http: { listen: 9179 }", "address with a port"), ("ospf: { maximumPaths: 0 }", "from 1 to 256"),
        ("a: 1\na: 2", "given twice"), ("a: [", "not YAML"), ("\ta: 1", "not YAML"), ("- 1", "must be a mapping"),
        ("node: { name: \"\" }", "plain text"),
    ])
    func wrongValuesAreReported(yaml: String, expected: String) {
        let found = problems(yaml)
        #expect(found.count == 1)
        #expect(found.first?.contains(expected) == true, "\(found)")
        #expect(found.first?.hasPrefix("f.yaml:") == true)
    }

    /// With the protocol number of DHCP clients, the agent once removed the machine's default route.
    @Test func theRouteProtocolNumbersOfOthersAreRefused() throws {
        // The numbers in rtnetlink.h and in the tables of iproute2 and FRR.
        for number in Array(1...4) + Array(8...18) + [42, 99] + Array(186...198) {
            #expect(problems("kernel: { protocol: \(number) }").count == 1, "\(number)")
        }
        for number in [5, 71, 72, 98, 199, 255] {
            #expect(try Int(parse("kernel: { protocol: \(number) }").kernel.routeProtocol) == number)
        }
        #expect(
            problems("kernel: { protocol: 16 }") == [
                "f.yaml:1:21: kernel.protocol: 16 belongs to DHCP clients (choose another, such as the default, 71)"
            ])
    }

    /// A file of about the maximum size, 1 MiB. When each VIP was compared with all others, this took half a minute.
    @Test func thousandsOfVIPsAndPoolRangesAreReadInSeconds() throws {
        let vips = (1...13_000).map { "- { name: v\($0), address: \"fd00::\(String($0, radix: 16))\" }\n" }
        let ranges = (1...20_000).map { "\"fd00::\(String($0 % 13_000 + 1, radix: 16))\"" }
        let yaml = "vips:\n\(vips.joined())pools:\n- { name: p, addresses: [ \(ranges.joined(separator: ",")) ] }\n"
        try #require((700_000...Configuration.maximumFileSize).contains(yaml.utf8.count))
        var found: [String] = []
        let spent = processorTime { found = problems(yaml) }
        #expect(found.count == 20_000 && found[0].contains("overlaps what VIP \"v2\" has already"))
        #expect(spent < .seconds(10), "\(spent)")
    }

    @Test func httpCanBeTurnedOff() throws {
        #expect(try parse("http: { listen: off }").http.listen == nil)
        #expect(try parse("http: { listen: none }").http.listen == nil)
        #expect(try parse("http: {}").http.listen == Endpoint("[::1]:9179"))
    }

    @Test func deadFollowsHelloUnlessGiven() throws {
        #expect(try parse("interfaces: [ { match: a, hello: 10s } ]").interfaces[0].dead == .seconds(40))
        #expect(try parse("interfaces: [ { match: a, hello: 10s, dead: 11s } ]").interfaces[0].dead == .seconds(11))
    }
}

@Suite struct InterfaceRuleTests {
    typealias Port = InterfaceRule.Port

    @Test(arguments: [
        (Port(name: "eth0"), true), (Port(name: "enp3s0"), true),
        (Port(name: "veth0a1b", kind: "veth", isPeerElsewhere: true), false),
        (Port(name: "p1", kind: "veth", isPeerElsewhere: true), true), (Port(name: "p1", kind: "veth"), false),
        (Port(name: "p1", kind: "veth", hasMaster: true, isPeerElsewhere: true), false),
        (Port(name: "docker0", kind: "bridge"), false),
        (Port(name: "cali12", kind: "veth", isPeerElsewhere: true), false),
        // Names that systemd-nspawn gives: `ve-` without a bridge, `vb-` with one.
        (Port(name: "ve-web", kind: "veth", isPeerElsewhere: true), false),
        (Port(name: "vb-web", kind: "veth", isPeerElsewhere: true), false),
        (Port(name: "vein0", kind: "veth", isPeerElsewhere: true), true),
        (Port(name: "ve-0"), true),
        (Port(name: "wg0", kind: "wireguard", isEthernet: false), false), (Port(name: "lo", isEthernet: false), false),
        (Port(name: "bond0", kind: "bond"), false), (Port(name: "dummy0", kind: "dummy"), false),
    ])
    func everyCabledPortIsUsedByDefault(port: Port, isUsed: Bool) {
        #expect((Configuration().rule(for: port) != nil) == isUsed)
    }

    @Test func theFirstMatchWins() throws {
        let configuration = try parse(
            "interfaces: [ { match: eth1, type: ignore }, { match: \"eth*\", cost: 5 }, { match: eth2, cost: 6 } ]")
        #expect(configuration.rule(for: Port(name: "eth1")) == nil)
        #expect(configuration.rule(for: Port(name: "eth2"))?.cost == 5)
        #expect(configuration.rule(for: Port(name: "wlan0")) == nil)
    }

    @Test func aPortMatchedByNameIsUsedWhateverItsKind() throws {
        let configuration = try parse("interfaces: [ { match: \"veth*\" }, { match: br0 } ]")
        #expect(configuration.rule(for: Port(name: "veth1", kind: "veth")) != nil)
        #expect(configuration.rule(for: Port(name: "br0", kind: "bridge")) != nil)
        #expect(configuration.rule(for: Port(name: "veth1", kind: "veth", hasMaster: true)) == nil)
    }
}

@Suite struct GlobTests {
    @Test(arguments: [
        ("eth0", "eth0", true), ("eth0", "eth01", false), ("eth*", "eth", true), ("*0", "eth0", true),
        ("*0", "eth01", false),
        ("e*h*0", "ethh10", true), ("enp?s*", "enp3s0f1", true), ("enp?s*", "enp13s0", false), ("p[0-3]", "p2", true),
        ("p[0-3]", "p4", false), ("p[ab]", "pb", true), ("*", "", true), ("?", "", false), ("a**b", "ab", true),
    ])
    func aPatternMatchesNames(pattern: String, name: String, expected: Bool) throws {
        #expect(try #require(Glob(pattern)).matches(name) == expected)
    }

    @Test(arguments: ["", "[", "[]", "a[b", "[z-a]"]) func invalidPatternsAreRefused(pattern: String) {
        #expect(Glob(pattern) == nil)
    }

    @Test func aPatternWithManyStarsIsMatchedQuickly() throws {
        let glob = try #require(Glob(String(repeating: "a*", count: 30) + "b"))
        #expect(!glob.matches(String(repeating: "a", count: 200)))
    }
}

@Suite struct DurationTextTests {
    @Test(arguments: [
        ("100ms", Duration.milliseconds(100)), ("1s", .seconds(1)), ("1.5s", .milliseconds(1500)),
        ("2m", .seconds(120)),
        ("1h", .seconds(3600)), ("250us", .microseconds(250)), ("0s", .zero), ("0.25m", .seconds(15)),
    ])
    func durationsAreRead(text: String, duration: Duration) throws {
        let value = try #require(Duration(configurationText: text))
        #expect(value == duration)
        #expect(Duration(configurationText: value.configurationText) == duration)
    }

    @Test(arguments: [
        "", "1", "s", "-1s", "1.s", ".5s", "1e3s", "1 s", "1d", "9999999999s", "1.2.3s", "2562047.9h", "153722867.9m",
    ])
    func invalidDurationsAreRefused(text: String) { #expect(Duration(configurationText: text) == nil) }
}
