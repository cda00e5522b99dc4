public import Addressing
internal import CLinux
internal import Glibc

/// The raw IPv6 socket of protocol 89 that all interfaces share. Packets leave with hop limit 1 and as internetwork
/// control (CS6); what comes in is trusted in nothing but the interface and the addresses, which the kernel tells.
/// Checksums are the router's business. To be used on one thread.
public final class OSPFSocket {
    /// What became of packets.
    public struct Counters: Hashable, Sendable {
        /// Packets handed on.
        public var received: UInt64 = 0
        /// Packets sent.
        public var sent: UInt64 = 0
        /// Dropped because the source was not a link-local address.
        public var foreignSources: UInt64 = 0
        /// Dropped because they were larger than 65,535 octets or came without an interface.
        public var malformed: UInt64 = 0
        /// Not sent for want of buffer, link or address: ordinary while links come and go. The protocol repeats what
        /// matters.
        public var sendFailures: UInt64 = 0
        /// Dropped by the kernel because the receive buffer was full, modulo 2³².
        public var overflows: UInt64 = 0
        /// Receive calls that failed.
        public var receiveFailures: UInt64 = 0
    }

    /// The descriptor to watch.
    public var descriptor: CInt { socket.rawValue }
    /// What became of packets so far.
    public var counters: Counters {
        var counters = tally
        counters.overflows = UInt64(max(0, clinux_dropped_packets(socket.rawValue)))
        return counters
    }
    /// The most packets that ``receive(_:)`` takes at once.
    public static let batch = 16

    private let socket: FileDescriptor
    /// All counters but those the kernel keeps.
    private var tally = Counters()
    private let buffer: UnsafeMutableRawBufferPointer
    private var packets = [clinux_packet](repeating: clinux_packet(), count: OSPFSocket.batch)

    /// OSPF's IP protocol number.
    static let ipProtocol: CInt = 89
    private static let largestPacket = 65_536
    private static let bufferOctets: CInt = 8 << 20

    /// Opens the socket in the calling thread's network namespace.
    public init() throws(SystemError) {
        socket = try FileDescriptor(clinux_open_raw_socket(OSPFSocket.ipProtocol), "open a raw socket for OSPF")
        // A burst of a whole database must wait here while shortest paths are computed.
        _ = clinux_set_receive_buffer(socket.rawValue, OSPFSocket.bufferOctets)
        _ = clinux_set_send_buffer(socket.rawValue, OSPFSocket.bufferOctets / 2)
        // Pages that no packet reaches are never touched, so this costs address space and little memory.
        buffer = .allocate(byteCount: OSPFSocket.batch * OSPFSocket.largestPacket, alignment: 16)
    }

    deinit { buffer.deallocate() }

    /// Joins (or leaves) a multicast group on an interface. Joining twice or leaving what was not joined is no error,
    /// nor is leaving on an interface that is gone.
    public func setMembership(interface: UInt32, group: IPv6Address, joined: Bool) throws(SystemError) {
        let result = group.octets.withUnsafeBufferPointer {
            clinux_set_membership(socket.rawValue, interface, $0.baseAddress, joined ? 1 : 0)
        }
        guard result != 0 else { return }
        switch errno {
        case EADDRINUSE where joined: return
        case EADDRNOTAVAIL where !joined, ENODEV where !joined: return
        default: throw .last("\(joined ? "join" : "leave") \(group) on interface \(interface)")
        }
    }

    /// Receives packets that wait, ``batch`` at most, and hands each to `handler`; how many came. Fewer than ``batch`` means
    /// that no more wait. Packets from other than link-local addresses are dropped here, as OSPF is spoken between
    /// neighbours (RFC 5340 §2.5).
    @discardableResult
    public func receive(
        _ handler: (_ interface: UInt32, _ source: IPv6Address, _ destination: IPv6Address, _ octets: [UInt8]) -> Void
    ) -> Int {
        let count = clinux_receive(
            socket.rawValue, &packets, UInt32(OSPFSocket.batch), buffer.baseAddress, OSPFSocket.largestPacket)
        guard count >= 0 else {
            if errno != EAGAIN, errno != EINTR { tally.receiveFailures += 1 }
            return 0
        }
        for index in 0..<Int(count) { deliver(packets[index], at: index, handler: handler) }
        return Int(count)
    }

    private func deliver(
        _ packet: clinux_packet, at index: Int, handler: (UInt32, IPv6Address, IPv6Address, [UInt8]) -> Void
    ) {
        guard packet.truncated == 0, packet.interface != 0, packet.length <= OSPFSocket.largestPacket else {
            tally.malformed += 1
            return
        }
        let source = IPv6Address(packet.source)
        guard source.isLinkLocal else {
            tally.foreignSources += 1
            return
        }
        let start = index * OSPFSocket.largestPacket
        let octets = [UInt8](buffer[start..<start + Int(packet.length)])
        tally.received += 1
        handler(packet.interface, source, IPv6Address(packet.destination), octets)
    }

    /// Sends a packet out of an interface, from one of its addresses. Failures that belong to links that come and go, and
    /// full buffers, are counted and `false`; what is left is thrown.
    @discardableResult
    public func send(
        interface: UInt32, source: IPv6Address, destination: IPv6Address, octets: [UInt8]
    ) throws(SystemError) -> Bool {
        let result = withUnsafePointer(to: source.inetOctets) { source in
            withUnsafePointer(to: destination.inetOctets) { destination in
                octets.withUnsafeBufferPointer {
                    clinux_send(
                        socket.rawValue, interface, UnsafeRawPointer(source).assumingMemoryBound(to: UInt8.self),
                        UnsafeRawPointer(destination).assumingMemoryBound(to: UInt8.self), $0.baseAddress, $0.count)
                }
            }
        }
        if result == 0 {
            tally.sent += 1
            return true
        }
        let code = errno
        tally.sendFailures += 1
        switch code {
        case EAGAIN, ENOBUFS, ENOMEM, EINTR, ENETDOWN, ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, ENODEV, ENXIO, EINVAL,
            EMSGSIZE:
            return false
        default:
            throw SystemError("send to \(destination) on interface \(interface)", code: code)
        }
    }
}

/// Sixteen octets as C passes them.
typealias InetOctets = (
    UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8
)

extension IPv6Address {
    init(_ octets: InetOctets) {
        self = withUnsafeBytes(of: octets) {
            IPv6Address(
                high: UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self)),
                low: UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        }
    }

    /// The address in network order, in one value without a heap allocation.
    var inetOctets: (UInt64, UInt64) { (high.bigEndian, low.bigEndian) }
}
