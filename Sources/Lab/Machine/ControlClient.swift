internal import Glibc

/// Asks an agent over its Unix socket: one request per connection. Sockets with a path can be reached from any network
/// namespace.
struct ControlClient {
    /// The path of the socket.
    var socket: String

    /// The body of what the agent answers to `GET path`; `nil` when nobody listens there (yet).
    func get(_ path: String) throws(LabError) -> [UInt8]? {
        guard let connection = try connection() else { return nil }
        defer { close(connection) }
        let request = Array("GET \(path) HTTP/1.1\r\nHost: meshd\r\nConnection: close\r\n\r\n".utf8)
        guard send(connection, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else { return nil }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = recv(connection, &buffer, buffer.count, 0)
            if count == 0 { break }
            guard count > 0 else {
                if errno == ECONNRESET { return nil }
                throw .system("read the answer to \(path) from \(socket)")
            }
            answer += buffer[..<count]
        }
        // An agent that is on its way out may hang up in the middle.
        guard let response = Response(answer) else { return nil }
        guard response.status == 200 else {
            throw LabError(
                "\(socket) answered \(path) with \(response.status): \(String(decoding: response.body, as: UTF8.self))")
        }
        return response.body
    }

    private func connection() throws(LabError) -> Int32? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(socket.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw LabError("The path \(socket) is too long for a Unix socket; choose a shorter name for the lab.")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let connection = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard connection >= 0 else { throw .system("open a Unix socket") }
        var patience = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let status = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(connection, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if status == 0 { return connection }
        close(connection)
        return nil
    }

    /// A whole answer, with a body of the stated length or up to the end of the connection, or in chunks.
    struct Response {
        var status: Int
        var body: [UInt8]

        init?(_ bytes: [UInt8]) {
            let separator = Array("\r\n\r\n".utf8)
            guard let end = bytes.indices.first(where: { bytes[$0...].starts(with: separator) }) else { return nil }
            let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
            guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
                return nil
            }
            self.status = status
            body = Array(bytes[(end + separator.count)...])
            for line in lines.dropFirst() {
                let parts = line.split(separator: ":", maxSplits: 1).map { $0.lowercased().filter { $0 != " " } }
                guard parts.count == 2 else { continue }
                if parts == ["transfer-encoding", "chunked"] {
                    guard let whole = Self.joined(body) else { return nil }
                    body = whole
                }
                if parts[0] == "content-length", Int(parts[1]) != body.count { return nil }
            }
        }

        private static func joined(_ chunks: [UInt8]) -> [UInt8]? {
            var rest = chunks[...]
            var body: [UInt8] = []
            while let end = rest.firstIndex(of: UInt8(ascii: "\r")) {
                guard let size = Int(String(decoding: rest[..<end], as: UTF8.self), radix: 16) else { return nil }
                rest = rest[end...].dropFirst(2)
                if size == 0 { return body }
                guard size > 0, rest.count >= size + 2 else { return nil }
                body += rest.prefix(size)
                rest = rest.dropFirst(size + 2)
            }
            return nil
        }
    }
}
