internal import Addressing
internal import Links
internal import Liveness
internal import MeshConfiguration
internal import OSPF
internal import Timing

/// Echo requests to the neighbors' kernels, which find a dead cable that still has carrier.
extension MeshNode {
    /// Asks the neighbors there are. On an interface with more than one neighbor only if its rule demands it: the number of
    /// echoes grows with the square of that of routers.
    mutating func updateLiveness(at now: Instant) {
        guard life.isRouting, router != nil else { return }
        let neighbors = router!.askableNeighbors
        var targets: [EchoTarget] = []
        for neighbor in neighbors {
            guard let port = interfaces.ports[neighbor.interface],
                let parameters = port.rule.liveness.parameters(isBroadcast: neighbor.isBroadcast)
            else { continue }
            let key = EchoTarget.Key(interface: neighbor.interface, address: neighbor.address)
            targets.append(
                EchoTarget(key: key, source: neighbor.source, parameters: parameters, mtu: port.link.mtu))
        }
        let keys = Set(neighbors.map { EchoTarget.Key(interface: $0.interface, address: $0.address) })
        let previous = liveness.targets
        guard liveness.update(neighbors: keys, targets: targets, at: now) else { return }
        effects.append(.watchNeighbors(liveness.targets))
        noteAskedNeighbors(at: now)
        // A neighbor that is asked no more is judged by its hellos alone.
        for target in previous where liveness.state(of: target.key) == nil {
            judge(target.key, isAlive: true, by: .echo, at: now)
        }
    }

    mutating func receive(_ reports: [EchoReport], at now: Instant) {
        for report in reports {
            guard let before = liveness.note(report) else { continue }
            noteQuality(report, before: before, at: now)
            let key = report.target
            switch (before, report.state) {
            case (_, .failed(answersAgain: false)):
                judge(key, isAlive: false, by: .echo, at: now)
            case (.failed, .answering):
                log(.echo, of: key, .notice, at: now) { "\($0) answers echo requests again" }
                judge(key, isAlive: true, by: .echo, at: now)
            case (_, .unanswered):
                // Nothing can be sent any more, so nothing is known.
                judge(key, isAlive: true, by: .echo, at: now)
                log(.echo, of: key, .notice, at: now) {
                    "\($0) does not answer echo requests: a dead cable to it is found by missing hellos only"
                }
            default: break
            }
        }
    }

    /// A neighbor that does not answer has heard us all the time: something on it drops echo requests or their answers.
    mutating func noteHearing(_ key: EchoTarget.Key, isCertain: Bool, at now: Instant) {
        guard liveness.hearsUs(key, isCertain: isCertain) else { return }
        log(.echo, of: key, .warning, at: now) {
            "\($0) hears us but does not answer echo requests any more, as with a new firewall rule or a rate limit: it is not asked "
                + "until it is a new neighbor or the configuration is read again, and a dead cable to it is found by missing "
                + "hellos only"
        }
    }
}
