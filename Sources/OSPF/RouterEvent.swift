public import Addressing
public import OSPFPacket

/// An input of a router, which it processes into effects; see ``Router/handle(_:at:effects:)``.
public enum RouterEvent: Sendable {
    /// A link came up and has a link-local address; or a property of a link that is already up has changed.
    case interfaceUp(InterfaceConfiguration)
    /// A link went down, was removed, or lost its carrier or its link-local address.
    case interfaceDown(index: UInt32)
    /// A packet of IP protocol 89 was received. `octets` starts at the OSPF header and is not trusted.
    case packet(interface: UInt32, source: IPv6Address, destination: IPv6Address, octets: [UInt8])
    /// The neighbor with this address does not answer any more, or does again, as something other than hellos tells. While
    /// it does not, its hellos are heard but it is no neighbor in use (RFC 5882 §3.2). With `isListed`, our hellos list it meanwhile:
    /// it learns of the failure otherwise, and needs to be listed in order to try again.
    case neighborLiveness(interface: UInt32, address: IPv6Address, isAlive: Bool, isListed: Bool = false)
    /// ``Router/nextDeadline`` is due. An early event is harmless; a late one delays what is due.
    case timer
    /// Replaces the list of the router's own prefixes. Of several entries for a prefix, the one with the lowest metric
    /// counts.
    case advertise([AdvertisedPrefix])
    /// Replaces the list of the external prefixes that this router imports. Of several entries for a prefix, the first
    /// counts.
    case advertiseExternal([ExternalPrefix])
    /// The process ends, and another one resumes this run: neighbors are asked to hold the links meanwhile (RFC 3623). See
    /// ``Router/isRestartAcknowledged``.
    case announceRestart(GraceLSA.Reason)
    /// Whether others should route around this router: it then announces its links with the maximum metric, and a clear R-bit
    /// (RFC 6987, RFC 5340 §A.2).
    case stubRouter(Bool)
    /// Shut down gracefully: own LSAs are flushed and neighbors informed, so that others route around this router at
    /// once.
    case shutdown
}

/// A prefix imported from outside the routing domain (AS-external).
public struct ExternalPrefix: Hashable, Sendable {
    /// The prefix.
    public var prefix: IPv6Prefix
    /// The metric, 0–0xfffffe.
    public var metric: UInt32
    /// Whether the metric counts as larger than that of any path inside the routing domain (type 2), or is added to the
    /// distance inside (type 1).
    public var isType2: Bool

    public init(prefix: IPv6Prefix, metric: UInt32 = 1, isType2: Bool = true) {
        self.prefix = prefix
        self.metric = metric
        self.isType2 = isType2
    }
}
