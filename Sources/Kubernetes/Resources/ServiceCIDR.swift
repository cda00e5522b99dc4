public import Addressing

/// A ServiceCIDR: ranges from which services get their cluster IPs. API servers before Kubernetes 1.33 do not have this kind.
public struct ServiceCIDR: Resource {
    /// `ServiceCIDR`
    public static let kind = "ServiceCIDR"
    /// `networking.k8s.io/v1`
    public static let apiVersion = "networking.k8s.io/v1"
    /// `servicecidrs`
    public static let plural = "servicecidrs"
    /// ServiceCIDRs are not namespaced.
    public static let isNamespaced = false

    /// Name, labels and so on.
    public var metadata: ObjectMetadata
    /// The ranges in `spec.cidrs`: one, or one of each family. IPv4 ranges are in mapped form.
    public var ranges: [IPv6Prefix]
}

extension ServiceCIDR {
    private enum CodingKeys: CodingKey { case metadata, spec }
    private enum SpecificationKeys: CodingKey { case cidrs }

    /// The maximum number of ranges per object, as in the API; the rest is ignored.
    static let limit = 2

    /// Decodes the fields in use.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        metadata = try fields.decode(ObjectMetadata.self, forKey: .metadata)
        let specification = try fields.fields(.spec, SpecificationKeys.self)
        let all = try specification?.value(.cidrs, else: [String]()) ?? []
        ranges = Array(all.lazy.compactMap { IPv6Prefix($0) }.prefix(Self.limit))
    }

    /// Encodes the fields in use.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(metadata, forKey: .metadata)
        var specification = fields.nestedContainer(keyedBy: SpecificationKeys.self, forKey: .spec)
        try specification.encode(ranges.map(\.description), forKey: .cidrs)
    }
}
