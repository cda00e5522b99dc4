import Addressing
import OSPF
import Services
import Yams

extension VIP {
    /// One entry of `vips`.
    init?(_ node: Node, key: String, _ reader: ConfigurationReader) {
        guard let section = reader.section(node, key: key, keys: ["name", "address", "prefixes", "check"]) else {
            return nil
        }
        guard section.has("name"), section.has("address") else {
            section.note(Complaint("needs a \"name\" and an \"address\""))
            return nil
        }
        let name = section.value("name") { try Read.name($0, upTo: 63) }
        guard let name, let address = section.value("address", Read.address) else { return nil }
        self.init(name: name, address: address)
        if let list = section.list("prefixes") {
            prefixes = list.compactMap { AdvertisedPrefix($0.node, key: $0.key, reader) }
        }
        guard section.has("check") else { return }
        guard let section = section.section("check", keys: HealthCheck.keys) else { return }
        check = HealthCheck(section, environment: ["KUBERMESH_VIP": name, "KUBERMESH_ADDRESS": "\(address)"])
        if check?.probe.endpoints.contains(where: { $0.host == HostAddress(address) }) == true {
            section.note(
                Complaint(
                    "checks the VIP's own address, which is on this node only while the check passes",
                    hint: "check an address that is always on this node, such as [::1]"))
        }
    }
}

extension HealthCheck {
    static let keys = ["tcp", "http", "https", "exec", "interval", "timeout", "rise", "fall"]

    /// `environment` is that of the program of an `exec` check, besides `PATH`.
    init?(_ section: Section, environment: [String: String]) {
        let kinds = ["tcp", "http", "https", "exec"].filter(section.has)
        guard kinds.count == 1, let kind = kinds.first else {
            section.note(Complaint("needs exactly one of tcp, http, https and exec", hint: "for example tcp: 6443"))
            return nil
        }
        let probe: Probe? =
            switch kind {
            case "tcp": Probe(tcp: section)
            case "exec": Probe(command: section, environment)
            default: Probe(http: section, kind)
            }
        guard let probe else { return nil }
        self.init(probe: probe)
        let range: ClosedRange<Duration> = .milliseconds(10) ... .seconds(3600)
        section.read("interval", into: &interval) { try Read.duration($0, in: range) }
        section.read("timeout", into: &timeout) { try Read.duration($0, in: range) }
        section.read("rise", into: &rise) { try Read.integer($0, in: 1...100) }
        section.read("fall", into: &fall) { try Read.integer($0, in: 1...100) }
    }
}

extension Probe {
    fileprivate init?(tcp section: Section) {
        let endpoints = section.value("tcp") { node -> [Endpoint] in
            let text = try Read.text(node)
            if let port = UInt16(text), port != 0 { return Endpoint.loopback(port: port) }
            guard let endpoint = Endpoint(text) else {
                throw Complaint(
                    "\(node.kindInWords) is not a port or an address with a port",
                    hint: "for example 6443 or \"[::1]:6443\"")
            }
            return [endpoint]
        }
        guard let endpoints else { return nil }
        self = .tcp(endpoints)
    }

    /// `kind` is the key, and the scheme of the URL: `http` or `https`.
    fileprivate init?(http section: Section, _ kind: String) {
        let url = { (node: Node) in try HTTPProbe(url: node, scheme: kind) }
        if case .scalar = section.entries[kind] {
            guard let probe = section.value(kind, url) else { return nil }
            self = .http(probe)
            return
        }
        let keys = ["url", "host", "status"] + (kind == "https" ? TLSOptions.keys : [])
        guard let fields = section.section(kind, keys: keys) else { return nil }
        guard fields.has("url") else {
            fields.note(Complaint("has no \"url\"", hint: HTTPProbe.example(kind)))
            return nil
        }
        guard var probe = fields.value("url", url) else { return nil }
        if fields.read("host", into: &probe.host, HTTPProbe.host), fields.has("host") {
            probe.tls?.serverName = probe.host.flatMap(TLSOptions.serverName)
        }
        fields.read("status", into: &probe.status, HTTPProbe.status)
        probe.tls?.read(fields)
        self = .http(probe)
    }

    fileprivate init?(command section: Section, _ environment: [String: String]) {
        guard let fields = section.section("exec", keys: ["command"]) else { return nil }
        guard fields.has("command") else {
            fields.note(Complaint("has no \"command\"", hint: CommandProbe.example))
            return nil
        }
        guard let command = fields.value("command", CommandProbe.command) else { return nil }
        self = .command(CommandProbe(command: command, environment: environment))
    }
}

extension CommandProbe {
    fileprivate static let example = "for example command: [ /usr/bin/etcdctl, endpoint, health ]"

    /// Parses a program and its arguments.
    fileprivate static func command(_ node: Node) throws -> [String] {
        guard case .sequence(let list) = node, !list.isEmpty else {
            throw Complaint("must be a list that begins with a program, not \(node.kindInWords)", hint: example)
        }
        let words = try list.map(Read.argument)
        guard !words[0].isEmpty, words[0].hasPrefix("/") || !words[0].contains("/") else {
            throw Complaint(
                "\"\(words[0].prefix(60))\" is neither an absolute path nor the name of a program", hint: example)
        }
        return words
    }
}

extension Read {
    /// A word of a command line.
    fileprivate static func argument(_ node: Node) throws -> String {
        let text = try text(node)
        guard text.utf8.count <= 4096, !text.utf8.contains(0) else {
            throw Complaint("must be at most 4096 octets, none of them zero")
        }
        return text
    }
}

extension TLSOptions {
    fileprivate static let keys = ["ca", "serverName", "insecure", "certificate", "key"]

    fileprivate mutating func read(_ fields: Section) {
        fields.read("serverName", into: &serverName) { node in
            let name = try Read.text(node)
            guard let name = Self.serverName(name), name == (try Read.text(node)) else {
                throw Complaint(
                    "\(node.kindInWords) is not a name",
                    hint: "without serverName, the certificate must have the checked address")
            }
            return name
        }
        if let path = fields.value("ca", Read.absolutePath) { trust = .file(path) }
        if fields.value("insecure", Read.boolean) == true {
            if fields.has("ca") { fields.note(Complaint("nothing is checked against \"ca\""), at: "insecure") }
            trust = .anything
        }
        guard fields.has("certificate") == fields.has("key") else {
            fields.note(Complaint("\"certificate\" and \"key\" are given together or not at all"))
            return
        }
        if let certificate = fields.value("certificate", Read.absolutePath),
            let key = fields.value("key", Read.absolutePath)
        {
            identity = Identity(certificate: certificate, key: key)
        }
    }

    /// The name in a Host header, without the port; `nil` if it is an address or not a valid name.
    fileprivate static func serverName(_ host: String) -> String? {
        guard Endpoint(host) == nil, HostAddress(host) == nil, !host.hasPrefix("[") else { return nil }
        let name = host.prefix { $0 != ":" }
        let isName = name.utf8.allSatisfy {
            (0x61...0x7a).contains($0 | 0x20) || (0x30...0x39).contains($0) || [0x2d, 0x2e, 0x5f].contains($0)
        }
        return isName && (1...253).contains(name.utf8.count) ? String(name) : nil
    }
}

extension HTTPProbe {
    fileprivate static func example(_ scheme: String) -> String {
        scheme == "https" ? "for example https://[::1]:6443/readyz" : "for example http://[::1]:8080/healthz"
    }

    /// Parses `SCHEME://ADDRESS[:PORT][/PATH]`, by default with port 80 or 443 and path `/`. `localhost` means both loopback
    /// addresses.
    fileprivate init(url node: Node, scheme: String) throws {
        let text = try Read.text(node)
        let hint = Self.example(scheme)
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw Complaint("\(node.kindInWords) is not a URL", hint: hint)
        }
        guard text.hasPrefix("\(scheme)://") else {
            throw Complaint("\(node.kindInWords) is not a URL of \(scheme)", hint: hint)
        }
        let rest = text.dropFirst(scheme.utf8.count + 3)
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let path = slash == rest.endIndex ? "/" : String(rest[slash...])
        let authority = String(rest[..<slash])
        let isSecure = scheme == "https"
        let port: UInt16 = isSecure ? 443 : 80
        if authority == "localhost" || authority.hasPrefix("localhost:") {
            guard let port = authority == "localhost" ? port : UInt16(authority.dropFirst(10)), port != 0 else {
                throw Complaint("\(node.kindInWords) has no valid port", hint: hint)
            }
            self.init(
                endpoints: Endpoint.loopback(port: port), path: path, host: authority,
                tls: isSecure ? TLSOptions(serverName: "localhost") : nil)
        } else if let endpoint = Endpoint(authority) ?? Endpoint("\(authority):\(port)") {
            self.init(endpoints: [endpoint], path: path, tls: isSecure ? TLSOptions() : nil)
        } else {
            throw Complaint(
                "\"\(authority.prefix(60))\" is not an address with a port",
                hint: "names are not looked up, because the mesh must come up before any name server; \(hint)")
        }
    }

    fileprivate static func host(_ node: Node) throws -> String? {
        let host = try Read.name(node)
        guard host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { throw Complaint("is not a host name") }
        return host
    }

    /// Parses `200`, `200-399`, or a list of these.
    fileprivate static func status(_ node: Node) throws -> [ClosedRange<Int>] {
        let nodes = if case .sequence(let list) = node, !list.isEmpty { Array(list) } else { [node] }
        return try nodes.map { node in
            let parts = try Read.text(node).split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard (1...2).contains(parts.count), let low = parts[0], let high = parts[parts.count - 1], low <= high,
                low >= 100, high <= 599
            else {
                throw Complaint(
                    "\(node.kindInWords) is not a status code or a range of them", hint: "for example 200 or 200-399")
            }
            return low...high
        }
    }
}
