public import Addressing
public import OSPFPacket
public import Timing

/// What made a neighbor ("it" below) fall back to an earlier state, with the values that explain it.
public enum NeighborFault: Hashable, Sendable {
    /// Its hello lists this number of other routers, but not us.
    case notListed(among: Int)
    /// Its hello was received from another address.
    case address(was: IPv6Address, is: IPv6Address)
    /// A hello with another router ID was received from its address.
    case routerID(was: RouterID, is: RouterID)
    /// No hello for this time.
    case silence(Duration)
    /// An election chose this designated router and this backup (or none, 0.0.0.0): neither is the neighbor or this router.
    case designatedRouter(RouterID, backup: RouterID)
    /// Its database description does not have the next sequence number.
    case sequenceNumber(expected: UInt32, received: UInt32)
    /// Its description has the master bit set or clear (`received`), and the opposite was negotiated.
    case masterBit(received: Bool)
    /// Its description begins a new exchange.
    case initBit
    /// Its description has other options than the ones before.
    case options(expected: OSPFOptions, received: OSPFOptions)
    /// It sent another description although the exchange was over.
    case exchangeOver
    /// It repeated its last description this time after we had first sent our answer, when the exchange was over.
    case lateRepetition(after: Duration)
    /// It describes an LSA of a reserved scope.
    case reservedScope(LSAType)
    /// It requests an LSA that we do not have.
    case unknownLSA(LSAKey)
    /// It sent an earlier instance of an LSA than it had described: the sequence numbers of both instances.
    case earlierInstance(LSAKey, described: Int32, received: Int32)
    /// It does not answer.
    case unresponsive
    /// It is Full for us, and for this time its router-LSA has not had the link with us.
    case linkNotAnnounced(for: Duration)
    /// The exchange made no progress for this time, with this number of described LSAs missing, requested or not.
    case noProgress(for: Duration, requests: Int)
}

extension NeighborFault: CustomStringConvertible {
    /// A clause for the log, such as `its hello lists no neighbor`.
    public var description: String {
        switch self {
        case .notListed(let count):
            count == 0
                ? "its hello lists no neighbor"
                : "its hello lists \(count) other \(count == 1 ? "router" : "routers"), but not us"
        case .address(let old, let new): "its address was \(old) and is \(new)"
        case .routerID(let old, let new): "its router ID was \(old) and is \(new)"
        case .silence(let time): "no hello for \(time)"
        case .designatedRouter(let designated, let backup):
            "no adjacency is needed: the designated router was \(designated), the backup \(backup)"
        case .sequenceNumber(let expected, let received):
            "database description with sequence number \(received) instead of \(expected)"
        case .masterBit(let received): "database description with the MS-bit \(received ? "set" : "clear")"
        case .initBit: "database description with the I-bit set: it begins a new exchange"
        case .options(let expected, let received):
            "database description with options 0x\(String(received.rawValue, radix: 16))"
                + " instead of 0x\(String(expected.rawValue, radix: 16))"
        case .exchangeOver: "database description after the end of the exchange"
        case .lateRepetition(let time): "last database description repeated \(time) after our answer"
        case .reservedScope(let type):
            "database description with an LSA of reserved scope, type 0x\(String(type.rawValue, radix: 16))"
        case .unknownLSA(let key): "request for \(key.text), which is not in our database"
        case .earlierInstance(let key, let described, let received):
            "\(key.text): sequence number \(described.sequenceText) described, \(received.sequenceText) sent"
        case .linkNotAnnounced(let time): "its router-LSA has no link with us, \(time) after the exchange"
        case .unresponsive: "echo requests or BFD find that it has failed"
        case .noProgress(let time, let missing): "no progress for \(time), LSAs missing: \(missing)"
        }
    }
}

extension LSAKey {
    fileprivate var text: String {
        "LSA type 0x\(String(type.rawValue, radix: 16)) \(IPv4Address(linkStateID)) of \(advertisingRouter)"
    }
}

extension Int32 {
    /// A sequence number as in tables of the database.
    fileprivate var sequenceText: String { "0x" + String(UInt32(bitPattern: self), radix: 16) }
}

/// A change of a neighbor to an earlier state.
public struct NeighborFallback: Hashable, Sendable {
    /// When it happened.
    public var moment: Instant
    /// The state before.
    public var from: NeighborState
    /// The state after.
    public var to: NeighborState
    /// What caused it.
    public var fault: NeighborFault
}
