public import Addressing
public import BFD
internal import CLinux
internal import Glibc
internal import Timing

/// The UDP sockets for BFD on one port of the machine (RFC 5881 §4): one that receives, with a queue of limited size of its own, so
/// that a flood on a port takes nothing from another; and one per session that sends. To be used on one thread.
public final class BFDPort {
    public let interface: UInt32
    private let receiver: FileDescriptor
    private var senders: [IPv6Address: FileDescriptor] = [:]
    private var packets = [clinux_packet](repeating: clinux_packet(), count: BFDPort.batch)
    private var buffer = [UInt8](repeating: 0, count: BFDPort.batch * BFDPort.packetSize)

    /// The maximum number of packets read at a time.
    public static let batch = 32
    /// Larger than any packet that can be accepted (24 octets and an authentication section of 28).
    private static let packetSize = 64
    /// The destination port of control packets (RFC 5881 §4).
    private static let port: UInt16 = 3784
    /// The source ports of sessions (RFC 5881 §4).
    private static let sourcePorts: ClosedRange<UInt16> = 49152...65535
    /// Room for hundreds of packets, each with the kernel's overhead.
    private static let bufferOctets: CInt = 1 << 19

    /// Opens the socket that receives, in the calling thread's network namespace.
    public init(interface: UInt32) throws(SystemError) {
        self.interface = interface
        receiver = try FileDescriptor(
            clinux_open_bfd_receiver(interface, Self.port), "receive BFD packets (UDP port \(Self.port))")
        _ = clinux_set_receive_buffer(receiver.rawValue, Self.bufferOctets)
    }

    /// Ready to read when packets wait.
    public var descriptor: CInt { receiver.rawValue }

    /// Packets that the kernel dropped because the queue was full, modulo 2³²; 0 before Linux 4.12.
    public var overflows: UInt64 { UInt64(max(0, clinux_dropped_packets(receiver.rawValue))) }

    /// Closes the sockets of all sessions except those with these neighbors.
    public func keepSenders(to neighbors: Set<IPv6Address>) { senders = senders.filter { neighbors.contains($0.key) } }

    /// Sends a packet to a neighbor. Each session has a source port of its own, as long as it exists. Returns `false` if that was not
    /// possible.
    public func send(_ octets: [UInt8], to neighbor: IPv6Address, from source: IPv6Address) -> Bool {
        guard let sender = sender(to: neighbor) else { return false }
        return sender.send(octets, on: interface, from: source, to: neighbor, port: Self.port) == 0
    }

    private func sender(to neighbor: IPv6Address) -> FileDescriptor? {
        if let sender = senders[neighbor] { return sender }
        // Other programs may have some of the ports.
        for _ in 0..<16 {
            let descriptor = clinux_open_bfd_sender(interface, UInt16.random(in: Self.sourcePorts))
            guard let sender = try? FileDescriptor(descriptor, "send BFD packets") else { continue }
            senders[neighbor] = sender
            return sender
        }
        return nil
    }

    /// Reads up to ``batch`` waiting packets. Returns how many.
    public func receive(_ handler: (SessionTable.Datagram) -> Void) -> Int {
        let count = max(
            0, Int(clinux_receive(receiver.rawValue, &packets, UInt32(Self.batch), &buffer, Self.packetSize)))
        guard count > 0 else { return 0 }
        let (now, realtime) = (EventLoop.now, KernelStamp.now)
        for index in 0..<count {
            let packet = packets[index]
            // The age by the kernel's clock; none if that was set meanwhile.
            let age = packet.stamp == 0 ? 0 : realtime - packet.stamp
            let start = index * Self.packetSize
            handler(
                SessionTable.Datagram(
                    interface: interface, source: IPv6Address(packet.source),
                    hopLimit: UInt8(exactly: packet.hop_limit),
                    arrival: 0...Self.oldest ~= age ? now - .nanoseconds(age) : now,
                    octets: Array(buffer[start..<start + min(Int(packet.length), Self.packetSize)])))
        }
        return count
    }

    /// A packet that seems to be older is not: the clock was set.
    private static let oldest: Int64 = 60_000_000_000
}
