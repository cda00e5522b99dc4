internal import Addressing
internal import CLinux
internal import Glibc

/// The raw sockets of one port, bound to it: one for hellos, one for all other packets. Filters in the kernel separate
/// the packets, and each socket has a receive queue of limited size. So a flood on one port uses no space of another,
/// and no hello waits behind a database exchange.
struct OSPFPort {
    /// The packets that a socket receives: hellos, or all other packets. The raw value is the lowest bit of the socket's token
    /// (`OSPFSockets.token`).
    enum Kind: UInt64, CaseIterable {
        case hellos, allButHellos
    }

    let interface: UInt32
    private let hellos: FileDescriptor
    private let allButHellos: FileDescriptor
    /// The multicast groups that both sockets have joined.
    private(set) var groups: Set<IPv6Address> = []

    /// The packet type of a hello.
    private static let hello: UInt8 = 1
    /// Room for hundreds of hellos, each with the kernel's overhead of up to a few KiB.
    private static let hellosBufferOctets: CInt = 1 << 20
    /// Room for a burst of a whole database, which arrives while the loop computes shortest paths and reads nothing.
    private static let othersBufferOctets: CInt = 8 << 20

    /// Opens the sockets in the calling thread's network namespace; they have joined no multicast group yet.
    init(interface: UInt32) throws(SystemError) {
        self.interface = interface
        hellos = try Self.open(.hellos, on: interface)
        allButHellos = try Self.open(.allButHellos, on: interface)
    }

    func descriptor(_ kind: Kind) -> CInt {
        switch kind {
        case .hellos: hellos.rawValue
        case .allButHellos: allButHellos.rawValue
        }
    }

    /// Packets that the kernel dropped because a receive buffer was full, modulo 2³² per socket; 0 before Linux 4.12.
    var overflows: UInt64 {
        Kind.allCases.reduce(0) { $0 + UInt64(max(0, clinux_dropped_packets(descriptor($1)))) }
    }

    /// Joins (or leaves) a multicast group. It is no error to join twice, to leave a group that was not joined, or to
    /// leave on an interface that is gone.
    mutating func setMembership(of group: IPv6Address, joined: Bool) throws(SystemError) {
        for kind in Kind.allCases {
            let result = group.octets.withUnsafeBufferPointer {
                clinux_set_membership(descriptor(kind), interface, $0.baseAddress, joined ? 1 : 0)
            }
            guard result != 0 else { continue }
            switch errno {
            case EADDRINUSE where joined: break
            case EADDRNOTAVAIL where !joined, ENODEV where !joined: break
            default: throw .last("\(joined ? "join" : "leave") \(group) on interface \(interface)")
            }
        }
        if joined { groups.insert(group) } else { groups.remove(group) }
    }

    private static func open(_ kind: Kind, on interface: UInt32) throws(SystemError) -> FileDescriptor {
        let socket = try FileDescriptor(clinux_open_raw_socket(OSPFSockets.ipProtocol), "open a raw socket for OSPF")
        // Packets received before the filter and the binding are harmless: the kernel reports their interface. The
        // second octet is the packet's type (RFC 5340 §A.3.1).
        guard clinux_filter_by_octet(socket.rawValue, 1, Self.hello, kind == .hellos ? 1 : 0) == 0 else {
            throw .last("filter a raw socket for OSPF")
        }
        guard clinux_bind_to_interface(socket.rawValue, interface) == 0 else {
            throw .last("bind a raw socket to interface \(interface)")
        }
        _ = clinux_set_receive_buffer(socket.rawValue, kind == .hellos ? hellosBufferOctets : othersBufferOctets)
        return socket
    }
}
