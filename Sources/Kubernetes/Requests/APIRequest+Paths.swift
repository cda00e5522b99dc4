extension APIRequest {
    /// The first page of a list, or the page that a continuation token names.
    static func list<Object: Resource>(
        _ type: Object.Type, _ scope: WatchScope, limit: Int, continuation: String
    ) -> APIRequest {
        var query = [("limit", "\(limit)")]
        if !continuation.isEmpty { query.append(("continue", continuation)) }
        return get(.list, type, scope, query)
    }

    /// A watch of the changes after a version.
    static func watch<Object: Resource>(
        _ type: Object.Type, _ scope: WatchScope, from resourceVersion: String, timeoutSeconds: Int
    ) -> APIRequest {
        get(
            .watch, type, scope,
            [
                ("watch", "true"), ("allowWatchBookmarks", "true"), ("resourceVersion", resourceVersion),
                ("timeoutSeconds", "\(timeoutSeconds)"),
            ])
    }

    private static func get<Object: Resource>(
        _ verb: Verb, _ type: Object.Type, _ scope: WatchScope, _ query: [(String, String)]
    ) -> APIRequest {
        let selector = scope.name.map { [("fieldSelector", "metadata.name=\($0)")] } ?? []
        let fields = (query + selector).map { "\($0.0)=\(encode($0.1))" }
        return APIRequest(
            verb: verb, resource: type.plural,
            target: path(type, namespace: scope.namespace) + "?" + fields.joined(separator: "&"))
    }

    /// The path of all objects of a kind, of those of one namespace, or of one object or its subresource.
    static func path<Object: Resource>(
        _ type: Object.Type, namespace: String? = nil, name: String? = nil, subresource: String? = nil
    ) -> String {
        var path = type.apiVersion.contains("/") ? "/apis/\(type.apiVersion)" : "/api/\(type.apiVersion)"
        if type.isNamespaced, let namespace, !namespace.isEmpty { path += "/namespaces/\(encode(namespace))" }
        path += "/\(type.plural)"
        if let name { path += "/\(encode(name))" }
        if let subresource { path += "/\(subresource)" }
        return path
    }

    /// Everything but letters, digits and `-._~` percent-encoded.
    private static func encode(_ text: String) -> String {
        let hexadecimal = Array("0123456789ABCDEF".utf8)
        var octets: [UInt8] = []
        for octet in text.utf8 {
            switch octet {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                octets.append(octet)
            default:
                octets += [UInt8(ascii: "%"), hexadecimal[Int(octet >> 4)], hexadecimal[Int(octet & 15)]]
            }
        }
        return String(decoding: octets, as: UTF8.self)
    }
}
