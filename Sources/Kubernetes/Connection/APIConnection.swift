/// The address of an API server, and the credentials.
public struct APIConnection: Hashable, Sendable {
    public enum Credentials: Hashable, Sendable {
        /// No token: the client certificate alone, if there is one.
        case none
        case token(String)
        /// A token in a file. The file is read for every request, because tokens are replaced before they expire.
        case tokenFile(String)
    }

    /// How the server is authenticated.
    public enum Trust: Hashable, Sendable {
        /// By the certificate authorities of the machine.
        case system
        /// By these certificate authorities, in PEM.
        case authorities([UInt8])
        /// Not at all (`insecure-skip-tls-verify`).
        case anything
    }

    /// A client certificate and its key, in PEM.
    public struct Certificate: Hashable, Sendable {
        /// The certificate chain.
        public var chain: [UInt8]
        /// Its private key.
        public var key: [UInt8]
    }

    /// The URL, without a slash at the end: `https://[fd00::1]:6443`.
    public var server: String
    /// The name that the server's certificate must have; `nil` if it is the host in `server`.
    public var serverName: String?
    /// How the server is authenticated.
    public var trust: Trust
    /// The client certificate, if any.
    public var certificate: Certificate?
    public var credentials: Credentials
    /// The namespace of the pod or of the kubeconfig's context; `default` if none is given.
    public var namespace: String
    /// Where this description was read, for messages.
    public var origin: String
}

/// Why a connection that is described somewhere cannot be used. If nothing describes one, there is no API, which is no
/// problem (``ConnectionSource/find(kubeconfig:environment:directory:)``).
public struct ConnectionProblem: Error, Hashable, Sendable, CustomStringConvertible {
    public var file: String
    /// The key in the file, such as `users[0].user.token`, or the key that names the file; empty for the whole file.
    public var place: String
    /// What is wrong.
    public var message: String
    /// A possible remedy.
    public var advice: String

    /// `/etc/…/admin.conf: users[0].user.exec: … (…)`
    public var description: String { "\(file): \(place.isEmpty ? "" : "\(place): ")\(message) (\(advice))" }
}

/// The source of a connection, which can be read again at any time, because files are replaced.
public enum ConnectionSource: Hashable, Sendable, CustomStringConvertible {
    /// A kubeconfig file, which must be there, and one of its contexts; `nil` is its current one.
    case kubeconfig(path: String, context: String?)
    /// The service account of a pod: its directory, and the server's host and port from the environment.
    case serviceAccount(directory: String, host: String, port: String)

    /// The configured file, else the one that `KUBECONFIG` names, else the pod's service account; `nil` if there is no API,
    /// which is normal. The home directory is not searched: a kubeconfig there belongs to an administrator and not to the
    /// agent.
    public static func find(
        kubeconfig: String? = nil, environment: [String: String],
        directory: String = "/var/run/secrets/kubernetes.io/serviceaccount"
    ) -> ConnectionSource? {
        if let path = kubeconfig ?? environment["KUBECONFIG"], !path.isEmpty {
            return .kubeconfig(path: path, context: nil)
        }
        guard let host = environment["KUBERNETES_SERVICE_HOST"], !host.isEmpty,
            ConnectionFile.exists("\(directory)/token")
        else { return nil }
        let port = environment["KUBERNETES_SERVICE_PORT"] ?? ""
        return .serviceAccount(directory: directory, host: host, port: port.isEmpty ? "443" : port)
    }

    /// The source, for messages.
    public var description: String {
        switch self {
        case .kubeconfig(let path, _): path
        case .serviceAccount(let directory, _, _): "service account in \(directory)"
        }
    }

    /// Reads the description of the connection. Throws if it is incomplete or not valid. A token file is not read yet.
    public func load() throws(ConnectionProblem) -> APIConnection {
        switch self {
        case .kubeconfig(let path, let context): try Kubeconfig.connection(inFile: path, context: context)
        case .serviceAccount(let directory, let host, let port):
            try APIConnection(serviceAccount: directory, host: host, port: port)
        }
    }
}

extension APIConnection {
    fileprivate init(serviceAccount directory: String, host: String, port: String) throws(ConnectionProblem) {
        guard UInt16(port) != nil else {
            throw ConnectionProblem(
                file: directory, place: "", message: "KUBERNETES_SERVICE_PORT is \"\(port.prefix(20))\"",
                advice: "it must be a port; Kubernetes sets it")
        }
        server = "https://\(host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host):\(port)"
        let authorities = try ConnectionFile.read(
            "\(directory)/ca.crt", upTo: 1 << 20, place: "", advice: "Kubernetes mounts it beside the token")
        try ConnectionFile.checkCertificates(authorities, file: "\(directory)/ca.crt", place: "")
        trust = .authorities(authorities)
        credentials = .tokenFile("\(directory)/token")
        let namespace = try? ConnectionFile.read("\(directory)/namespace", upTo: 256, place: "", advice: "")
        self.namespace = namespace.map(ConnectionFile.text) ?? "default"
        origin = "\(ConnectionSource.serviceAccount(directory: directory, host: host, port: port))"
    }

    /// The current token; `nil` if there is none, or its file cannot be read or contains anything but one word of visible ASCII
    /// characters and white space around it.
    func token() -> String? {
        switch credentials {
        case .none: return nil
        case .token(let token): return token
        case .tokenFile(let path):
            guard let octets = try? ConnectionFile.read(path, upTo: 1 << 16, place: "", advice: "") else { return nil }
            let text = ConnectionFile.text(octets)
            // A line break would start another header.
            return !text.isEmpty && text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) ? text : nil
        }
    }
}
