public import Addressing
internal import Glibc

/// A TCP server that sends one line to every client, and its client. In a lab, the server stands for a service, such as
/// an API server.
public enum Responder {
    /// Sends `text` as a line to every client, on all addresses, until the process ends. With `namesClient`, the client's
    /// address follows in the line. Throws if it cannot listen.
    public static func serve(port: UInt16, text: String, namesClient: Bool = false) throws(LabError) -> Never {
        signal(SIGPIPE, SIG_IGN)
        let listener = socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
        var yes: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        let bound = withAddress(.unspecified, port: port) { bind(listener, $0, $1) }
        guard listener >= 0, bound == 0, listen(listener, 64) == 0 else { throw .system("listen on TCP port \(port)") }
        while true {
            var client = sockaddr_in6()
            var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
            let connection = withUnsafeMutablePointer(to: &client) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { accept(listener, $0, &size) }
            }
            guard connection >= 0 else {
                // For example, too many open files: do not turn in a tight loop.
                usleep(10_000)
                continue
            }
            let address = withUnsafeBytes(of: client.sin6_addr) { IPv6Address(octets: $0) }
            let line = Array((text + (namesClient ? " \(address?.description ?? "unknown")" : "") + "\n").utf8)
            send(connection, line, line.count, 0)
            close(connection)
        }
    }

    /// The line that a server sends, at most 256 octets. Throws if connecting or receiving fails, or either takes longer than a
    /// second. `source` is the source port. With 0 the kernel chooses one, often a port that was used recently; a test that
    /// gives another port each time gets a new flow, which may take another path.
    public static func dial(
        _ address: IPv6Address, port: UInt16, from source: UInt16 = 0
    ) throws(LabError) -> String {
        let connection = socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
        guard connection >= 0 else { throw .system("open a socket") }
        defer { close(connection) }
        var limit = timeval(tv_sec: 1, tv_usec: 0)
        for option in [SO_SNDTIMEO, SO_RCVTIMEO] {
            setsockopt(connection, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        if source != 0 {
            guard withAddress(.unspecified, port: source, { bind(connection, $0, $1) }) == 0
            else {
                throw .system("take port \(source)")
            }
        }
        guard withAddress(address, port: port, { connect(connection, $0, $1) }) == 0 else {
            throw .system("connect to port \(port) of \(address)")
        }
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = recv(connection, &buffer, buffer.count, 0)
        guard count > 0 else { throw .system("receive from port \(port) of \(address)") }
        return String(decoding: buffer[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    private static func withAddress<Result>(
        _ address: IPv6Address, port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        var socketAddress = sockaddr_in6()
        socketAddress.sin6_family = sa_family_t(AF_INET6)
        socketAddress.sin6_port = port.bigEndian
        withUnsafeMutableBytes(of: &socketAddress.sin6_addr) { $0.copyBytes(from: address.octets) }
        return withUnsafePointer(to: socketAddress) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
            }
        }
    }
}
