/// The decoded body of an LSA. The LS type in the header determines the case.
public enum LSABody: Hashable, Sendable {
    case router(RouterLSA)
    case network(NetworkLSA)
    case interAreaPrefix(InterAreaPrefixLSA)
    case interAreaRouter(InterAreaRouterLSA)
    case asExternal(ASExternalLSA)
    /// NSSA-LSA, which has the form of an AS-external-LSA.
    case nssa(ASExternalLSA)
    case link(LinkLSA)
    /// Grace-LSA (RFC 5187).
    case grace(GraceLSA)
    case intraAreaPrefix(IntraAreaPrefixLSA)
    /// Router Information LSA (RFC 7770).
    case routerInformation(RouterInformationLSA)
    /// Auto-configuration-LSA (RFC 7503).
    case autoConfiguration(AutoConfigurationLSA)
    /// The IPv4 prefixes of a node, in an LSA type of our own.
    case ipv4Prefix(IPv4PrefixLSA)
    /// The octets of a body of any other type, or of one with the LS type of ``ipv4Prefix(_:)`` but without our identifier.
    case unknown([UInt8])
}

extension LSABody {
    /// Decodes the octets after the LSA header.
    init(decoding octets: RawSpan, type: LSAType) throws(DecodingError) {
        self =
            switch type {
            case .router: .router(try RouterLSA(decoding: octets))
            case .network: .network(try NetworkLSA(decoding: octets))
            case .interAreaPrefix: .interAreaPrefix(try InterAreaPrefixLSA(decoding: octets))
            case .interAreaRouter: .interAreaRouter(try InterAreaRouterLSA(decoding: octets))
            case .asExternal: .asExternal(try ASExternalLSA(decoding: octets))
            case .nssa: .nssa(try ASExternalLSA(decoding: octets))
            case .link: .link(try LinkLSA(decoding: octets))
            case .grace: .grace(try GraceLSA(decoding: octets))
            case .intraAreaPrefix: .intraAreaPrefix(try IntraAreaPrefixLSA(decoding: octets))
            case .autoConfiguration: .autoConfiguration(try AutoConfigurationLSA(decoding: octets))
            case .ipv4Prefix where IPv4PrefixLSA.hasIdentifier(octets): .ipv4Prefix(try IPv4PrefixLSA(decoding: octets))
            case _ where type.isRouterInformation: .routerInformation(try RouterInformationLSA(decoding: octets))
            default: .unknown(octets.octets(in: 0..<octets.byteCount))
            }
    }

    func encode(into octets: inout [UInt8]) {
        switch self {
        case .router(let body): body.encode(into: &octets)
        case .network(let body): body.encode(into: &octets)
        case .interAreaPrefix(let body): body.encode(into: &octets)
        case .interAreaRouter(let body): body.encode(into: &octets)
        case .asExternal(let body), .nssa(let body): body.encode(into: &octets)
        case .link(let body): body.encode(into: &octets)
        case .grace(let body): body.encode(into: &octets)
        case .intraAreaPrefix(let body): body.encode(into: &octets)
        case .routerInformation(let body): body.encode(into: &octets)
        case .autoConfiguration(let body): body.encode(into: &octets)
        case .ipv4Prefix(let body): body.encode(into: &octets)
        case .unknown(let body): octets.append(contentsOf: body)
        }
    }

    /// Whether an LSA of `type` can have this body.
    func isPossible(in type: LSAType) -> Bool {
        switch self {
        case .router: type == .router
        case .network: type == .network
        case .interAreaPrefix: type == .interAreaPrefix
        case .interAreaRouter: type == .interAreaRouter
        case .asExternal: type == .asExternal
        case .nssa: type == .nssa
        case .link: type == .link
        case .grace: type == .grace
        case .intraAreaPrefix: type == .intraAreaPrefix
        case .routerInformation: type.isRouterInformation
        case .autoConfiguration: type == .autoConfiguration
        case .ipv4Prefix: type == .ipv4Prefix
        case .unknown: true
        }
    }
}
