public import Addressing

/// The addresses of a Node. The agent watches all Nodes for them. A Node is large, so only its name, UID, version and
/// addresses are kept. An update that changes none of the addresses, such as the kubelet's status report, is not reported.
public struct NodeAddresses: Resource {
    /// `Node`
    public static let kind = Node.kind
    /// `v1`
    public static let apiVersion = Node.apiVersion
    /// `nodes`
    public static let plural = Node.plural
    /// Not `nodes`, which is the label of ``Node``: the watch of the machine's own Node has other files and metrics.
    public static let label = "nodeaddresses"
    /// Nodes are not namespaced.
    public static let isNamespaced = false

    /// Name, UID and version only.
    public var metadata: ObjectMetadata
    /// The first 64 IP addresses of `status.addresses`, whatever their types; those of IPv4 in mapped form.
    public var addresses: [IPv6Address]
}

extension NodeAddresses {
    private enum CodingKeys: CodingKey { case metadata, status }
    private enum StatusKeys: CodingKey { case addresses }

    /// The maximum number of addresses per Node; the rest is ignored. A machine has a few.
    static let limit = 64

    /// Decodes the fields in use.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        metadata = try fields.decode(ObjectMetadata.self, forKey: .metadata)
        (metadata.labels, metadata.annotations, metadata.deletionTimestamp) = ([:], [:], nil)
        let status = try fields.fields(.status, StatusKeys.self)
        let all = try status?.value(.addresses, else: [NodeAddress]()) ?? []
        // Including those of type Hostname: the name of a machine may be its address.
        addresses = Array(all.lazy.compactMap { IPv6Address($0.address) }.prefix(Self.limit))
    }

    /// Encodes the fields in use.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(metadata, forKey: .metadata)
        var status = fields.nestedContainer(keyedBy: StatusKeys.self, forKey: .status)
        // The types are not kept, so any will do.
        try status.encode(
            addresses.map { NodeAddress(type: "InternalIP", address: $0.description) }, forKey: .addresses)
    }
}
