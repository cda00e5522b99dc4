internal import CLinux
internal import CNetlink
internal import Glibc
internal import Linux

/// A netlink socket of libnl. Sends and receives whole buffers; ``MessageEncoder`` and ``MessageView`` encode and
/// decode their contents.
final class NetlinkSocket {
    /// The result of a receive call.
    enum Received {
        /// This many octets are in the buffer.
        case octets(Int)
        /// Nothing waits.
        case nothing
        /// The receive buffer was full, and the kernel dropped messages.
        case overflow
    }

    private let handle: OpaquePointer
    private var buffer: UnsafeMutableRawBufferPointer
    private var lastSequence: UInt32 = 0

    /// The netlink port of this socket, which notifications of the changes that it requested carry (``MessageView/port``).
    var port: UInt32 { nl_socket_get_local_port(handle) }
    var descriptor: CInt { nl_socket_get_fd(handle) }

    /// Larger than any datagram of the kernel: one of a dump has at most 32 KiB unless a single message needs more, others have
    /// one message.
    private static let bufferOctets = 64 << 10

    /// Opens a socket in the calling thread's network namespace and joins notification groups. The default receive buffer
    /// (octets) has room for thousands of notifications.
    init(
        _ netlinkProtocol: CInt = NETLINK_ROUTE, groups: [CInt] = [], receiveBuffer: CInt = 4 << 20
    ) throws(SystemError) {
        guard let socket = nl_socket_alloc() else { throw SystemError("make a netlink socket", code: ENOMEM) }
        handle = socket
        buffer = .allocate(byteCount: Self.bufferOctets, alignment: 8)
        try check(nl_connect(handle, netlinkProtocol), "open a netlink socket")
        _ = clinux_set_receive_buffer(descriptor, receiveBuffer)
        // A batch of `KernelFIB` (64 KiB and one message) must fit.
        _ = clinux_set_send_buffer(descriptor, 1 << 20)
        // The kernel's own error messages; no copy of the request in them; filters in dumps. All of these are optional.
        for option in [NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK] {
            _ = clinux_set_netlink_option(descriptor, CInt(option))
        }
        // In milliseconds. The kernel answers before a send returns, so 5 s pass only if a bug makes us wait for an answer that
        // does not come.
        _ = clinux_set_receive_timeout(descriptor, 5_000)
        for group in groups { try join(group) }
    }

    /// Joins a notification group.
    func join(_ group: CInt) throws(SystemError) {
        try check(nl_socket_add_membership(handle, group), "join netlink group \(group)")
    }

    deinit {
        nl_socket_free(handle)
        buffer.deallocate()
    }

    /// Throws if a call of libnl has failed.
    private func check(_ result: CInt, _ operation: String) throws(SystemError) {
        // libnl has its own error numbers, but leaves errno as the system call set it.
        guard result < 0 else { return }
        throw SystemError(operation, code: errno != 0 ? errno : EIO)
    }

    /// Allocates `count` consecutive sequence numbers. Returns the first of them.
    func sequenceNumbers(_ count: Int) -> UInt32 {
        let first = lastSequence &+ 1
        lastSequence = lastSequence &+ UInt32(truncatingIfNeeded: count)
        return first
    }

    func send(_ octets: [UInt8]) throws(SystemError) {
        let count = octets.withUnsafeBytes {
            nl_sendto(handle, UnsafeMutableRawPointer(mutating: $0.baseAddress), $0.count)
        }
        try check(count, "send \(octets.count) octets to the kernel")
    }

    /// Receives one datagram into the buffer. With `wait`, waits for one until the receive timeout.
    func receive(wait: Bool) throws(SystemError) -> Received {
        while true {
            let count = recv(descriptor, buffer.baseAddress, buffer.count, wait ? 0 : CInt(MSG_DONTWAIT))
            if count >= 0 { return .octets(count) }
            switch errno {
            case EINTR: continue
            case ENOBUFS: return .overflow
            case EAGAIN where !wait: return .nothing
            default: throw .last("read from the kernel")
            }
        }
    }

    /// Calls `body` with each message of the last receive, which returned `count` octets. The message is valid only inside
    /// `body`.
    func forEachMessage(_ count: Int, _ body: (MessageView) -> Void) {
        MessageView.forEach(in: UnsafeRawBufferPointer(rebasing: buffer[..<count]), body)
    }
}
