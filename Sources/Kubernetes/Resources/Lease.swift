/// A lock with an expiry, for leader election.
public struct Lease: Resource {
    /// `Lease`
    public static let kind = "Lease"
    /// `coordination.k8s.io/v1`
    public static let apiVersion = "coordination.k8s.io/v1"
    /// `leases`
    public static let plural = "leases"
    /// Leases are namespaced.
    public static let isNamespaced = true

    /// Name, version and so on.
    public var metadata: ObjectMetadata
    /// Its `spec`.
    public var record: LeaseRecord

    private enum CodingKeys: String, CodingKey {
        case metadata
        case record = "spec"
    }

    public init(metadata: ObjectMetadata, record: LeaseRecord) {
        self.metadata = metadata
        self.record = record
    }

    /// Decodes the fields in use.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        metadata = try fields.decode(ObjectMetadata.self, forKey: .metadata)
        record = try fields.value(.record, else: LeaseRecord())
    }
}

/// The `spec` of a lease.
public struct LeaseRecord: Hashable, Sendable {
    /// The holder; empty after a release.
    public var holderIdentity = ""
    /// How long the lease is valid after a renewal, in seconds.
    public var leaseDurationSeconds = 0
    /// When the holder acquired the lease, on the holder's clock.
    public var acquireTime = ""
    /// When the lease was last renewed, on the holder's clock.
    public var renewTime = ""
    /// The number of times that the holder changed.
    public var leaseTransitions = 0

    public init() {}
}

extension LeaseRecord: Codable {
    private enum CodingKeys: CodingKey {
        case holderIdentity, leaseDurationSeconds, acquireTime, renewTime, leaseTransitions
    }

    /// Decodes a record. Missing fields are empty or 0.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        holderIdentity = try fields.value(.holderIdentity, else: "")
        leaseDurationSeconds = try fields.value(.leaseDurationSeconds, else: 0)
        acquireTime = try fields.value(.acquireTime, else: "")
        renewTime = try fields.value(.renewTime, else: "")
        leaseTransitions = try fields.value(.leaseTransitions, else: 0)
    }

    /// Encodes a record. An empty time becomes `null`, because the API rejects empty times.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(holderIdentity, forKey: .holderIdentity)
        try fields.encode(leaseDurationSeconds, forKey: .leaseDurationSeconds)
        try fields.encode(acquireTime.isEmpty ? nil : acquireTime, forKey: .acquireTime)
        try fields.encode(renewTime.isEmpty ? nil : renewTime, forKey: .renewTime)
        try fields.encode(leaseTransitions, forKey: .leaseTransitions)
    }
}
