import OSPFPacket

extension Packet {
    /// The body, if it is an update.
    var update: LinkStateUpdate? {
        if case .linkStateUpdate(let update) = body { update } else { nil }
    }
    /// The body, if it is an acknowledgment.
    var acknowledgment: LinkStateAcknowledgment? {
        if case .linkStateAcknowledgment(let acknowledgment) = body { acknowledgment } else { nil }
    }
}
