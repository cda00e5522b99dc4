public import Addressing
internal import Links
internal import Liveness
internal import MeshConfiguration
internal import OSPF
public import Timing

extension MeshNode {
    /// The problems with the cables of the node, apart from those of single neighbors.
    func cableProblems(at now: Instant) -> [Problem] {
        interfaces.ports.values.sorted { $0.link.index < $1.link.index }.flatMap { port in
            cableProblems(ofPort: port.link.index, at: now)
        }
    }

    /// What is wrong with the cable of a port, apart from the ways to single neighbors.
    public func cableProblems(ofPort index: UInt32, at now: Instant) -> [Problem] {
        guard let port = interfaces.ports[index], let cable = quality.cables[index] else { return [] }
        let name = port.link.name
        var found: [Problem] = []
        if cable.damage.isRaised {
            let errors = cable.lastErrors
            let what =
                errors.checksumErrors > 0
                ? counted(Int(clamping: errors.checksumErrors), "CRC error")
                : counted(Int(clamping: errors.damaged), "receive error")
            found.append(
                Problem(
                    .damagedPackets, name, "\(name) receives damaged packets: \(what) within a minute",
                    remedy: "check cable, connectors and transceivers (ethtool -S \(name))"))
        }
        if cable.slowness.isRaised, let speed = cable.speed, let highest = cable.highestSpeed {
            found.append(
                Problem(
                    .linkSpeed, name,
                    "\(name) runs at \(Self.speedText(speed)); it ran at \(Self.speedText(highest)) before",
                    remedy: "check cable and transceivers; if this speed is meant, reload the configuration (SIGHUP)"))
        }
        let flaps = cable.flaps.count(at: now)
        if flaps >= Self.notableFlaps {
            let least = flaps >= FlapDamping.mostFlaps ? "at least " : ""
            var text = "\(name) flapped \(least)\(flaps) times in 10 min"
            if port.rule.isQualityOn, let until = cable.flaps.heldUntil, until > now, port.link.isUsable {
                text += "; it is held off for \((until - now).inSeconds) s more"
            }
            found.append(
                Problem(.flappingCable, name, text, remedy: "check cable, transceivers and the port at the other end"))
        }
        return found
    }

    /// Fewer flaps within ten minutes are those of a machine that starts, or of somebody who moves a cable.
    private static let notableFlaps = 3

    private static func speedText(_ megabits: Int) -> String {
        megabits >= 1000 && megabits % 500 == 0
            ? "\(megabits % 1000 == 0 ? "\(megabits / 1000)" : "\(megabits / 1000).5") Gbit/s" : "\(megabits) Mbit/s"
    }

    /// What is wrong with the way to a neighbor that answers.
    func wayProblems(of neighbor: NeighborSnapshot, who: String, port: String) -> [Problem] {
        guard let way = quality.cables[neighbor.interface]?.ways[neighbor.address], way.isAnswering else { return [] }
        var found: [Problem] = []
        if way.loss.isRaised {
            let figures = way.lossFigures
            let (loss, window) =
                figures.loss.isAtLeast(perMille: 10)
                ? (figures.loss, figures.window) : (figures.latestLoss, figures.window / 6)
            let tenths = loss.lost * 1000 / max(1, loss.requests)
            found.append(
                Problem(
                    .lossyCable, "\(who) on \(port)",
                    "\(port) loses \(tenths / 10).\(tenths % 10) % of packets to and from \(who) "
                        + "(\(loss.lost) of \(loss.requests) echo requests within \(window.inSeconds) s)",
                    remedy: "check cable, transceivers and the port's errors (ethtool -S \(port))"))
        }
        if way.size.isRaised {
            found.append(
                Problem(
                    .packetSize, "\(who) on \(port)",
                    "packets over \(way.badSize) octets do not arrive at \(who) on \(port), although its MTU is larger",
                    remedy: "give both ends and everything between them the same MTU"))
        }
        if way.roundTrip.isRaised {
            found.append(
                Problem(
                    .slowCable, "\(who) on \(port)",
                    "the round trip to \(who) on \(port) is \(Self.millisecondsText(way.badRoundTrip.own)) ms; over other "
                        + "ports of its kind it is \(Self.millisecondsText(way.badRoundTrip.others)) ms",
                    remedy: "look for a long detour, a full queue or a port that waits (pause frames)"))
        }
        return found
    }

    private static func millisecondsText(_ duration: Duration) -> String {
        let hundredths = duration.nanoseconds / 10_000
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
    }

    /// Whether a port is used only where there is no better way, because its cable is bad.
    public func isAvoided(_ index: UInt32) -> Bool { interfaces.avoided.contains(index) }

    /// The ports that are used only where there is no better way.
    public var avoidedPorts: Set<UInt32> { interfaces.avoided }

    /// The largest packet that arrives at a neighbor, in octets, if one of the link's MTU does not.
    public func largestPacket(to address: IPv6Address, on index: UInt32) -> Int? {
        guard let way = quality.cables[index]?.ways[address], way.size.isRaised else { return nil }
        return way.badSize
    }

    /// The number of times that a cable went down within ten minutes.
    public func recentFlaps(of index: UInt32, at now: Instant) -> Int {
        quality.cables[index]?.flaps.count(at: now) ?? 0
    }
}
