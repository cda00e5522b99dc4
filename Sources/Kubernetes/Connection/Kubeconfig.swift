internal import FoundationEssentials
internal import Yams

/// Reads the connection of one context from a kubeconfig file. Errors in entries that this context does not name are ignored.
struct Kubeconfig {
    private let file: String
    private let root: Yams.Node

    /// The connection of a context of a file; without a context, of its current one.
    static func connection(inFile path: String, context: String?) throws(ConnectionProblem) -> APIConnection {
        let octets = try ConnectionFile.read(
            path, upTo: 1 << 20, place: "", advice: "name a kubeconfig file the agent may read, or none")
        let root: Yams.Node?
        do {
            root = try Yams.compose(yaml: String(decoding: octets, as: UTF8.self))
        } catch {
            throw ConnectionProblem(
                file: path, place: "", message: "is not YAML: \(error)", advice: "write it with kubectl config")
        }
        return try Kubeconfig(file: path, root: root ?? .mapping([:])).connection(context: context)
    }

    private func connection(context: String?) throws(ConnectionProblem) -> APIConnection {
        let current = try text(root, "current-context", at: "")
        guard let name = context ?? current else {
            throw problem("current-context", "is not set", "choose one with kubectl config use-context")
        }
        let chosen = try entry(name, in: "contexts", holding: "context")
        guard let clusterName = try text(chosen.node, "cluster", at: chosen.place) else {
            throw problem("\(chosen.place).cluster", "is not set", "name one of clusters")
        }
        let cluster = try entry(clusterName, in: "clusters", holding: "cluster")
        var clientCertificate: APIConnection.Certificate?
        var credentials = APIConnection.Credentials.none
        if let name = try text(chosen.node, "user", at: chosen.place) {
            let user = try entry(name, in: "users", holding: "user")
            clientCertificate = try certificate(user)
            credentials = try self.credentials(user)
        }
        return APIConnection(
            server: try server(cluster), serverName: try text(cluster.node, "tls-server-name", at: cluster.place),
            trust: try trust(cluster), certificate: clientCertificate, credentials: credentials,
            namespace: try text(chosen.node, "namespace", at: chosen.place) ?? "default",
            origin: "context \(name) of \(file)")
    }

    private func server(_ cluster: Entry) throws(ConnectionProblem) -> String {
        let place = "\(cluster.place).server"
        var server = try text(cluster.node, "server", at: cluster.place) ?? ""
        while server.hasSuffix("/") { server.removeLast() }
        guard let url = URL(string: server), let host = url.host(), !host.isEmpty, url.query() == nil else {
            throw problem(place, "is \"\(server.prefix(100))\"", "it must be like https://[fd00::1]:6443")
        }
        if let proxy = try text(cluster.node, "proxy-url", at: cluster.place) {
            throw problem("\(cluster.place).proxy-url", "is \(proxy.prefix(100)): no proxies", "remove it")
        }
        guard url.scheme?.lowercased() == "https" else {
            throw problem(
                place, "is not encrypted", "it must begin with https://; otherwise tokens are sent in clear text")
        }
        return server
    }

    private func trust(_ cluster: Entry) throws(ConnectionProblem) -> APIConnection.Trust {
        if let skip = try scalar(cluster.node, "insecure-skip-tls-verify", at: cluster.place), skip.bool == true {
            return .anything
        }
        guard let authorities = try data(cluster, "certificate-authority") else { return .system }
        try ConnectionFile.checkCertificates(
            authorities, file: file, place: "\(cluster.place).certificate-authority")
        return .authorities(authorities)
    }

    private func certificate(_ user: Entry) throws(ConnectionProblem) -> APIConnection.Certificate? {
        guard let chain = try data(user, "client-certificate") else { return nil }
        try ConnectionFile.checkCertificates(chain, file: file, place: "\(user.place).client-certificate")
        guard let key = try data(user, "client-key") else {
            throw problem("\(user.place).client-key", "is not set", "a client certificate needs its private key")
        }
        try ConnectionFile.checkKey(key, file: file, place: "\(user.place).client-key")
        return APIConnection.Certificate(chain: chain, key: key)
    }

    private func credentials(_ user: Entry) throws(ConnectionProblem) -> APIConnection.Credentials {
        for key in ["exec", "auth-provider", "username", "as"] where user.node.mapping?[Yams.Node(key)] != nil {
            throw problem(
                "\(user.place).\(key)", "is an authentication method that is not supported",
                "use a token, a tokenFile or a client certificate, such as those of a service account")
        }
        if let path = try text(user.node, "tokenFile", at: user.place) { return .tokenFile(resolve(path)) }
        guard let token = try text(user.node, "token", at: user.place) else { return .none }
        guard token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw problem("\(user.place).token", "contains spaces or control characters", "copy it whole, on one line")
        }
        return .token(token)
    }
}

extension Kubeconfig {
    /// A named entry of a list: a cluster, a user or a context.
    private struct Entry {
        /// The mapping below the key that holds the entry: `context`, `cluster` or `user`.
        var node: Yams.Node
        /// Where it is, for messages: `users[0].user`.
        var place: String
    }

    private func problem(_ place: String, _ message: String, _ advice: String) -> ConnectionProblem {
        ConnectionProblem(file: file, place: place, message: message, advice: advice)
    }

    private func entry(_ name: String, in list: String, holding key: String) throws(ConnectionProblem) -> Entry {
        let entries = root.mapping?[Yams.Node(list)]?.sequence.map(Array.init) ?? []
        guard let index = entries.firstIndex(where: { $0.mapping?["name"]?.scalar?.string == name }) else {
            throw problem(list, "has none of the name \"\(name.prefix(100))\"", "add it, or name another")
        }
        guard let node = entries[index].mapping?[Yams.Node(key)], node.mapping != nil else {
            throw problem("\(list)[\(index)].\(key)", "must be a mapping of keys", "write it with kubectl config")
        }
        return Entry(node: node, place: "\(list)[\(index)].\(key)")
    }

    private func scalar(_ node: Yams.Node, _ key: String, at place: String) throws(ConnectionProblem) -> Yams.Node? {
        guard let value = node.mapping?[Yams.Node(key)], value.null == nil else { return nil }
        guard value.scalar != nil else {
            throw problem(
                place.isEmpty ? key : "\(place).\(key)", "must be a single value", "write it with kubectl config")
        }
        return value
    }

    /// The text under `key`; `nil` if it is missing or empty.
    private func text(_ node: Yams.Node, _ key: String, at place: String) throws(ConnectionProblem) -> String? {
        let text = try scalar(node, key, at: place)?.scalar?.string ?? ""
        return text.isEmpty ? nil : text
    }

    /// The contents of `key-data`, decoded from base64, else of the file that `key` names; `nil` if neither is set.
    private func data(_ entry: Entry, _ key: String) throws(ConnectionProblem) -> [UInt8]? {
        if let text = try text(entry.node, key + "-data", at: entry.place) {
            guard let data = Data(base64Encoded: text, options: .ignoreUnknownCharacters), !data.isEmpty else {
                throw problem("\(entry.place).\(key)-data", "is not base64", "write it with kubectl config")
            }
            return Array(data)
        }
        guard let path = try text(entry.node, key, at: entry.place) else { return nil }
        return try ConnectionFile.read(
            resolve(path), upTo: 1 << 20, place: "named by \(entry.place).\(key) of \(file)",
            advice: "correct the path, or put the content into \(key)-data")
    }

    /// Resolves a path that is relative to the directory of the kubeconfig file.
    private func resolve(_ path: String) -> String {
        guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
        return file[...slash] + path
    }
}
