public import Addressing
internal import CLinux
internal import Glibc

/// The raw IPv6 sockets of protocol 89: one that sends all packets, and those of each port, which are open while a
/// multicast group is joined on it. Packets are sent with hop limit 1 and traffic class CS6 (internetwork control). Of
/// a received packet only the interface and the addresses, which come from the kernel, are trusted. The router verifies
/// checksums. To be used on one thread.
public final class OSPFSockets {
    /// Counters of packets.
    public struct Counters: Hashable, Sendable {
        /// Packets passed to the handler.
        public var received: UInt64 = 0
        /// Packets sent.
        public var sent: UInt64 = 0
        /// Dropped because the source was not a link-local address.
        public var foreignSources: UInt64 = 0
        /// Dropped because they did not fit the buffer of 65,536 octets, or the kernel did not report the interface.
        public var malformed: UInt64 = 0
        /// Packets that could not be sent, usually because there was no buffer, link or address. That is normal while
        /// links change, and the protocol retransmits important packets.
        public var sendFailures: UInt64 = 0
        /// Packets that the kernel dropped because a receive buffer was full, modulo 2³² per socket; 0 before Linux 4.12.
        public var overflows: UInt64 = 0
        /// Receive calls that failed.
        public var receiveFailures: UInt64 = 0
    }

    /// The descriptor to watch: ready to read when a packet waits on any port.
    public var descriptor: CInt { readiness.rawValue }
    /// Counters of packets.
    public var counters: Counters {
        ports.values.reduce(into: tally) { $0.overflows += $1.overflows }
    }
    /// The maximum number of packets read from a socket at a time: enough to save system calls, and few enough that a flood on
    /// one port does not delay the others.
    public static let batch = 16

    /// The maximum number of batches read from a port at once when a hello waits: 256 packets, more than a neighbor that stops
    /// sends to flush its LSAs.
    public static let batchesBeforeHello = 16

    private let sender: FileDescriptor
    /// An epoll descriptor, which reports all ports with packets in turn.
    private let readiness: FileDescriptor
    /// The open ports, by interface index.
    private var ports: [UInt32: OSPFPort] = [:]
    /// All counters, with the overflows of closed ports only: those of open ports are read from the kernel.
    private var tally = Counters()
    private let buffer: UnsafeMutableRawBufferPointer
    /// The packets of the last batch. The octets of packet i are in ``buffer`` from i × ``largestPacket`` on.
    private var packets = [clinux_packet](repeating: clinux_packet(), count: OSPFSockets.batch)
    /// The events of the last `epoll_wait`.
    private var ready = [epoll_event](repeating: epoll_event(), count: OSPFSockets.socketsPerRound)
    /// The sockets that have packets, by their ``token(_:_:)``.
    private var tokens: [UInt64] = []
    /// Empty buffers of ``receive(_:)``, kept to reuse their storage.
    private var keptBuffer: [Packet] = []
    private var hellosBuffer: [WaitingHellos] = []

    /// OSPF's IP protocol number.
    static let ipProtocol: CInt = 89
    /// More than the 65,535 octets that the payload of an IPv6 packet can have.
    private static let largestPacket = 65_536
    /// Room for what one turn may send on all ports, such as a database to several new neighbors.
    private static let sendBufferOctets: CInt = 4 << 20
    /// The maximum number of sockets with packets that epoll reports at a time. If more have packets, it reports those left out
    /// first the next time.
    private static let socketsPerRound = 64

    /// Opens the sending socket in the calling thread's network namespace. No port is open yet.
    public init() throws(SystemError) {
        sender = try FileDescriptor(clinux_open_raw_socket(OSPFSockets.ipProtocol), "open a raw socket for OSPF")
        readiness = try FileDescriptor(epoll_create1(CInt(EPOLL_CLOEXEC)), "make an epoll descriptor")
        // The socket receives nothing: no OSPF packet has this version.
        guard clinux_filter_by_octet(sender.rawValue, 0, UInt8.max, 1) == 0 else {
            throw .last("filter a raw socket for OSPF")
        }
        _ = clinux_set_send_buffer(sender.rawValue, OSPFSockets.sendBufferOctets)
        // Pages that no packet reaches are never touched, so this costs address space and little memory.
        buffer = .allocate(byteCount: OSPFSockets.batch * OSPFSockets.largestPacket, alignment: 16)
    }

    deinit { buffer.deallocate() }

    /// Joins (or leaves) a multicast group on a port. The first group opens the port, and leaving the last one closes
    /// it. It is no error to join twice, to leave a group that was not joined, or to leave on a port that is gone. In
    /// the network namespace of the initializer.
    public func setMembership(interface: UInt32, group: IPv6Address, joined: Bool) throws(SystemError) {
        var port: OSPFPort
        if let known = ports[interface] {
            port = known
        } else if joined {
            port = try open(interface)
        } else {
            return
        }
        // Closing the sockets leaves all groups. A port that could not join any group is useless.
        defer { if port.groups.isEmpty { close(port) } else { ports[interface] = port } }
        try port.setMembership(of: group, joined: joined)
    }

    private func open(_ interface: UInt32) throws(SystemError) -> OSPFPort {
        let port = try OSPFPort(interface: interface)
        for kind in OSPFPort.Kind.allCases {
            let token = epoll_data_t(u64: Self.token(interface, kind))
            var event = epoll_event(events: EventLoop.Readiness.readable.rawValue, data: token)
            guard epoll_ctl(readiness.rawValue, EPOLL_CTL_ADD, port.descriptor(kind), &event) == 0 else {
                throw .last("watch a raw socket for OSPF")
            }
        }
        return port
    }

    /// Forgets a port, which closes its sockets, and keeps the count of its overflows.
    private func close(_ port: OSPFPort) {
        tally.overflows += port.overflows
        ports[port.interface] = nil
    }

    /// Called with each received packet.
    public typealias Handler = (
        _ interface: UInt32, _ source: IPv6Address, _ destination: IPv6Address, _ octets: [UInt8]
    ) -> Void

    /// Reads waiting packets of all ports in turn and passes each to `handler`: of each port, at most a ``batch`` of hellos and
    /// one of other packets. If a hello waits, the port's other packets are passed first, up to ``batchesBeforeHello`` batches,
    /// because a neighbor that stops flushes its LSAs before its last hello. Returns the number of packets read,
    /// including those dropped here; 0 if none waited, or reading failed.
    ///
    /// Packets from other than link-local addresses are dropped here, as RFC 5340 §2.5 requires.
    @discardableResult
    public func receive(_ handler: Handler) -> Int {
        readReadySockets()
        var kept: [Packet] = []
        var hellos: [WaitingHellos] = []
        swap(&kept, &keptBuffer)
        swap(&hellos, &hellosBuffer)
        defer {
            kept.removeAll(keepingCapacity: true)
            hellos.removeAll(keepingCapacity: true)
            swap(&kept, &keptBuffer)
            swap(&hellos, &hellosBuffer)
        }
        var count = 0
        for token in tokens {
            guard let interface = Self.interface(token, .hellos) else { continue }
            let first = kept.count
            let new = receive(.hellos, interface) { kept.append(Packet($0, $1, $2, $3)) }
            count += new
            guard first < kept.count else { continue }
            let isAlone = new == 1 && isSilent(Self.token(interface, .allButHellos))
            hellos.append(WaitingHellos(interface: interface, packets: first..<kept.count, areAlone: isAlone))
        }
        for token in tokens {
            guard let interface = Self.interface(token, .allButHellos),
                !hellos.contains(where: { $0.interface == interface })
            else { continue }
            count += receive(.allButHellos, interface, handler)
        }
        for waiting in hellos {
            for _ in 0..<(waiting.areAlone ? 0 : OSPFSockets.batchesBeforeHello) {
                let new = receive(.allButHellos, waiting.interface, handler)
                count += new
                if new < OSPFSockets.batch { break }
            }
            for packet in kept[waiting.packets] {
                handler(packet.interface, packet.source, packet.destination, packet.octets)
            }
        }
        return count
    }

    /// Reads a ``batch`` of hellos of every port, regardless of other packets. Returns the number of packets; 0 if none
    /// waited, or reading failed.
    @discardableResult
    public func receiveHellos(_ handler: Handler) -> Int {
        readReadySockets()
        return tokens.lazy.compactMap { Self.interface($0, .hellos) }.reduce(0) { $0 + receive(.hellos, $1, handler) }
    }

    /// A received packet that is stored until it is passed to the handler.
    private struct Packet {
        let interface: UInt32
        let source, destination: IPv6Address
        let octets: [UInt8]

        init(_ interface: UInt32, _ source: IPv6Address, _ destination: IPv6Address, _ octets: [UInt8]) {
            self.interface = interface
            self.source = source
            self.destination = destination
            self.octets = octets
        }
    }

    /// Hellos of a port that wait for the packets that the kernel queued before them.
    private struct WaitingHellos {
        let interface: UInt32
        /// Where they are among the packets that were kept.
        let packets: Range<Int>
        /// Whether nothing was queued before, so that the other socket need not be read. That is so for a single hello, which is
        /// the one that epoll reported, if epoll did not report the other socket. (Two packets that arrive in the microsecond
        /// in which epoll looks at one socket and then the other may change places.)
        let areAlone: Bool
    }

    /// Whether epoll has found no packet on a socket. It may not have looked if many others have packets.
    private func isSilent(_ token: UInt64) -> Bool {
        tokens.count < OSPFSockets.socketsPerRound && !tokens.contains(token)
    }

    /// Reads into ``tokens`` which sockets have packets.
    private func readReadySockets() {
        let count = epoll_wait(readiness.rawValue, &ready, CInt(ready.count), 0)
        tokens.removeAll(keepingCapacity: true)
        for index in 0..<max(0, Int(count)) { tokens.append(ready[index].data.u64) }
    }

    /// What epoll reports for a socket: the interface index, and the kind in the lowest bit.
    private static func token(_ interface: UInt32, _ kind: OSPFPort.Kind) -> UInt64 {
        UInt64(interface) << 1 | kind.rawValue
    }

    /// The port of a socket if the socket is of this kind.
    private static func interface(_ token: UInt64, _ kind: OSPFPort.Kind) -> UInt32? {
        token & 1 == kind.rawValue ? UInt32(token >> 1) : nil
    }

    /// Reads one batch from a socket. Returns the number of packets, with those that ``deliver(_:at:handler:)`` drops; 0 also
    /// after a failure.
    private func receive(_ kind: OSPFPort.Kind, _ interface: UInt32, _ handler: Handler) -> Int {
        // A handler may have closed the port.
        guard let port = ports[interface] else { return 0 }
        let count = clinux_receive(
            port.descriptor(kind), &packets, UInt32(OSPFSockets.batch), buffer.baseAddress, OSPFSockets.largestPacket)
        guard count >= 0 else {
            if errno != EAGAIN, errno != EINTR { tally.receiveFailures += 1 }
            return 0
        }
        for index in 0..<Int(count) { deliver(packets[index], at: index, handler: handler) }
        return Int(count)
    }

    /// Passes packet `index` of the batch to the handler, or drops it.
    private func deliver(_ packet: clinux_packet, at index: Int, handler: Handler) {
        guard packet.truncated == 0, packet.interface != 0, packet.length <= OSPFSockets.largestPacket else {
            tally.malformed += 1
            return
        }
        let source = IPv6Address(packet.source)
        guard source.isLinkLocal else {
            tally.foreignSources += 1
            return
        }
        let start = index * OSPFSockets.largestPacket
        let octets = [UInt8](buffer[start..<start + Int(packet.length)])
        tally.received += 1
        handler(packet.interface, source, IPv6Address(packet.destination), octets)
    }

    /// Sends a packet on an interface, from one of its addresses. Returns `false` if a buffer was full, or after a failure
    /// that is normal while links change. Throws other failures. All are counted.
    @discardableResult
    public func send(
        interface: UInt32, source: IPv6Address, destination: IPv6Address, octets: [UInt8]
    ) throws(SystemError) -> Bool {
        if sender.send(octets, on: interface, from: source, to: destination) == 0 {
            tally.sent += 1
            return true
        }
        let code = errno
        tally.sendFailures += 1
        switch code {
        // EINVAL: the source is not an address of this machine any more. EMSGSIZE: the MTU has become smaller.
        case EAGAIN, ENOBUFS, ENOMEM, EINTR, ENETDOWN, ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, ENODEV, ENXIO, EINVAL,
            EMSGSIZE:
            return false
        default:
            throw SystemError("send to \(destination) on interface \(interface)", code: code)
        }
    }
}

/// Sixteen octets in the form in which C imports them.
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
