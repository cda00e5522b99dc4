public import Addressing

/// A Node: a machine of the cluster.
public struct Node: Resource {
    /// `Node`
    public static let kind = "Node"
    /// `v1`
    public static let apiVersion = "v1"
    /// `nodes`
    public static let plural = "nodes"
    /// Nodes are not namespaced.
    public static let isNamespaced = false

    /// Name, labels and so on.
    public var metadata: ObjectMetadata
    /// The ranges of its pods: `spec.podCIDRs`, or `spec.podCIDR` if there are none. IPv4 ranges are in mapped form.
    public var podCIDRs: [IPv6Prefix]
    /// `spec.unschedulable`: whether it was cordoned.
    public var isUnschedulable: Bool
    /// Whether its condition `Ready` is `True`.
    public var isReady: Bool
    /// Whether its condition `Ready` is `False`, which only the kubelet reports. If the kubelet is silent, the cluster sets the
    /// condition to `Unknown`.
    public var isKnownUnready: Bool
    /// Whether `Ready` is `False` because of a graceful shutdown of the machine, as the kubelet's message says.
    public var isShuttingDown: Bool
    /// The keys of `spec.taints`.
    public var taints: [String]
    /// `status.addresses`.
    public var addresses: [NodeAddress]
}

/// One of a Node's addresses.
public struct NodeAddress: Hashable, Sendable, Codable {
    /// `InternalIP`, `ExternalIP`, `Hostname`, …
    public var type: String
    /// An IP address, or a name.
    public var address: String
}

extension Node {
    private enum CodingKeys: CodingKey { case metadata, spec, status }
    private enum SpecificationKeys: CodingKey { case podCIDR, podCIDRs, unschedulable, taints }
    private enum StatusKeys: CodingKey { case conditions, addresses }

    private struct Condition: Codable {
        var type: String
        var status: String
        var message: String?
    }

    private struct Taint: Codable {
        var key: String
    }

    /// A part of the kubelet's message during a graceful shutdown.
    private static let shutdownMessage = "node is shutting down"

    /// Decodes the fields in use.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        metadata = try fields.decode(ObjectMetadata.self, forKey: .metadata)
        let specification = try fields.fields(.spec, SpecificationKeys.self)
        var ranges = try specification?.value(.podCIDRs, else: [String]()) ?? []
        if ranges.isEmpty, let single = try specification?.value(.podCIDR, else: ""), !single.isEmpty {
            ranges = [single]
        }
        podCIDRs = ranges.compactMap { IPv6Prefix($0) }
        isUnschedulable = try specification?.value(.unschedulable, else: false) ?? false
        taints = try specification?.value(.taints, else: [Taint]()).map(\.key) ?? []
        let status = try fields.fields(.status, StatusKeys.self)
        let ready = try status?.value(.conditions, else: [Condition]()).first { $0.type == "Ready" }
        isReady = ready?.status == "True"
        isKnownUnready = ready?.status == "False"
        isShuttingDown = isKnownUnready && ready?.message?.contains(Self.shutdownMessage) == true
        addresses = try status?.value(.addresses, else: []) ?? []
    }

    /// Encodes the fields in use.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(metadata, forKey: .metadata)
        var specification = fields.nestedContainer(keyedBy: SpecificationKeys.self, forKey: .spec)
        try specification.encode(podCIDRs.map(\.description), forKey: .podCIDRs)
        try specification.encode(isUnschedulable, forKey: .unschedulable)
        try specification.encode(taints.map { Taint(key: $0) }, forKey: .taints)
        var status = fields.nestedContainer(keyedBy: StatusKeys.self, forKey: .status)
        let ready = isReady ? "True" : isKnownUnready ? "False" : "Unknown"
        try status.encode(
            [Condition(type: "Ready", status: ready, message: isShuttingDown ? Self.shutdownMessage : nil)],
            forKey: .conditions)
        try status.encode(addresses, forKey: .addresses)
    }
}
