internal import Addressing
internal import Foundation
internal import Glibc
public import Lab
internal import Linux
internal import NIOPosix

/// A lab with an API server in the namespace of one node, and a Node object for each node.
public struct LabCluster: Sendable {
    private static let port = 6443

    /// The server.
    public let server: TestAPIServer
    /// The node in whose namespace the server runs.
    public let host: String

    /// The part of an agent's configuration that names the kubeconfig of the server. The server is made after the lab.
    public static func configuration(inLab name: String) -> String {
        "kubernetes: { kubeconfig: \"\(Lab.root)/\(name)/kubeconfig\" }"
    }

    /// Starts the server in the namespace of `host` and writes the kubeconfig. The lab's agents need not run yet.
    public init(_ lab: Lab, on host: String) throws {
        self.host = host
        let address = lab.addresses.address(of: host)
        let directory = URL(fileURLWithPath: lab.directory)
        let certificates = try TestCertificates(in: directory, names: ["IP:\(address)"])
        try """
        current-context: lab
        contexts: [{name: lab, context: {cluster: lab, user: lab}}]
        users: [{name: lab, user: {token: t}}]
        clusters: [{name: lab, cluster: {server: "https://[\(address)]:\(Self.port)", certificate-authority: ca.pem}}]
        """.write(toFile: "\(lab.directory)/kubeconfig", atomically: true, encoding: .utf8)
        let socket = try NetworkNamespace(named: lab.namespace(of: host).name).run { try boundSocket(port: Self.port) }
        server = try TestAPIServer.start(
            onSocket: socket, certificates: certificates, group: MultiThreadedEventLoopGroup.singleton)
        for node in lab.topology.nodes { try server.apply(Objects.node(node.name)) }
    }

    /// Makes the server unreachable: its packets are dropped without an answer, those of its own node as well. With `refusing`,
    /// connections are refused, as when it does not run.
    public func makeUnreachable(_ lab: Lab, refusing: Bool = false) throws {
        let rules = """
            table inet away {
              chain in { type filter hook input priority filter; tcp dport \(Self.port) \(refusing ? "reject with tcp reset" : "drop"); }
              chain out { type filter hook output priority filter; tcp sport \(Self.port) drop; }
            }
            """
        try lab.command(on: host, ["nft", "-f", "-"], input: rules).run()
    }

    /// Undoes ``makeUnreachable(_:)``.
    public func makeReachable(_ lab: Lab) throws {
        try lab.command(on: host, ["nft", "delete", "table", "inet", "away"]).run()
    }
}

/// A TCP socket that is bound to a port in the network namespace of the calling thread.
private func boundSocket(port: Int) throws -> CInt {
    let descriptor = socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
    var yes: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in6()
    address.sin6_family = sa_family_t(AF_INET6)
    address.sin6_port = UInt16(port).bigEndian
    let bound = withUnsafePointer(to: address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
        }
    }
    guard bound == 0 else { throw SystemError.last("bind a socket for an API server") }
    return descriptor
}
