import Addressing
import Node
import OSPF
import Simulation
internal import Timing

/// Prints the events of a simulation, except hellos.
enum Trace {
    @Sendable static func print(_ time: Instant, _ event: TraceEvent) {
        switch event {
        case .delivery(let node, let interface, let octets):
            if octets[1] != 1 { line(time, "n\(node) <- \(interface) \(packet(octets))") }
        case .effect(let node, .send(let interface, _, let destination, let octets)):
            if octets[1] != 1 { line(time, "n\(node) -> \(interface) \(packet(octets)) to \(destination)") }
        case .effect(let node, .log(let level, let text, _)): line(time, "n\(node) \(level.rawValue): \(text)")
        case .effect(let node, .routeTable(let update)):
            line(time, "n\(node) routes: \(update.destinations.count) destinations, \(update.released.count) released")
            for route in update.routes.prefix(8) {
                let way = route.destination.map { "destination \($0.rawValue)" } ?? "gone"
                line(time, "n\(node)   \(route.prefix) \(way)")
            }
            for (id, destination) in update.destinations.prefix(8) {
                let hops = destination.nextHops.map { "\($0.interface)>\($0.gateway)" }
                line(
                    time,
                    "n\(node)   destination \(id.rawValue) \(destination.metric) \(destination.announcers) via \(hops)")
            }
        case .effect(let node, let effect): line(time, "n\(node) \(effect)")
        case .action(let action): line(time, "== \(action)")
        case .carrier(let node, let interface, let isUp):
            line(time, "n\(node) \(interface) carrier \(isUp ? "up" : "down")")
        }
    }

    private static func line(_ time: Instant, _ text: String) {
        let microseconds = time.nanoseconds / 1000
        let fraction = String(1_000_000 + microseconds % 1_000_000).dropFirst()
        Swift.print("\(microseconds / 1_000_000).\(fraction) \(text)")
    }

    /// The type and the sender of a packet, and the first six of its LSAs or requests. The numbers are the packet types and
    /// the places of the fields in RFC 5340 §A.3.
    private static func packet(_ octets: [UInt8]) -> String {
        // The OSPF header has 16 octets; the second is the type, the fifth to eighth are the router ID. The shortest packets
        // that a router sends, an empty database description and a request for one LSA, have 28.
        guard octets.count >= 28 else { return "short packet: \(octets.count) octets" }
        let sender = octets[4..<8].map(String.init).joined(separator: ".")
        switch octets[1] {
        case 2:
            let flags = octets[23]
            return
                "DD of \(sender) flags \(flags) seq \(number(octets, 24, 4)) with \(headers(octets, from: 28))"
        case 3:
            let wanted = stride(from: 16, through: octets.count - 12, by: 12).map {
                "\(hex(number(octets, $0 + 2, 2)))/\(number(octets, $0 + 4, 4))/\(router(octets, $0 + 8))"
            }
            return "request of \(sender) \(wanted.prefix(6).joined(separator: " ")) (\(wanted.count))"
        case 4:
            var at = 20
            var lsas: [String] = []
            while at + 20 <= octets.count, lsas.count < number(octets, 16, 4) {
                lsas.append(header(octets, at))
                // The length in the header of a damaged LSA may be anything.
                at += max(20, number(octets, at + 18, 2))
            }
            return "update of \(sender) \(lsas.prefix(6).joined(separator: " ")) (\(lsas.count))"
        case 5: return "ack of \(sender) \(headers(octets, from: 16))"
        default: return "type \(octets[1]) of \(sender)"
        }
    }

    private static func headers(_ octets: [UInt8], from start: Int) -> String {
        let all = stride(from: start, through: octets.count - 20, by: 20).map { header(octets, $0) }
        return "\(all.prefix(6).joined(separator: " ")) (\(all.count))"
    }

    /// An LSA header: `type/linkStateID/advertisingRouter#sequenceNumber@age`.
    private static func header(_ octets: [UInt8], _ at: Int) -> String {
        "\(hex(number(octets, at + 2, 2)))/\(number(octets, at + 4, 4))/\(router(octets, at + 8))#\(hex(number(octets, at + 12, 4)))@\(number(octets, at, 2))"
    }

    private static func router(_ octets: [UInt8], _ at: Int) -> String {
        octets[at..<at + 4].map(String.init).joined(separator: ".")
    }

    private static func hex(_ number: Int) -> String { String(number, radix: 16) }

    private static func number(_ octets: [UInt8], _ at: Int, _ count: Int) -> Int {
        octets[at..<at + count].reduce(0) { $0 << 8 | Int($1) }
    }
}
