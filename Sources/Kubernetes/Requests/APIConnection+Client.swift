internal import Addressing
internal import AsyncHTTPClient
internal import FoundationEssentials
internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import NIOSSL

extension APIConnection {
    /// The start of all URLs. If ``serverName`` is set, it is the host in them, and the client resolves it to the host of
    /// ``server``.
    var requestBase: String {
        guard let serverName, var url = URLComponents(string: server) else { return server }
        url.host = serverName
        return url.string ?? server
    }

    /// The address of the server; `nil` if the URL has a name.
    var serverAddress: IPv6Address? {
        URL(string: server)?.host().flatMap { IPv6Address($0.trimmingBrackets) }
    }

    /// Makes a client that reports, on the loop, the address of every new connection.
    func makeClient(
        on loop: any EventLoop, opened: @escaping @Sendable (IPv6Address) -> Void
    ) throws(ConnectionProblem) -> HTTPClient {
        // The HTTP client checks the port only when it connects, which is too late.
        let port = URLComponents(string: requestBase).map { $0.port ?? 443 } ?? 0
        guard (1...65535).contains(port), (try? HTTPClient.Request(url: requestBase)) != nil else {
            throw ConnectionProblem(
                file: origin, place: "", message: "\(requestBase.prefix(100)) is not an address",
                advice: "it must be like https://[fd00::1]:6443")
        }
        // 16 connections are enough for all watches, which have one each, and several single requests. More requests wait.
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: try tls(), redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(10)),
            connectionPool: .init(idleTimeout: .seconds(60), concurrentHTTP1ConnectionsPerHostSoftLimit: 16))
        configuration.httpVersion = .http1Only
        // The caller decides when to try again.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.http1_1ConnectionDebugInitializer = { channel in
            if let text = channel.remoteAddress?.ipAddress, let peer = IPv6Address(text) {
                if loop.inEventLoop { opened(peer) } else { loop.execute { opened(peer) } }
            }
            return Self.keepAlive(channel)
        }
        if let serverName, let host = URL(string: server)?.host() {
            configuration.dnsOverride = [serverName: host.trimmingBrackets]
        }
        return HTTPClient(eventLoopGroupProvider: .shared(loop), configuration: configuration)
    }

    /// Sets options that detect within half a minute that the server is gone. On an idle connection: 15 s until the first
    /// probe, and three probes at intervals of 5 s. With unacknowledged data: TCP_USER_TIMEOUT (milliseconds).
    private static func keepAlive(_ channel: any Channel) -> EventLoopFuture<Void> {
        let options: [(option: CInt, value: Int)] = [
            (TCP_KEEPIDLE, 15), (TCP_KEEPINTVL, 5), (TCP_KEEPCNT, 3), (TCP_USER_TIMEOUT, 30_000),
        ]
        return EventLoopFuture.andAllSucceed(
            [channel.setOption(.socketOption(.so_keepalive), value: 1)]
                + options.map {
                    channel.setOption(
                        ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: $0.option)),
                        value: $0.value)
                }, on: channel.eventLoop)
    }

    private func tls() throws(ConnectionProblem) -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        // Wait only briefly for a server that does not close TLS: the agent may be about to be replaced.
        tls.shutdownTimeout = .milliseconds(100)
        do {
            switch trust {
            case .system: break
            case .authorities(let pem): tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(pem))
            case .anything: tls.certificateVerification = .none
            }
            if let certificate {
                tls.certificateChain = try NIOSSLCertificate.fromPEMBytes(certificate.chain).map { .certificate($0) }
                tls.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: certificate.key, format: .pem))
            }
        } catch {
            throw ConnectionProblem(
                file: origin, place: "", message: "certificates cannot be used: \(error)", advice: "renew them")
        }
        return tls
    }
}

extension String {
    /// The host, without the brackets of an IPv6 address in a URL.
    fileprivate var trimmingBrackets: String {
        hasPrefix("[") && hasSuffix("]") ? String(dropFirst().dropLast()) : self
    }
}
