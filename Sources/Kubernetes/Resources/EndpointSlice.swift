public import Addressing

/// Some of the endpoints of a service.
public struct EndpointSlice: Resource {
    /// `EndpointSlice`
    public static let kind = "EndpointSlice"
    /// `discovery.k8s.io/v1`
    public static let apiVersion = "discovery.k8s.io/v1"
    /// `endpointslices`
    public static let plural = "endpointslices"
    /// Slices are in the namespace of their service.
    public static let isNamespaced = true

    /// Name, labels and so on.
    public var metadata: ObjectMetadata
    /// `IPv4`, `IPv6` or `FQDN`.
    public var addressType: String
    public var endpoints: [Endpoint]
    /// Their ports. An entry without a port, which means all ports, has `port` 0.
    public var ports: [ServicePort]

    /// The service it belongs to, by its label; `nil` without that label.
    public var service: ObjectKey? {
        metadata.labels["kubernetes.io/service-name"].map { ObjectKey(namespace: metadata.namespace, name: $0) }
    }

    /// One endpoint, usually a pod.
    public struct Endpoint: Hashable, Sendable {
        /// Its IP addresses, without host names. The API defines no meaning for those after the first.
        public var addresses: [IPv6Address]
        /// The node that it runs on; `nil` if that is not known.
        public var nodeName: String?
        /// `conditions.ready`: it accepts new connections. Missing means yes.
        public var isReady: Bool
        /// `conditions.serving`: it answers, even while terminating. Missing means the value of `ready`.
        public var isServing: Bool
        /// `conditions.terminating`: it is being deleted. Missing means no.
        public var isTerminating: Bool
    }
}

extension EndpointSlice {
    private enum CodingKeys: CodingKey { case metadata, addressType, endpoints, ports }

    /// Decodes the fields in use.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        metadata = try fields.decode(ObjectMetadata.self, forKey: .metadata)
        addressType = try fields.value(.addressType, else: "")
        endpoints = try fields.value(.endpoints, else: [])
        ports = try fields.value(.ports, else: [])
    }
}

extension EndpointSlice.Endpoint: Codable {
    private enum CodingKeys: CodingKey { case addresses, nodeName, conditions }
    private enum ConditionKeys: CodingKey { case ready, serving, terminating }

    /// Decodes the fields in use.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        addresses = try fields.addresses(.addresses)
        nodeName = try fields.decodeIfPresent(String.self, forKey: .nodeName)
        let conditions = try fields.fields(.conditions, ConditionKeys.self)
        isReady = try conditions?.value(.ready, else: true) ?? true
        isServing = try conditions?.decodeIfPresent(Bool.self, forKey: .serving) ?? isReady
        isTerminating = try conditions?.value(.terminating, else: false) ?? false
    }

    /// Encodes the fields in use.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(addresses.map(\.description), forKey: .addresses)
        try fields.encodeIfPresent(nodeName, forKey: .nodeName)
        var conditions = fields.nestedContainer(keyedBy: ConditionKeys.self, forKey: .conditions)
        try conditions.encode(isReady, forKey: .ready)
        try conditions.encode(isServing, forKey: .serving)
        try conditions.encode(isTerminating, forKey: .terminating)
    }
}
