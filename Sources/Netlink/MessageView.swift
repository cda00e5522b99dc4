internal import Addressing
internal import CNetlink
internal import Glibc

/// One received netlink message. Every read checks the size first.
struct MessageView {
    let type: Int
    let flags: Int
    let sequence: UInt32
    /// In a notification, the netlink port of the socket that requested the change; 0 if the kernel made it by itself.
    let port: UInt32
    private let payload: UnsafeRawBufferPointer

    /// Calls `body` with each message in a buffer. Stops at a message with an invalid length.
    static func forEach(in buffer: UnsafeRawBufferPointer, _ body: (MessageView) -> Void) {
        var offset = 0
        while buffer.count - offset >= MemoryLayout<nlmsghdr>.size {
            let header = buffer.loadUnaligned(fromByteOffset: offset, as: nlmsghdr.self)
            let length = Int(header.nlmsg_len)
            guard length >= MemoryLayout<nlmsghdr>.size, length <= buffer.count - offset else { return }
            let payload = buffer[(offset + MemoryLayout<nlmsghdr>.size)..<(offset + length)]
            body(
                MessageView(
                    type: Int(header.nlmsg_type), flags: Int(header.nlmsg_flags), sequence: header.nlmsg_seq,
                    port: header.nlmsg_pid, payload: UnsafeRawBufferPointer(rebasing: payload)))
            offset += (length + 3) & ~3
        }
    }

    /// The fixed part; `nil` if the message is too short.
    func fixed<Fixed: BitwiseCopyable>(_: Fixed.Type) -> Fixed? {
        payload.count >= MemoryLayout<Fixed>.size ? payload.loadUnaligned(as: Fixed.self) : nil
    }

    /// Calls `body` with each attribute after the fixed part.
    func forEachAttribute<Fixed: BitwiseCopyable>(after _: Fixed.Type, _ body: (AttributeView) -> Void) {
        let start = (MemoryLayout<Fixed>.size + 3) & ~3
        guard payload.count > start else { return }
        AttributeView.forEach(in: UnsafeRawBufferPointer(rebasing: payload[start...]), body)
    }

    /// All attributes after the fixed part, as they are.
    func octets<Fixed: BitwiseCopyable>(after _: Fixed.Type) -> [UInt8] {
        Array(payload.dropFirst((MemoryLayout<Fixed>.size + 3) & ~3))
    }

    /// The kernel's answer, if this is one: 0 for an acknowledgment, or an error number; with the kernel's error message,
    /// if it gave one.
    var answer: (code: Int32, explanation: String?)? {
        guard type == Int(NLMSG_ERROR), let error = fixed(nlmsgerr.self) else { return nil }
        var explanation: String?
        if flags & Flag.errorAttributes != 0 {
            // Unless capped, the request is repeated in full before the attributes.
            // 16 is the size of its header, and 4 that of the error number.
            let request = flags & Flag.errorIsCapped != 0 ? 16 : Int(error.msg.nlmsg_len)
            let start = 4 + (request + 3) & ~3
            if start < payload.count {
                AttributeView.forEach(in: UnsafeRawBufferPointer(rebasing: payload[start...])) {
                    if $0.type == 1 { explanation = $0.string }  // NLMSGERR_ATTR_MSG
                }
            }
        }
        return (-error.error, explanation)
    }
}

/// One attribute of a netlink message.
struct AttributeView {
    let type: Int
    let payload: UnsafeRawBufferPointer

    static func forEach(in buffer: UnsafeRawBufferPointer, _ body: (AttributeView) -> Void) {
        var offset = 0
        while buffer.count - offset >= 4 {
            let length = Int(buffer.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
            guard length >= 4, length <= buffer.count - offset else { return }
            // The two highest bits are the flags "nested" and "network byte order".
            let type = buffer.loadUnaligned(fromByteOffset: offset + 2, as: UInt16.self) & 0x3fff
            let payload = UnsafeRawBufferPointer(rebasing: buffer[(offset + 4)..<(offset + length)])
            body(AttributeView(type: Int(type), payload: payload))
            offset += (length + 3) & ~3
        }
    }

    func forEachNested(_ body: (AttributeView) -> Void) { AttributeView.forEach(in: payload, body) }

    /// The value in the machine's byte order; `nil` if there are fewer octets.
    func value<Value: FixedWidthInteger & BitwiseCopyable>(_: Value.Type = Value.self) -> Value? {
        payload.count >= MemoryLayout<Value>.size ? payload.loadUnaligned(as: Value.self) : nil
    }

    /// An address of either family, recognized by its size; an IPv4 address in its mapped form.
    var address: IPv6Address? {
        switch payload.count {
        case 4: IPv6Address(IPv4Address(UInt32(bigEndian: payload.loadUnaligned(as: UInt32.self))))
        case 16:
            IPv6Address(
                high: UInt64(bigEndian: payload.loadUnaligned(as: UInt64.self)),
                low: UInt64(bigEndian: payload.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        default: nil
        }
    }

    /// The gateway in a `struct rtvia` (a family of 2 octets, then the address), which an IPv4 route has if its gateway is of
    /// another family; `nil` unless it is IPv6.
    var gatewayOfOtherFamily: IPv6Address? {
        guard payload.count == 18, payload.loadUnaligned(as: UInt16.self) == UInt16(AF_INET6) else { return nil }
        return AttributeView(type: type, payload: UnsafeRawBufferPointer(rebasing: payload[2...])).address
    }

    var macAddress: MACAddress? { MACAddress(octets: payload) }

    /// Text up to the first zero octet.
    var string: String { String(decoding: payload.prefix { $0 != 0 }, as: UTF8.self) }
}
