import Addressing
import OSPFPacket
internal import Timing

/// Grace-LSAs of our own (RFC 3623 §2, RFC 5187 §3): neighbors of any make hold the links with a router that restarts.
extension Router {
    /// When to retransmit a grace-LSA that was not acknowledged: the process is about to end. Routers that delay
    /// acknowledgments acknowledge a copy at once (RFC 2328 §13.5).
    static let graceRetransmission = Duration.milliseconds(50)

    /// The process ends, and another one follows: asks the Full neighbors to hold the links (RFC 3623 §2.1). Routers on a link
    /// with a designated router are asked, too.
    mutating func announceRestart(_ reason: GraceLSA.Reason, at now: Instant) {
        guard let period = configuration.gracefulRestart.period else { return }
        for interface in interfaces where interface.neighbors.contains(where: { $0.state == .full }) {
            let key = ownKey(.grace, interface.index, interface: interface.index)
            want(.grace(GraceLSA(period: Self.graceSeconds(period), reason: reason)), for: key, at: now)
        }
    }

    /// Whether all neighbors have acknowledged our grace-LSAs; also if there are none.
    public var isRestartAcknowledged: Bool {
        origination.own.keys.allSatisfy { $0.lsa.type != .grace || database[$0]?.unacknowledged ?? 0 == 0 }
    }

    /// While an earlier run is resumed, an interface that comes up sends a grace-LSA before its first hello, which lists nobody
    /// (RFC 3623 §5). The neighbors are not known yet, so it is sent once and not retransmitted. Its sequence numbers are above
    /// those of the grace-LSA with which the earlier run may have announced its end.
    mutating func announceResumption(on index: UInt32, at now: Instant) {
        guard let resumption, configuration.gracefulRestart.period != nil, !interfaces[index].isSilent else { return }
        let configuration = interfaces[index].configuration
        let key = ownKey(.grace, index, interface: index)
        let period = resumption.deadline - now + Self.graceMargin
        origination.expectLaterSequence(of: key)
        want(.grace(GraceLSA(period: Self.graceSeconds(period), reason: .unknown)), for: key, at: now)
        guard let lsa = database[key]?.lsa else { return }
        var encoder = UpdateEncoder(header: packetHeader, mtu: configuration.mtu)
        guard encoder.append(lsa, age: Int(configuration.transmitDelay)) else { return }
        let octets = encoder.finish(source: configuration.linkLocalAddress, destination: .allSPFRouters)
        send(octets, type: .linkStateUpdate, on: index, to: .allSPFRouters)
    }

    /// How long grace-LSAs stay after the resumption: the exchange may end a little later for a neighbor than for us, and until
    /// then it must hold the link. Also how much longer than the resumption their period is.
    private static let graceMargin = Duration.seconds(1)

    /// The resumption is over: has the grace-LSAs flushed soon (RFC 3623 §2.3).
    mutating func scheduleEndOfGrace(at now: Instant) {
        if origination.own.keys.contains(where: { $0.lsa.type == .grace }) { graceEnd = now + Self.graceMargin }
    }

    /// Flushes our grace-LSAs when that is due.
    mutating func endGrace(at now: Instant) {
        guard let end = graceEnd, end <= now else { return }
        graceEnd = nil
        for key in origination.own.keys.filter({ $0.lsa.type == .grace }).sorted() { want(nil, for: key, at: now) }
    }

    private static func graceSeconds(_ period: Duration) -> UInt32 {
        let bounded = min(max(period, .seconds(1)), GracefulRestartOptions.longestPeriod)
        return UInt32((bounded.nanoseconds + 999_999_999) / 1_000_000_000)
    }
}
