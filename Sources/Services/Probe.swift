/// What is tried, and when it has worked.
public enum Probe: Hashable, Sendable {
    /// A TCP connection comes about with one of the endpoints.
    case tcp([Endpoint])
    /// A GET is answered well.
    case http(HTTPProbe)
    /// A program ends with status 0.
    case command(CommandProbe)

    /// Where it is tried, in order; one that works is enough. None where a program decides.
    public var endpoints: [Endpoint] {
        switch self {
        case .tcp(let endpoints): endpoints
        case .http(let probe): probe.endpoints
        case .command: []
        }
    }

    /// How many times one try may take the whole timeout.
    public var attempts: Int { max(1, endpoints.count) }
}

/// A GET and what counts as a good answer.
public struct HTTPProbe: Hashable, Sendable {
    /// Where it is asked, in order; one good answer is enough.
    public var endpoints: [Endpoint]
    /// The path with its query, beginning with a slash.
    public var path: String
    /// The Host header; `nil` says the endpoint.
    public var host: String?
    /// The status codes that are good.
    public var status: [ClosedRange<Int>]
    /// How the server is believed, where TLS is spoken; `nil` for plain HTTP.
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

/// How a server proves who it is, and this node to the server. TLS 1.2 and later.
public struct TLSOptions: Hashable, Sendable {
    /// What makes a server believable.
    public enum Trust: Hashable, Sendable {
        /// The authorities of the machine.
        case system
        /// Those in a file, in PEM.
        case file(String)
        /// Everything.
        case anything
    }

    /// A certificate of this node's and its key, in files, in PEM.
    public struct Identity: Hashable, Sendable {
        /// The certificate and what leads to its authority.
        public var certificate: String
        /// Its private key.
        public var key: String

        public init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }
    }

    /// What makes the server believable.
    public var trust: Trust
    /// The name its certificate must have; `nil` is the address that is tried.
    public var serverName: String?
    /// What this node shows when it is asked who it is.
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

/// A program that ends with status 0 when all is well.
public struct CommandProbe: Hashable, Sendable {
    /// The program, by its absolute path or by its name in the directories of ``path``, and its arguments. No shell is asked.
    public var command: [String]
    /// What is in its environment beside `PATH`.
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
