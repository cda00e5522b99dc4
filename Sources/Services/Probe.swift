/// What a check does, and when it passes.
public enum Probe: Hashable, Sendable {
    /// A TCP connection to one of the endpoints is established.
    case tcp([Endpoint])
    /// A GET request to one of the endpoints gets an accepted status.
    case http(HTTPProbe)
    /// A program exits with status 0.
    case command(CommandProbe)

    /// The endpoints to try in order, until one works. None for a program.
    public var endpoints: [Endpoint] {
        switch self {
        case .tcp(let endpoints): endpoints
        case .http(let probe): probe.endpoints
        case .command: []
        }
    }

    /// The maximum number of timeouts of one check: each endpoint has its own.
    public var attempts: Int { max(1, endpoints.count) }
}

/// A GET request, and the accepted status codes.
public struct HTTPProbe: Hashable, Sendable {
    /// The endpoints to try in order, until one answers with an accepted status.
    public var endpoints: [Endpoint]
    /// The path with its query, starting with a slash.
    public var path: String
    /// The Host header; `nil` means the endpoint.
    public var host: String?
    /// The accepted status codes; by default those of Kubernetes probes.
    public var status: [ClosedRange<Int>]
    /// The TLS options; `nil` for plain HTTP.
    public var tls: TLSOptions?

    public init(
        endpoints: [Endpoint], path: String = "/", host: String? = nil, status: [ClosedRange<Int>] = [200...399],
        tls: TLSOptions? = nil
    ) {
        self.endpoints = endpoints
        self.path = path
        self.host = host
        self.status = status
        self.tls = tls
    }
}

/// How client and server authenticate each other. TLS 1.2 or later.
public struct TLSOptions: Hashable, Sendable {
    /// Which certificates are trusted.
    public enum Trust: Hashable, Sendable {
        /// Those of the certificate authorities that the machine trusts.
        case system
        /// Those of the certificate authorities in a PEM file.
        case file(String)
        /// Any certificate.
        case anything
    }

    /// The client certificate and its key, in PEM files.
    public struct Identity: Hashable, Sendable {
        /// The certificate chain.
        public var certificate: String
        /// The private key.
        public var key: String

        public init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }
    }

    /// Which certificates are trusted.
    public var trust: Trust
    /// The name that the certificate must have; `nil` means the checked address.
    public var serverName: String?
    /// The client certificate and key, for a server that requests them; `nil` for none.
    public var identity: Identity?

    public init(trust: Trust = .system, serverName: String? = nil, identity: Identity? = nil) {
        self.trust = trust
        self.serverName = serverName
        self.identity = identity
    }

    /// The files that are read.
    public var files: [String] {
        let authorities = if case .file(let path) = trust { [path] } else { [String]() }
        return authorities + (identity.map { [$0.certificate, $0.key] } ?? [])
    }
}

/// A program that exits with status 0 if the service works.
public struct CommandProbe: Hashable, Sendable {
    /// The program, by its absolute path or by its name in the directories of ``path``, and its arguments. There is no shell.
    public var command: [String]
    /// Its environment, without `PATH`.
    public var environment: [String: String]

    /// The `PATH` of commands, whatever that of the agent is.
    public static let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// Makes a probe of a program; `command` is not empty.
    public init(command: [String], environment: [String: String] = [:]) {
        precondition(!command.isEmpty)
        self.command = command
        self.environment = environment
    }
}
