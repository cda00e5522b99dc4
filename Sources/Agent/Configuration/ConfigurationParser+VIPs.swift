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
        let unsupported = [
            "https": "use tcp, or http on a plain port", "exec": "use tcp or http",
        ]
        let keys = ["tcp", "http", "interval", "timeout", "rise", "fall"]
        guard let section = section.section("check", keys: keys, unsupported: unsupported) else { return }
        check = HealthCheck(section)
        if check?.probe.endpoints.contains(where: { $0.host == .v6(address) }) == true {
            section.note(
                Complaint(
                    "tries the VIP's own address, which this node holds only while the check passes",
                    hint: "try an address that is always here, such as [::1]"))
        }
    }
}

extension HealthCheck {
    fileprivate init?(_ section: Section) {
        guard section.has("tcp") != section.has("http") else {
            if section.isComplete {
                section.note(Complaint("needs either tcp or http", hint: "for example tcp: 6443"))
            }
            return nil
        }
        guard let probe = section.has("tcp") ? Probe(tcp: section) : Probe(http: section) else { return nil }
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

    fileprivate init?(http section: Section) {
        if case .scalar = section.entries["http"] {
            guard let probe = section.value("http", HTTPProbe.init(url:)) else { return nil }
            self = .http(probe)
            return
        }
        guard let fields = section.section("http", keys: ["url", "host", "status"]) else { return nil }
        guard fields.has("url") else {
            fields.note(Complaint("has no \"url\"", hint: "for example http://[::1]:8080/healthz"))
            return nil
        }
        guard var probe = fields.value("url", HTTPProbe.init(url:)) else { return nil }
        fields.read("host", into: &probe.host) { node in
            let host = try Read.name(node)
            guard host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { throw Complaint("is not a host name") }
            return host
        }
        fields.read("status", into: &probe.status, HTTPProbe.status)
        self = .http(probe)
    }
}

extension HTTPProbe {
    /// Reads `http://ADDRESS:PORT/PATH`; `localhost` is both loopback addresses.
    fileprivate init(url node: Node) throws {
        let text = try Read.text(node)
        let hint = "for example http://[::1]:8080/healthz"
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw Complaint("\(node.kindInWords) is not a URL", hint: hint)
        }
        if text.hasPrefix("https://") {
            throw Complaint("https is not supported yet", hint: "use tcp, or http on a plain port")
        }
        guard text.hasPrefix("http://") else { throw Complaint("\(node.kindInWords) is not a URL", hint: hint) }
        let rest = text.dropFirst(7)
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let path = slash == rest.endIndex ? "/" : String(rest[slash...])
        let authority = String(rest[..<slash])
        if authority == "localhost" || authority.hasPrefix("localhost:") {
            guard let port = authority == "localhost" ? 80 : UInt16(authority.dropFirst(10)), port != 0 else {
                throw Complaint("\(node.kindInWords) has no valid port", hint: hint)
            }
            self.init(endpoints: Endpoint.loopback(port: port), path: path, host: authority)
        } else if let endpoint = Endpoint(authority) ?? Endpoint(authority + ":80") {
            self.init(endpoints: [endpoint], path: path)
        } else {
            throw Complaint(
                "\"\(authority.prefix(60))\" is not an address with a port",
                hint: "names are not looked up, because the mesh must come up before any name server; \(hint)")
        }
    }

    /// Reads `200` or `200-399`.
    fileprivate static func status(_ node: Node) throws -> ClosedRange<Int> {
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
