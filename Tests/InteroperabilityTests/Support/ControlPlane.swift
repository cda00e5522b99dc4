import Foundation
import Lab

/// A simulated control plane in a lab: HTTPS servers behind the VIP of the control plane nodes, and clients that make a new
/// connection to the VIP every 20 ms.
final class ControlPlane {
    private let directory: URL

    /// Makes the programs, and a self-signed certificate for the name `kubernetes`, which all servers use and all clients
    /// trust.
    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "mesh-control-plane-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        try Command([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", path("server.key"), "-out", path("server.crt"), "-days", "2", "-subj", "/CN=kubernetes",
            "-addext", "subjectAltName=DNS:kubernetes",
        ]).run()
        try Self.server.write(toFile: path("server.py"), atomically: true, encoding: .utf8)
        try Self.client.write(toFile: path("client.py"), atomically: true, encoding: .utf8)
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    private func path(_ name: String) -> String { directory.appending(path: name).path }

    /// `ha:3+3` with an HTTPS check of the VIP; the servers are started by ``serve(on:of:)``.
    func topology() throws -> Topology {
        guard var topology = try Topology.named("ha:3+3") else { throw LabError("There is no ha:3+3.") }
        for index in topology.nodes.indices where !topology.nodes[index].vips.isEmpty {
            topology.nodes[index].listens = []
            topology.nodes[index].config = """
                vips:
                  - name: \(Topology.controlPlaneVIP.name)
                    address: \(Topology.controlPlaneVIP.address)
                    check:
                      https:
                        url: "https://[::1]:\(Topology.controlPlaneVIP.port)/readyz"
                        ca: \(path("server.crt"))
                        serverName: kubernetes
                        status: 200
                      interval: 200ms
                      timeout: 500ms
                      rise: 2
                      fall: 2
                """
        }
        return topology
    }

    /// Starts the server of a node. Returns the ID of its process.
    func serve(on node: String, of lab: Lab) throws -> Int32 {
        try lab.command(
            on: node,
            [
                "python3", path("server.py"), path("server.crt"), path("server.key"), node,
                "\(Topology.controlPlaneVIP.port)",
            ]
        ).startDaemon(log: lab.directory(of: node) + "/server.log")
    }

    /// Starts a client on a node. ``Service`` reads its output.
    func connect(from node: String, of lab: Lab) throws -> RunningCommand {
        let vip = Topology.controlPlaneVIP
        return try lab.command(
            on: node, ["python3", path("client.py"), path("server.crt"), vip.address, "\(vip.port)"]
        ).spawn()
    }

    private static let server = """
        import http.server, socket, ssl, sys

        certificate, key, name, port = sys.argv[1:]

        class Handler(http.server.BaseHTTPRequestHandler):
            timeout = 2
            def do_GET(self):
                body = name.encode()
                self.send_response(200 if self.path == "/readyz" else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            address_family = socket.AF_INET6
            request_queue_size = 128
            daemon_threads = True
            def handle_error(self, *_):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server = Server(("::", int(port)), Handler)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        server.serve_forever()
        """

    private static let client = """
        import socket, ssl, sys, time

        authority, address, port = sys.argv[1:]
        context = ssl.create_default_context(cafile=authority)
        while True:
            began = time.monotonic()
            try:
                with socket.create_connection((address, int(port)), timeout=0.25) as plain, \\
                        context.wrap_socket(plain, server_hostname="kubernetes") as connection:
                    connection.sendall(b"GET /readyz HTTP/1.0\\r\\n\\r\\n")
                    answer = b""
                    while more := connection.recv(4096):
                        answer += more
                head, _, body = answer.partition(b"\\r\\n\\r\\n")
                if b" 200 " in head and body:
                    print(time.monotonic(), body.decode(), flush=True)
            except OSError:
                pass
            time.sleep(max(0, began + 0.02 - time.monotonic()))
        """
}

/// The successful requests of a client, from its output: a line for each, with the seconds of its monotonic clock and the node
/// that answered.
struct Service {
    /// When a request was answered, and by which node.
    var answers: [(seconds: Double, node: String)]

    init(_ text: String) {
        answers = text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count == 2, let seconds = Double(words[0]) else { return nil }
            return (seconds, String(words[1]))
        }
    }

    /// The longest time between two answers, in seconds; infinite with fewer than two.
    var longestGap: Double { zip(answers, answers.dropFirst()).map { $1.seconds - $0.seconds }.max() ?? .infinity }
}
