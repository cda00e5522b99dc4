import OSPFPacket

extension Packet {
    /// The update it carries, if it is one.
    var update: LinkStateUpdate? {
        if case .linkStateUpdate(let update) = body { update } else { nil }
    }
    /// The acknowledgment it carries, if it is one.
    var acknowledgment: LinkStateAcknowledgment? {
        if case .linkStateAcknowledgment(let acknowledgment) = body { acknowledgment } else { nil }
    }
}
