internal import Addressing
internal import ControlAPI
internal import Links
internal import MeshConfiguration
internal import OSPF
internal import OSPFPacket
internal import Timing

extension AgentSnapshot {
    /// The database, or the LSAs of one type.
    func lsaList(of type: LSAType?, withDetail: Bool) -> [ControlAPI.LSA] {
        guard let router else { return [] }
        return router.databaseSnapshot(at: now).filter { type == nil || $0.lsa.key.type == type }.map { entry in
            let header = entry.lsa.header
            let body = try? entry.lsa.body()
            return ControlAPI.LSA(
                type: header.key.type.name, typeCode: hexadecimal(header.key.type.rawValue, digits: 4),
                scope: header.key.type.scope.text, interface: entry.interface.map { name(ofInterface: $0) },
                linkStateID: IPv4Address(header.key.linkStateID).description,
                advertisingRouter: header.key.advertisingRouter.description,
                node: name(of: header.key.advertisingRouter),
                age: Int(header.age), sequenceNumber: hexadecimal(UInt32(bitPattern: header.sequenceNumber), digits: 8),
                checksum: hexadecimal(header.checksum, digits: 4), length: Int(header.length), isOwn: entry.isOwn,
                summary: body.map(summary) ?? "cannot be decoded", body: withDetail ? body.map(\.fields) : nil)
        }
    }

    /// A body in a few words, for tables.
    private func summary(_ body: LSABody) -> String {
        switch body {
        case .router(let lsa):
            lsa.links.isEmpty
                ? "no links"
                : "links " + lsa.links.map { "\(label(of: $0.neighborRouterID)):\($0.metric)" }.joined(separator: " ")
        case .network(let lsa): "routers " + lsa.attachedRouters.map { label(of: $0) }.joined(separator: " ")
        case .interAreaPrefix(let lsa): "\(lsa.prefix.prefix) metric \(lsa.metric)"
        case .interAreaRouter(let lsa): "\(label(of: lsa.destination)) metric \(lsa.metric)"
        case .asExternal(let lsa), .nssa(let lsa):
            "\(lsa.prefix.prefix) type \(lsa.isType2 ? 2 : 1) metric \(lsa.metric)"
        case .link(let lsa):
            ([lsa.linkLocalAddress.description] + lsa.prefixes.map(\.prefix.description)).joined(separator: " ")
        case .grace(let lsa):
            "period \(lsa.period.map { "\($0) s" } ?? "missing") reason: \(lsa.reason?.text ?? "none")"
        case .intraAreaPrefix(let lsa): summary(of: lsa.prefixes.map(\.prefix.description))
        case .routerInformation(let lsa): lsa.hostname ?? "\(lsa.values.count) values"
        case .autoConfiguration(let lsa):
            lsa.hardwareFingerprint.map { "fingerprint \(hexadecimal($0.prefix(8)))…" } ?? "\(lsa.values.count) values"
        case .ipv4Prefix(let lsa): summary(of: lsa.prefixes.map(\.prefix.description))
        case .unknown(let octets): "\(octets.count) octets"
        }
    }

    private func summary(of items: [String]) -> String {
        items.prefix(3).joined(separator: " ") + (items.count > 3 ? " and \(items.count - 3) more" : "")
    }
}

/// A number as `0x` and at least this many hexadecimal digits.
private func hexadecimal(_ number: some BinaryInteger, digits: Int) -> String {
    let text = String(number, radix: 16)
    return "0x" + String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
}

extension FloodingScope {
    fileprivate var text: String {
        switch self {
        case .linkLocal: "link"
        case .area: "area"
        case .autonomousSystem: "as"
        case .reserved: "reserved"
        }
    }
}

// MARK: - Every field

extension LSABody {
    /// Every field, by name.
    var fields: JSONValue {
        switch self {
        case .router(let lsa):
            [
                "flags": .strings(lsa.flags.names), "options": .strings(lsa.options.names),
                "links": .array(lsa.links.map(\.fields)),
            ]
        case .network(let lsa):
            [
                "options": .strings(lsa.options.names),
                "attachedRouters": .strings(lsa.attachedRouters.map(\.description)),
            ]
        case .interAreaPrefix(let lsa):
            ["metric": .integer(Int(lsa.metric)), "prefix": lsa.prefix.fields(withMetric: false)]
        case .interAreaRouter(let lsa):
            [
                "metric": .integer(Int(lsa.metric)), "destination": .string(lsa.destination.description),
                "options": .strings(lsa.options.names),
            ]
        case .asExternal(let lsa), .nssa(let lsa): lsa.fields
        case .link(let lsa):
            [
                "priority": .integer(Int(lsa.priority)), "options": .strings(lsa.options.names),
                "linkLocalAddress": .string(lsa.linkLocalAddress.description),
                "prefixes": .array(lsa.prefixes.map { $0.fields(withMetric: false) }),
            ]
        case .intraAreaPrefix(let lsa):
            [
                "referencedType": .string(lsa.referencedType.name),
                "referencedLinkStateID": .string(IPv4Address(lsa.referencedLinkStateID).description),
                "referencedAdvertisingRouter": .string(lsa.referencedAdvertisingRouter.description),
                "prefixes": .array(lsa.prefixes.map { $0.fields(withMetric: true) }),
            ]
        case .routerInformation(let lsa): ["values": .array(lsa.values.map(\.fields))]
        case .grace(let lsa): ["values": .array(lsa.values.map(\.fields))]
        case .autoConfiguration(let lsa): ["values": .array(lsa.values.map(\.fields))]
        case .ipv4Prefix(let lsa): ["prefixes": .array(lsa.prefixes.map { $0.fields(withMetric: true) })]
        case .unknown(let octets): ["octets": .octets(octets)]
        }
    }
}

extension JSONValue {
    fileprivate static func strings(_ values: [String]) -> JSONValue { .array(values.map { .string($0) }) }
    fileprivate static func octets(_ values: [UInt8]) -> JSONValue { .string(hexadecimal(values)) }
}

private func hexadecimal(_ octets: some Sequence<UInt8>) -> String {
    octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

extension RouterLSA.Link {
    fileprivate var fields: JSONValue {
        [
            "type": .string(type.text), "metric": .integer(Int(metric)), "interfaceID": .integer(Int(interfaceID)),
            "neighborInterfaceID": .integer(Int(neighborInterfaceID)),
            "neighborRouterID": .string(neighborRouterID.description),
        ]
    }
}

extension LSAPrefix {
    fileprivate func fields(withMetric: Bool) -> JSONValue {
        var fields: [String: JSONValue] = ["prefix": .string(prefix.description), "options": .strings(options.names)]
        if withMetric { fields["metric"] = .integer(Int(metric)) }
        return .object(fields)
    }
}

extension ASExternalLSA {
    fileprivate var fields: JSONValue {
        var fields: [String: JSONValue] = [
            "metricType": .integer(isType2 ? 2 : 1), "metric": .integer(Int(metric)),
            "prefix": prefix.fields(withMetric: false),
        ]
        if let forwardingAddress { fields["forwardingAddress"] = .string(forwardingAddress.description) }
        if let routeTag { fields["routeTag"] = .integer(Int(routeTag)) }
        if let referencedType, let referencedLinkStateID {
            fields["referencedType"] = .string(hexadecimal(referencedType.rawValue, digits: 4))
            fields["referencedLinkStateID"] = .string(IPv4Address(referencedLinkStateID).description)
        }
        return .object(fields)
    }
}

extension RouterInformationLSA.TLV {
    fileprivate var fields: JSONValue {
        switch self {
        case .informationalCapabilities(let bits): ["informationalCapabilities": .string(hexadecimal(bits, digits: 8))]
        case .hostname(let name): ["hostname": .string(name)]
        case .smallestMTU(let mtu): ["smallestMTU": .integer(Int(mtu))]
        case .portNames(let names):
            [
                "portNames": .array(
                    names.map { ["interfaceID": .integer(Int($0.interfaceID)), "name": .string($0.name)] })
            ]
        case .unknown(let type, let value): ["type": .integer(Int(type)), "value": .octets(value)]
        }
    }
}

extension AutoConfigurationLSA.TLV {
    fileprivate var fields: JSONValue {
        switch self {
        case .hardwareFingerprint(let value): ["hardwareFingerprint": .octets(value)]
        case .unknown(let type, let value): ["type": .integer(Int(type)), "value": .octets(value)]
        }
    }
}

extension GraceLSA.TLV {
    fileprivate var fields: JSONValue {
        switch self {
        case .period(let period): ["gracePeriod": .integer(Int(period))]
        case .reason(let reason): ["reason": .integer(Int(reason))]
        case .unknown(let type, let value): ["type": .integer(Int(type)), "value": .octets(value)]
        }
    }
}

extension OSPFOptions {
    /// The bits that are set, by their names in the RFCs; unnamed bits as one hexadecimal number.
    fileprivate var names: [String] {
        let known: [(String, OSPFOptions)] = [
            ("V6", .v6), ("E", .e), ("N", .n), ("R", .r), ("DC", .dc), ("AF", .af), ("L", .l), ("AT", .at),
        ]
        let rest = subtracting(OSPFOptions(known.map(\.1)))
        return known.filter { contains($0.1) }.map(\.0) + (rest.isEmpty ? [] : [hexadecimal(rest.rawValue, digits: 6)])
    }
}

extension RouterLSA.Flags {
    fileprivate var names: [String] {
        let known: [(String, RouterLSA.Flags)] = [
            ("B", .border), ("E", .external), ("V", .virtualLink), ("Nt", .translator),
        ]
        let rest = subtracting(RouterLSA.Flags(known.map(\.1)))
        return known.filter { contains($0.1) }.map(\.0) + (rest.isEmpty ? [] : [hexadecimal(rest.rawValue, digits: 2)])
    }
}

extension PrefixOptions {
    fileprivate var names: [String] {
        let known: [(String, PrefixOptions)] = [
            ("NU", .noUnicast), ("LA", .localAddress), ("P", .propagate), ("DN", .down), ("N", .node),
        ]
        let rest = subtracting(PrefixOptions(known.map(\.1)))
        return known.filter { contains($0.1) }.map(\.0) + (rest.isEmpty ? [] : [hexadecimal(rest.rawValue, digits: 2)])
    }
}
