import Addressing
import OSPFPacket
internal import Timing

/// The properties of the router and the interface that an adjacency depends on.
struct AdjacencyContext {
    /// The header of our packets.
    var header: PacketHeader
    var options: OSPFOptions
    var interface: InterfaceConfiguration
    /// The maximum size of an IPv6 packet to the neighbor, in octets.
    var mtu: Int
    /// Whether an adjacency is wanted (RFC 2328 §10.4).
    var adjacencyIsWanted: Bool
    var now: Instant

    var routerID: RouterID { header.routerID }

    /// The smallest MTU that a link may have (RFC 8200 §5): packets of this size fit every link.
    static let smallestMTU = 1280

    /// An exchange restarts, with a notice, after this number of dead intervals without progress. The RFC has no such limit:
    /// an exchange whose packets are lost for good, such as large ones, would never end.
    static let exchangePatienceInDeadIntervals = 3

    /// ``exchangePatienceInDeadIntervals`` as a duration.
    var exchangePatience: Duration { interface.deadInterval * Self.exchangePatienceInDeadIntervals }

    /// The delay before an unanswered packet, sent again `attempts` times so far, is sent once more: 100, 200, 400 and 800 ms,
    /// then RxmtInterval, and never longer than that. Most losses on a cable happen while the other end starts, so a short
    /// delay finds it ready.
    func repetitionDelay(attempts: Int) -> Duration {
        let interval = interface.retransmitInterval
        return attempts < 4 ? min(interval, .milliseconds(100) * (1 << attempts)) : interval
    }

    /// The database key of an LSA on this link.
    func databaseKey(_ key: LSAKey) -> DatabaseKey { DatabaseKey(key, on: interface.index) }

    /// Encodes LSAs of the database as link state updates, in as many packets as needed.
    func updates(_ keys: [DatabaseKey], of database: LinkStateDatabase, to destination: IPv6Address) -> [[UInt8]] {
        let source = interface.linkLocalAddress
        var encoder = UpdateEncoder(header: header, mtu: mtu)
        var packets: [[UInt8]] = []
        for key in keys {
            guard let entry = database[key] else { continue }
            let age = Int(entry.age(at: now)) + Int(interface.transmitDelay)
            if !encoder.append(entry.lsa, age: age) {
                packets.append(encoder.finish(source: source, destination: destination))
                _ = encoder.append(entry.lsa, age: age)
            }
        }
        if !encoder.isEmpty { packets.append(encoder.finish(source: source, destination: destination)) }
        return packets
    }
}
