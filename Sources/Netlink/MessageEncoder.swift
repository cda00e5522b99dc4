internal import Addressing
internal import CNetlink

/// Encodes netlink messages one after the other into one flat buffer, so that hundreds are sent to the kernel in one
/// call.
struct MessageEncoder {
    private(set) var octets: [UInt8] = []
    /// The number of messages begun.
    private(set) var count = 0
    /// Where the last message starts.
    private var start = 0

    init(capacity: Int = 256) { octets.reserveCapacity(capacity) }

    mutating func removeAll() {
        octets.removeAll(keepingCapacity: true)
        count = 0
    }

    /// Encodes one message: its header, the fixed part of its type, and the attributes that `attributes` appends.
    mutating func message<Fixed: BitwiseCopyable>(
        _ type: Int, flags: Int, sequence: UInt32, _ fixed: Fixed,
        _ attributes: (inout MessageEncoder) -> Void = { _ in }
    ) {
        start = octets.count
        count += 1
        append(
            nlmsghdr(
                nlmsg_len: 0, nlmsg_type: UInt16(type), nlmsg_flags: UInt16(flags | Flag.request),
                nlmsg_seq: sequence, nlmsg_pid: 0))
        append(fixed)
        attributes(&self)
        setLength(UInt32(octets.count - start), at: start)
    }

    /// Requests an acknowledgment of the last message even if it succeeds: sets the bit in the flags, whose low octet is at
    /// offset 6 of the header on a little-endian machine.
    mutating func acknowledgeLast() { octets[start + 6] |= UInt8(Flag.acknowledge) }

    mutating func attribute<Value: BitwiseCopyable>(_ type: Int, _ value: Value) {
        append(nlattr(nla_len: UInt16(4 + MemoryLayout<Value>.size), nla_type: UInt16(type)))
        append(value)
    }

    /// Appends an address in the form of its family: 16 octets, or 4 for IPv4.
    mutating func attribute(_ type: Int, _ address: IPv6Address) {
        if let ipv4 = address.ipv4 {
            attribute(type, ipv4.rawValue.bigEndian)
        } else {
            attribute(type, (address.high.bigEndian, address.low.bigEndian))
        }
    }

    mutating func attribute(_ type: Int, string: String) {
        append(nlattr(nla_len: UInt16(4 + string.utf8.count + 1), nla_type: UInt16(type)))
        octets.append(contentsOf: string.utf8)
        octets.append(0)
        align()
    }

    mutating func attribute(_ type: Int, octets new: [UInt8]) {
        append(nlattr(nla_len: UInt16(4 + new.count), nla_type: UInt16(type)))
        octets.append(contentsOf: new)
        align()
    }

    /// Appends a nested attribute, whose contents `body` appends.
    mutating func nested(_ type: Int, _ body: (inout MessageEncoder) -> Void) {
        let start = octets.count
        append(nlattr(nla_len: 0, nla_type: UInt16(type)))
        body(&self)
        setLength(UInt16(octets.count - start), at: start)
    }

    /// Appends a value in its memory representation, and aligns.
    mutating func append<Value: BitwiseCopyable>(_ value: Value) {
        withUnsafeBytes(of: value) { octets.append(contentsOf: $0) }
        align()
    }

    /// The position of the next octet.
    var position: Int { octets.count }

    /// Overwrites the length at `position`, which was not known yet when its place was encoded.
    mutating func setLength<Length: FixedWidthInteger & BitwiseCopyable>(_ length: Length, at position: Int) {
        octets.withUnsafeMutableBytes { $0.storeBytes(of: length, toByteOffset: position, as: Length.self) }
    }

    private mutating func align() {
        while octets.count & 3 != 0 { octets.append(0) }
    }
}

/// The flags of netlink messages (`NLM_F_…`), as plain numbers. The kernel uses the bits 0x100 and 0x200 differently in
/// requests to read, in requests to change, and in error messages.
enum Flag {
    static let request = 0x001
    static let acknowledge = 0x004
    static let dumpInterrupted = 0x010
    static let dump = 0x300
    static let replace = 0x100
    static let exclusive = 0x200
    static let create = 0x400
    /// In an error message: attributes follow.
    static let errorAttributes = 0x200
    /// In an error message: only the header of the request is repeated.
    static let errorIsCapped = 0x100
}
