public import Addressing

/// A node of the cluster as far as it has addresses. All nodes are watched for these, and the rest of them is large, so
/// nothing else is kept, and a change of anything else is no change.
public struct NodeAddresses: Resource {
    /// `Node`
    public static let kind = Node.kind
    /// `v1`
    public static let apiVersion = Node.apiVersion
    /// `nodes`
    public static let plural = Node.plural
    /// `nodeaddresses`
    public static let label = "nodeaddresses"
    /// Nodes live in no namespace.
    public static let isNamespaced = false

    /// Name, identity and version only.
    public var metadata: ObjectMetadata
    /// The IP addresses of `status.addresses`, whatever their types; those of IPv4 in mapped form.
    public var addresses: [IPv6Address]
}

extension NodeAddresses {
    private enum CodingKeys: CodingKey { case metadata, status }
    private enum StatusKeys: CodingKey { case addresses }

    /// More addresses of one node are not read.
    static let limit = 64

    /// Reads what is used.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        metadata = try fields.decode(ObjectMetadata.self, forKey: .metadata)
        (metadata.labels, metadata.annotations, metadata.deletionTimestamp) = ([:], [:], nil)
        let status = try fields.fields(.status, StatusKeys.self)
        let all = try status?.value(.addresses, else: [NodeAddress]()) ?? []
        // Including those of type Hostname: the name of a machine may be its address.
        addresses = Array(all.lazy.compactMap { IPv6Address(ofEitherFamily: $0.address) }.prefix(Self.limit))
    }

    /// Writes what is known.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(metadata, forKey: .metadata)
        var status = fields.nestedContainer(keyedBy: StatusKeys.self, forKey: .status)
        try status.encode(
            addresses.map { NodeAddress(type: "InternalIP", address: $0.textOfItsFamily) }, forKey: .addresses)
    }
}
