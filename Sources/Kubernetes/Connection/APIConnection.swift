/// How to reach an API server, and as whom.
public struct APIConnection: Hashable, Sendable {
    /// Who is asking.
    public enum Credentials: Hashable, Sendable {
        /// Nobody, or whoever the client's certificate names.
        case none
        /// A token.
        case token(String)
        /// The token in a file, which is read again for every request: whoever issues it replaces it before it expires.
        case tokenFile(String)
    }

    /// What makes the server believable.
    public enum Trust: Hashable, Sendable {
        /// The authorities of the machine.
        case system
        /// These authorities, in PEM.
        case authorities([UInt8])
        /// Everything, as `insecure-skip-tls-verify` asks for.
        case anything
    }

    /// A certificate of the client and its key, in PEM.
    public struct Certificate: Hashable, Sendable {
        /// The certificate and what leads to its authority.
        public var chain: [UInt8]
        /// Its private key.
        public var key: [UInt8]
    }

    /// `https://` and so on, without a slash at the end.
    public var server: String
    /// The name its certificate must have, if not that in `server`.
    public var serverName: String?
    /// What makes the server believable.
    public var trust: Trust
    /// The certificate to show, if any.
    public var certificate: Certificate?
    /// Who is asking.
    public var credentials: Credentials
    /// The namespace of whoever asks; `default` where nothing else is said.
    public var namespace: String
    /// Where all this was found, for people.
    public var origin: String
}

/// Why a description of a connection cannot be used. What is not there at all is no problem: there is no API then.
public struct ConnectionProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file.
    public var file: String
    /// The key in it, `users[0].user.token`; empty for the whole file.
    public var place: String
    /// What is wrong.
    public var message: String
    /// What to do about it.
    public var advice: String

    /// `/etc/…/admin.conf: users[0].user.exec: … (…)`
    public var description: String { "\(file): \(place.isEmpty ? "" : "\(place): ")\(message) (\(advice))" }
}

/// Where to look for a connection. It can be looked up again at any time, as files are replaced.
public enum ConnectionSource: Hashable, Sendable, CustomStringConvertible {
    /// A kubeconfig file, which must be there, and one of its contexts; `nil` is its current one.
    case kubeconfig(path: String, context: String?)
    /// What Kubernetes gives a pod: a directory, and the server's host and port as in the environment.
    case serviceAccount(directory: String, host: String, port: String)

    /// What there is: the file somebody named, else that in `KUBECONFIG`, else the pod's service account; `nil` means
    /// there is no API, an ordinary state. The home directory is not looked at: what an administrator does there by hand is
    /// no setting of the agent's.
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

    /// Where it is, for people.
    public var description: String {
        switch self {
        case .kubeconfig(let path, _): path
        case .serviceAccount(let directory, _, _): "service account in \(directory)"
        }
    }

    /// Reads the files.
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

    /// The token to show now; `nil` for none. One that cannot be read right now is as none.
    func token() -> String? {
        switch credentials {
        case .none: return nil
        case .token(let token): return token
        case .tokenFile(let path):
            guard let octets = try? ConnectionFile.read(path, upTo: 1 << 16, place: "", advice: "") else { return nil }
            let text = ConnectionFile.text(octets)
            // Anything else would be another header.
            return !text.isEmpty && text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) ? text : nil
        }
    }
}
