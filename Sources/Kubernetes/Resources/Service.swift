public import Addressing

public struct Service: Resource {
    /// `Service`
    public static let kind = "Service"
    /// `v1`
    public static let apiVersion = "v1"
    /// `services`
    public static let plural = "services"
    /// Services are namespaced.
    public static let isNamespaced = true

    /// Name, labels and so on.
    public var metadata: ObjectMetadata
    /// `spec.type`: `ClusterIP`, `NodePort`, `LoadBalancer` or `ExternalName`.
    public var type: String
    /// Whether `spec.clusterIP` is `None`.
    public var isHeadless: Bool
    /// `spec.clusterIPs`, or `spec.clusterIP` if there are none; empty for a headless service.
    public var clusterIPs: [IPv6Address]
    /// `spec.externalIPs`
    public var externalIPs: [IPv6Address]
    /// `spec.loadBalancerIP`, the requested address, as written.
    public var loadBalancerIP: String?
    /// `spec.loadBalancerClass`
    public var loadBalancerClass: String?
    /// The addresses under `status.loadBalancer.ingress`.
    public var ingressIPs: [IPv6Address]
    /// The hostnames under `status.loadBalancer.ingress`, which some load balancers give in place of addresses.
    public var ingressNames: [String]
    /// `spec.externalTrafficPolicy`
    public var externalTrafficPolicy: TrafficPolicy
    /// `spec.internalTrafficPolicy`
    public var internalTrafficPolicy: TrafficPolicy
    /// `spec.ipFamilies`
    public var families: [IPFamily]
    /// `spec.ipFamilyPolicy`
    public var familyPolicy: FamilyPolicy
    /// `spec.selector`: the labels of the pods behind it.
    public var selector: [String: String]
    /// `spec.ports`
    public var ports: [ServicePort]
}

/// The endpoints that traffic to a service may go to.
public enum TrafficPolicy: String, Hashable, Sendable {
    /// All endpoints; also for unknown values.
    case cluster = "Cluster"
    /// Only endpoints on the node that received the traffic.
    case local = "Local"
}

/// The number of address families of a service.
public enum FamilyPolicy: String, Hashable, Sendable {
    /// One; also for unknown values.
    case single = "SingleStack"
    /// Two if the cluster has two.
    case preferDual = "PreferDualStack"
    /// Two.
    case requireDual = "RequireDualStack"
}

/// A port of a service or of an EndpointSlice.
public struct ServicePort: Hashable, Sendable {
    /// Its name; may be empty if there is only one port.
    public var name: String
    /// `TCP`, `UDP` or `SCTP`.
    public var transport: String
    /// The port that clients use; in an EndpointSlice, the port of the endpoints, or 0 for all ports.
    public var port: UInt16
}

extension ServicePort: Codable {
    private enum CodingKeys: String, CodingKey {
        case name
        case transport = "protocol"
        case port
    }

    /// Decodes the fields in use.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        name = try fields.value(.name, else: "")
        transport = try fields.value(.transport, else: "TCP")
        port = try fields.value(.port, else: 0)
    }
}

extension Service {
    private enum CodingKeys: CodingKey { case metadata, spec, status }
    private enum SpecificationKeys: CodingKey {
        case type, clusterIP, clusterIPs, externalIPs, loadBalancerIP, loadBalancerClass, externalTrafficPolicy
        case internalTrafficPolicy, ipFamilies, ipFamilyPolicy, selector, ports
    }
    private enum StatusKeys: CodingKey { case loadBalancer }
    private enum LoadBalancerKeys: CodingKey { case ingress }
    private struct Ingress: Codable {
        var ip: String?
        var hostname: String?
    }

    /// Decodes the fields in use.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        metadata = try fields.decode(ObjectMetadata.self, forKey: .metadata)
        let specification = try fields.nestedContainer(keyedBy: SpecificationKeys.self, forKey: .spec)
        type = try specification.value(.type, else: "ClusterIP")
        let clusterIP = try specification.value(.clusterIP, else: "")
        isHeadless = clusterIP == "None"
        let several = try specification.addresses(.clusterIPs)
        clusterIPs = several.isEmpty ? [clusterIP].compactMap { IPv6Address($0) } : several
        externalIPs = try specification.addresses(.externalIPs)
        loadBalancerIP = try specification.decodeIfPresent(String.self, forKey: .loadBalancerIP)
        loadBalancerClass = try specification.decodeIfPresent(String.self, forKey: .loadBalancerClass)
        externalTrafficPolicy =
            TrafficPolicy(rawValue: try specification.value(.externalTrafficPolicy, else: "")) ?? .cluster
        internalTrafficPolicy =
            TrafficPolicy(rawValue: try specification.value(.internalTrafficPolicy, else: "")) ?? .cluster
        families = try specification.value(.ipFamilies, else: [String]()).compactMap(IPFamily.init(rawValue:))
        familyPolicy = FamilyPolicy(rawValue: try specification.value(.ipFamilyPolicy, else: "")) ?? .single
        selector = try specification.value(.selector, else: [:])
        ports = try specification.value(.ports, else: [])
        let loadBalancer = try fields.fields(.status, StatusKeys.self)?.fields(.loadBalancer, LoadBalancerKeys.self)
        let ingress = try loadBalancer?.value(.ingress, else: [Ingress]()) ?? []
        ingressIPs = ingress.compactMap { $0.ip.flatMap { IPv6Address($0) } }
        ingressNames = ingress.compactMap(\.hostname).filter { !$0.isEmpty }
    }

    /// Encodes the fields in use.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(metadata, forKey: .metadata)
        var specification = fields.nestedContainer(keyedBy: SpecificationKeys.self, forKey: .spec)
        try specification.encode(type, forKey: .type)
        if isHeadless { try specification.encode("None", forKey: .clusterIP) }
        try specification.encode(clusterIPs.map(\.description), forKey: .clusterIPs)
        try specification.encode(externalIPs.map(\.description), forKey: .externalIPs)
        try specification.encodeIfPresent(loadBalancerIP, forKey: .loadBalancerIP)
        try specification.encodeIfPresent(loadBalancerClass, forKey: .loadBalancerClass)
        try specification.encode(externalTrafficPolicy.rawValue, forKey: .externalTrafficPolicy)
        try specification.encode(internalTrafficPolicy.rawValue, forKey: .internalTrafficPolicy)
        try specification.encode(families.map(\.rawValue), forKey: .ipFamilies)
        try specification.encode(familyPolicy.rawValue, forKey: .ipFamilyPolicy)
        try specification.encode(selector, forKey: .selector)
        try specification.encode(ports, forKey: .ports)
        var status = fields.nestedContainer(keyedBy: StatusKeys.self, forKey: .status)
        var loadBalancer = status.nestedContainer(keyedBy: LoadBalancerKeys.self, forKey: .loadBalancer)
        let ingress = ingressIPs.map { Ingress(ip: $0.description) } + ingressNames.map { Ingress(hostname: $0) }
        try loadBalancer.encode(ingress, forKey: .ingress)
    }
}
