public import Addressing
import OSPFPacket
public import Timing

/// A received hello that was rejected because it does not match ours (RFC 5340 §4.2.2, §4.2.2.1).
public struct HelloMismatch: Hashable, Sendable {
    /// The sender.
    public var neighbor: RouterID
    /// The field that differs.
    public var field: Notice.HelloField
    /// The sender's value: seconds, all options (for the area type), or the ID; 0 for the link-local address.
    public var theirs: Int
    /// Our value of the same field.
    public var ours: Int
    /// When the mismatch is forgotten, unless another such hello is received.
    public var deadline: Instant
}

extension Router {
    /// The maximum number of routers per interface whose mismatches are recorded, because hellos can be forged.
    static let mismatchesPerInterface = 16

    /// Whether timers and area type agree (RFC 5340 §4.2.2.1). Records a mismatch if not, else ends one.
    mutating func helloAgrees(_ hello: Hello, from router: RouterID, on index: UInt32, at now: Instant) -> Bool {
        let ours = interfaces[index].configuration
        // The first field that differs, the sender's value and ours.
        let disagreement: (Notice.HelloField, Int, Int)? =
            if hello.helloInterval != ours.helloSeconds {
                (.helloInterval, Int(hello.helloInterval), Int(ours.helloSeconds))
            } else if hello.deadInterval != ours.deadSeconds {
                (.deadInterval, Int(hello.deadInterval), Int(ours.deadSeconds))
            } else if !hello.options.contains(.e) || hello.options.contains(.n) {
                (.areaType, Int(hello.options.rawValue), Int(options.rawValue))
            } else {
                nil
            }
        guard let (field, theirs, own) = disagreement else {
            if !interfaces[index].mismatches.isEmpty { interfaces[index].mismatches[router] = nil }
            return true
        }
        recordMismatch(field, theirs, own, hello, from: router, on: index, at: now)
        return false
    }

    /// Records that a packet is of another area than ours (RFC 5340 §4.2.2). Only hellos of our instance count: another
    /// instance may be in any area. Packets with our router ID, which may be those of another interface, do not count.
    mutating func recordAreaMismatch(_ packet: Packet, on index: UInt32, at now: Instant) {
        guard case .hello(let hello) = packet.body, packet.header.instanceID == configuration.instanceID,
            ![routerID, .none].contains(packet.header.routerID)
        else { return }
        recordMismatch(
            .area, Int(packet.header.areaID.rawValue), Int(configuration.areaID.rawValue), hello,
            from: packet.header.routerID, on: index, at: now)
    }

    /// Records a hello of another instance (RFC 5340 §4.2.2). Several instances may share a link, so this is a mismatch
    /// only where there is no neighbor of our instance.
    mutating func recordInstanceMismatch(_ packet: Packet, on index: UInt32, at now: Instant) {
        guard case .hello(let hello) = packet.body, ![routerID, .none].contains(packet.header.routerID),
            interfaces[index].neighbors.isEmpty
        else { return }
        recordMismatch(
            .instanceID, Int(packet.header.instanceID), Int(configuration.instanceID), hello,
            from: packet.header.routerID, on: index, at: now)
    }

    /// Whether the sender of a hello has a link-local address other than that of our interface; records a mismatch if not.
    /// With the same address, no unicast packet to it leaves this machine, and the database exchange never ends.
    mutating func hasDistinctAddress(
        _ hello: Hello, from router: RouterID, at source: IPv6Address, on index: UInt32, now: Instant
    ) -> Bool {
        guard source != interfaces[index].configuration.linkLocalAddress else {
            recordMismatch(.linkLocalAddress, 0, 0, hello, from: router, on: index, at: now)
            return false
        }
        return true
    }

    /// The longest dead interval that is taken from a hello: a forged hello may say 18 hours.
    private static let longestDeadInterval = Duration.seconds(120)

    /// Records a mismatch until no such hello was received for the longer of both dead intervals. Sends a notice if the same
    /// mismatch is not recorded already. With ``mismatchesPerInterface`` others recorded, does nothing.
    private mutating func recordMismatch(
        _ field: Notice.HelloField, _ theirs: Int, _ ours: Int, _ hello: Hello, from router: RouterID,
        on index: UInt32, at now: Instant
    ) {
        let known = interfaces[index].mismatches[router]
        if known == nil, interfaces[index].mismatches.count >= Self.mismatchesPerInterface {
            interfaces[index].mismatches = interfaces[index].mismatches.filter { $0.value.deadline > now }
            guard interfaces[index].mismatches.count < Self.mismatchesPerInterface else { return }
        }
        let theirDeadInterval = min(Duration.seconds(Int(hello.deadInterval)), Self.longestDeadInterval)
        let lifetime = max(interfaces[index].configuration.deadInterval, theirDeadInterval)
        interfaces[index].mismatches[router] = HelloMismatch(
            neighbor: router, field: field, theirs: theirs, ours: ours, deadline: now + lifetime)
        if let known, known.deadline > now, (known.field, known.theirs, known.ours) == (field, theirs, ours) { return }
        notify(
            .helloMismatch(
                interface: index, neighbor: router, field: field, theirs: theirs, ours: ours))
    }
}
