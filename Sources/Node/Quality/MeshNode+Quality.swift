internal import Addressing
internal import Links
internal import Liveness
internal import MeshConfiguration
internal import OSPF
internal import Timing

/// Cables that are bad and not dead. What is wrong is always a problem in the list of problems. With `quality: on`, the port also
/// gets a high cost, and that is all: neighbors stay, so a cable that is the only way carries everything as before, and nothing
/// has to be decided about which way is the only one.
extension MeshNode {
    /// A link has changed from `before`: notes whether its cable has gone down or is back.
    mutating func noteCarrier(_ link: Link, before: Link?, at now: Instant) {
        guard interfaces.ports[link.index] != nil, let before else { return }
        // Somebody who sets a port down is no bad cable.
        if before.isUsable, link.isUp, !link.hasCarrier {
            quality.update(link.index) { $0.flaps.flapped(at: now) }
        } else if !before.isUsable, link.isUsable, quality.cables[link.index] != nil {
            quality.update(link.index) { $0.flaps.restored(at: now) }
        }
    }

    /// A neighbor was reported that was in state `before`.
    mutating func noteQuality(_ report: EchoReport, before: EchoState, at now: Instant) {
        let port = report.target.interface
        let isKnown = quality.cables[port]?.ways[report.target.address] != nil
        guard isKnown || report.quality != nil || report.state != .answering else { return }
        quality.update(port) { cable in
            cable.note(report, at: now)
            switch (before, report.state) {
            case (.answering, .failed): cable.flaps.flapped(at: now)
            case (.failed, .answering), (.failed, .unanswered): cable.flaps.restored(at: now)
            default: break
            }
        }
        quality.compareRoundTrips(kinds: kindsOfPorts, at: now)
    }

    /// Which neighbors are asked has changed.
    mutating func noteAskedNeighbors(at now: Instant) {
        var asked: [UInt32: Set<IPv6Address>] = [:]
        for target in liveness.targets { asked[target.key.interface, default: []].insert(target.key.address) }
        for port in quality.cables.keys { quality.update(port) { $0.setNeighbors(asked[port] ?? [], at: now) } }
    }

    mutating func receive(_ readings: [PortReading], at now: Instant) {
        for reading in readings where interfaces.ports[reading.interface] != nil {
            quality.update(reading.interface) { $0.note(reading, at: now) }
        }
    }

    /// Numbers that are equal for ports of the same kind: round trips over a fast card and over a virtual cable are not compared.
    private var kindsOfPorts: [UInt32: Int] {
        var numbers: [String: Int] = [:]
        return interfaces.ports.mapValues { port in
            let speed = quality.cables[port.link.index]?.speed.map(String.init) ?? ""
            let key = "\(port.link.kind ?? "") \(port.link.isPhysical) \(speed)"
            return numbers[key]
                ?? {
                    numbers[key] = numbers.count
                    return numbers[key]!
                }()
        }
    }

    /// Looks at what was noted, and changes costs, if that is due.
    mutating func reviewQuality(at now: Instant) {
        guard let deadline = quality.nextDeadline, deadline <= now else { return }
        quality.advance(to: now)
        problems.noteChange(at: now)
        var hasChanged = false
        quality.hasWaitingChange = false
        for port in interfaces.ports.values.sorted(by: { $0.link.index < $1.link.index }) {
            let index = port.link.index
            let shouldAvoid = port.rule.isQualityOn && quality.cables[index]?.shouldBeAvoided == true
            guard shouldAvoid != interfaces.avoided.contains(index) else { continue }
            // A port that is in no router-LSA changes none.
            let isLinked = life.isRouting && router != nil && isInRouterLSA(index)
            if isLinked, now < quality.nextCostChange {
                quality.hasWaitingChange = true
                continue
            }
            hasChanged = hasChanged || isLinked
            if isLinked { quality.costChanges += 1 }
            logAvoidance(of: port, shouldAvoid, at: now)
            if let change = interfaces.setAvoided(index, shouldAvoid) { apply(change, at: now) }
        }
        if hasChanged { quality.nextCostChange = now + QualityTable.pause }
    }

    private mutating func logAvoidance(of port: InterfaceTable.Port, _ isAvoided: Bool, at now: Instant) {
        let name = port.link.name
        guard isAvoided else { return log(.notice, "\(name) is used like any other: its cable is good again") }
        let ways = (router?.neighborSnapshots ?? []).filter { $0.interface == port.link.index }.flatMap {
            wayProblems(of: $0, who: label(of: $0.routerID), port: name)
        }
        let reasons = (cableProblems(ofPort: port.link.index, at: now) + ways).map(\.text).prefix(3)
        log(
            .notice,
            "\(name) is used only where there is no better way: "
                + (reasons.isEmpty ? "its cable is bad" : reasons.joined(separator: "; ")))
    }

    private func isInRouterLSA(_ index: UInt32) -> Bool {
        router!.neighborSnapshots.contains { $0.interface == index && ($0.state == .full || $0.restart != nil) }
    }

    /// Lets the shell read counters and speeds of exactly the ports that may have neighbors.
    mutating func watchPorts() {
        let wanted = life.isRouting ? interfaces.activePorts.sorted() : []
        guard wanted != quality.watchedPorts else { return }
        quality.watchedPorts = wanted
        effects.append(.watchPorts(wanted))
    }
}
