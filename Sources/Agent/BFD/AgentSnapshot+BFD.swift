internal import Addressing
internal import BFD
internal import ControlAPI
internal import Node
internal import OSPF
internal import PrometheusMetrics
internal import Timing

extension AgentSnapshot {
    /// The session of BFD with a neighbor; `nil` if there is none.
    func session(of neighbor: NeighborSnapshot) -> BFDSession? {
        let key = NeighborAddress(interface: neighbor.interface, address: neighbor.address)
        guard node.bfd.has(key), let known = sessions.sessions[key] else { return nil }
        func seconds(_ duration: Duration) -> Double { Double(duration.nanoseconds) / 1e9 }
        return BFDSession(
            state: known.state.description, diagnostic: known.diagnostic.description, age: age(since: known.since),
            remoteState: known.remoteState?.description, remoteDiagnostic: known.remoteDiagnostic?.description,
            discriminator: known.discriminator, remoteDiscriminator: known.remoteDiscriminator,
            desiredTransmit: seconds(known.desiredTransmit), requiredReceive: seconds(known.requiredReceive),
            multiplier: Int(known.target.parameters.multiplier),
            remoteDesiredTransmit: known.remoteDesiredTransmit.map(seconds),
            remoteRequiredReceive: known.remoteRequiredReceive.map(seconds),
            remoteMultiplier: known.remoteMultiplier.map(Int.init), remoteDemand: known.isRemoteDemanding,
            polling: known.isPolling, transmitInterval: seconds(known.transmitInterval),
            detectionTime: known.detectionTime.map(seconds), authentication: known.target.authentication?.type.text,
            sent: Int(clamping: known.counters.sent), received: Int(clamping: known.counters.received),
            establishments: Int(clamping: known.counters.establishments),
            failures: Int(clamping: known.counters.failures))
    }

    /// Adds metrics of the sessions of BFD.
    func addBFD(to metrics: inout MetricsText) {
        let neighbors = neighborList.filter { $0.bfd != nil }
        func family(
            _ name: String, _ kind: MetricsText.Kind, _ help: String, _ value: (BFDSession) -> Double?
        ) {
            metrics.family(name, kind, help) { samples in
                for neighbor in neighbors {
                    guard let number = neighbor.bfd.flatMap(value) else { continue }
                    samples.sample(
                        [
                            "interface": neighbor.interface, "neighbor": neighbor.node ?? neighbor.routerID,
                            "router_id": neighbor.routerID,
                        ], value: number)
                }
            }
        }
        family("bfd_session_up", .gauge, "Whether the BFD session with a neighbor is Up.") { $0.state == "Up" ? 1 : 0 }
        family("bfd_failures_total", .counter, "Times that the BFD session with a neighbor was Up no more.") {
            Double($0.failures)
        }
        family("bfd_packets_sent_total", .counter, "BFD packets sent to a neighbor.") { Double($0.sent) }
        family("bfd_packets_received_total", .counter, "BFD packets of a neighbor that were accepted.") {
            Double($0.received)
        }
        family("bfd_transmit_interval_seconds", .gauge, "The negotiated interval of BFD packets to a neighbor.") {
            $0.transmitInterval
        }
        family(
            "bfd_detection_time_seconds", .gauge,
            "The time without a BFD packet of a neighbor after which it has failed."
        ) { $0.detectionTime }
        metrics.family("bfd_packets_refused_total", .counter, "BFD packets that were not used, by reason.") {
            for reason in Refusal.allCases {
                $0.sample(["reason": reason.rawValue], value: sessions.refused[reason] ?? 0)
            }
        }
        metrics.single(
            "bfd_receive_overflows_total", .counter,
            "BFD packets that the kernel dropped because the queue of a port was full.", sessions.overflows)
        metrics.family(
            "reports_skipped_total", .counter,
            "Reports about neighbors and ports that later ones replaced because too many waited, by source."
        ) {
            for report in skippedReports { $0.sample(["source": report.source], value: report.count) }
        }
    }
}

extension AuthenticationType {
    /// The name in the configuration.
    var text: String {
        switch self {
        case .simplePassword: "password"
        case .keyedMD5: "md5"
        case .meticulousKeyedMD5: "meticulous-md5"
        case .keyedSHA1: "sha1"
        case .meticulousKeyedSHA1: "meticulous-sha1"
        }
    }
}
