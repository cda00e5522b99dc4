import Addressing
import OSPFPacket

/// Random values of everything that can be encoded, including small and empty ones.
struct Samples {
    var generator: SplitMix64

    init(seed: UInt64) { generator = SplitMix64(seed: seed) }

    /// A random number.
    mutating func number<Number: FixedWidthInteger>(_: Number.Type = Number.self) -> Number {
        // Zero, one, all bits set and single bits find more mistakes than numbers from the middle.
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: 0
        case 1: 1
        case 2: ~0
        case 3: 1 << Number(truncatingIfNeeded: Int.random(in: 0..<Number.bitWidth, using: &generator))
        default: Number(truncatingIfNeeded: generator.next())
        }
    }

    mutating func list<Element>(upTo limit: Int, _ element: (inout Samples) -> Element) -> [Element] {
        (0..<Int.random(in: 0...limit, using: &generator)).map { _ in element(&self) }
    }

    mutating func octets(_ range: ClosedRange<Int>) -> [UInt8] {
        (0..<Int.random(in: range, using: &generator)).map { _ in number() }
    }

    mutating func routerID() -> RouterID { RouterID(number()) }
    mutating func address() -> IPv6Address { IPv6Address(high: number(), low: number()) }
    mutating func options() -> OSPFOptions { OSPFOptions(rawValue: number()) }
    mutating func metric24() -> UInt32 { number(UInt32.self) & 0xff_ffff }

    mutating func prefix(metric: UInt16? = nil) -> LSAPrefix {
        LSAPrefix(
            prefix: IPv6Prefix(address(), length: Int.random(in: 0...128, using: &generator)),
            options: PrefixOptions(rawValue: number()), metric: metric ?? number())
    }

    mutating func ipv4Prefix() -> LSAPrefix {
        let prefix = IPv4Prefix(IPv4Address(number()), length: Int.random(in: 0...32, using: &generator))
        return LSAPrefix(prefix: IPv6Prefix(prefix), options: PrefixOptions(rawValue: number()), metric: number())
    }

    mutating func key(_ type: LSAType? = nil) -> LSAKey {
        LSAKey(type: type ?? LSAType(rawValue: number()), linkStateID: number(), advertisingRouter: routerID())
    }

    mutating func header() -> LSAHeader {
        LSAHeader(
            age: min(number(), LSAHeader.maxAge), key: key(), sequenceNumber: number(), checksum: number(),
            length: max(number(), 20))
    }
}

extension Samples {
    /// All types whose bodies are decoded, the Router Information LSA in all three scopes, and two types that are not known.
    /// Those before `.autoConfiguration` are known to tshark, too.
    static let types: [LSAType] = [
        .router, .network, .interAreaPrefix, .interAreaRouter, .asExternal, .nssa, .link, .intraAreaPrefix,
        .routerInformation, .autoConfiguration, .grace, .ipv4Prefix, LSAType(rawValue: 0xc00c),
        LSAType(rawValue: 0x800c),
        LSAType(rawValue: 0xa0ff),
        LSAType(rawValue: 0x0123),
    ]

    mutating func lsa(_ type: LSAType) -> LSA {
        LSA(
            key: key(type), age: min(number(), LSAHeader.maxAge), sequenceNumber: number(), body: body(type))
    }

    mutating func lsa() -> LSA { lsa(Self.types.randomElement(using: &generator)!) }

    mutating func body(_ type: LSAType) -> LSABody {
        switch type {
        case .router: .router(routerLSA())
        case .network:
            .network(NetworkLSA(options: options(), attachedRouters: list(upTo: 9) { $0.routerID() }))
        case .interAreaPrefix: .interAreaPrefix(InterAreaPrefixLSA(metric: metric24(), prefix: prefix(metric: 0)))
        case .interAreaRouter:
            .interAreaRouter(InterAreaRouterLSA(options: options(), metric: metric24(), destination: routerID()))
        case .asExternal: .asExternal(external())
        case .nssa: .nssa(external())
        case .link:
            .link(
                LinkLSA(
                    priority: number(), options: options(), linkLocalAddress: address(),
                    prefixes: list(upTo: 9) { $0.prefix(metric: 0) }))
        case .intraAreaPrefix:
            .intraAreaPrefix(
                IntraAreaPrefixLSA(
                    referencedType: Bool.random(using: &generator) ? .router : .network,
                    referencedLinkStateID: number(), referencedAdvertisingRouter: routerID(),
                    prefixes: list(upTo: 30) { $0.prefix() }))
        case _ where type.isRouterInformation:
            .routerInformation(RouterInformationLSA(values: list(upTo: 5) { $0.value() }))
        case .grace:
            .grace(
                GraceLSA(values: [
                    .period(number()), .reason(UInt8.random(in: 0...3, using: &generator)),
                    .unknown(type: 3, value: octets(4...4)),
                ]))
        case .autoConfiguration:
            .autoConfiguration(
                AutoConfigurationLSA(values: [
                    .hardwareFingerprint(octets(32...40)), .unknown(type: 2, value: octets(0...9)),
                ]))
        case .ipv4Prefix: .ipv4Prefix(IPv4PrefixLSA(prefixes: list(upTo: 30) { $0.ipv4Prefix() }))
        default: .unknown((0..<Int.random(in: 0...9, using: &generator)).flatMap { _ in octets(4...4) })
        }
    }

    private mutating func routerLSA() -> RouterLSA {
        RouterLSA(
            flags: RouterLSA.Flags(rawValue: number()), options: options(),
            links: list(upTo: 9) { samples in
                RouterLSA.Link(
                    type: [.pointToPoint, .transit, .virtual].randomElement(using: &samples.generator)!,
                    metric: samples.number(), interfaceID: samples.number(), neighborInterfaceID: samples.number(),
                    neighborRouterID: samples.routerID())
            })
    }

    private mutating func external() -> ASExternalLSA {
        var body = ASExternalLSA(isType2: Bool.random(using: &generator), metric: metric24(), prefix: prefix(metric: 0))
        if Bool.random(using: &generator) { body.forwardingAddress = address() }
        if Bool.random(using: &generator) { body.routeTag = number() }
        if Bool.random(using: &generator) {
            body.referencedType = .interAreaRouter
            body.referencedLinkStateID = number()
        }
        return body
    }

    private mutating func value() -> RouterInformationLSA.TLV {
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: .informationalCapabilities(number())
        case 2: .smallestMTU(number())
        case 3:
            .portNames(
                (0..<Int.random(in: 0...20, using: &generator)).map { _ in
                    .init(interfaceID: number(), name: ["e", "enp1s0f0np0", "äöü"].randomElement(using: &generator)!)
                })
        case 1: .hostname(["a", "köln-4", String(repeating: "n", count: 255)].randomElement(using: &generator)!)
        default: .unknown(type: 100, value: octets(0...9))
        }
    }
}

extension Samples {
    mutating func packet() -> Packet {
        Packet(
            header: PacketHeader(routerID: routerID(), areaID: AreaID(rawValue: number()), instanceID: number()),
            body: packetBody())
    }

    private mutating func packetBody() -> Packet.Body {
        switch PacketType.allCases.randomElement(using: &generator)! {
        case .hello:
            .hello(
                Hello(
                    interfaceID: number(), priority: number(), options: options(), helloInterval: number(),
                    deadInterval: number(), designatedRouter: routerID(), backupDesignatedRouter: routerID(),
                    neighbors: list(upTo: 9) { $0.routerID() }))
        case .databaseDescription:
            .databaseDescription(
                DatabaseDescription(
                    options: options(), interfaceMTU: number(),
                    flags: DatabaseDescription.Flags(rawValue: number(UInt8.self) & 7), sequenceNumber: number(),
                    headers: list(upTo: 9) { $0.header() }))
        case .linkStateRequest: .linkStateRequest(LinkStateRequest(keys: list(upTo: 9) { $0.key() }))
        case .linkStateUpdate: .linkStateUpdate(LinkStateUpdate(lsas: list(upTo: 9) { $0.lsa() }))
        case .linkStateAcknowledgment:
            .linkStateAcknowledgment(LinkStateAcknowledgment(headers: list(upTo: 9) { $0.header() }))
        }
    }
}
