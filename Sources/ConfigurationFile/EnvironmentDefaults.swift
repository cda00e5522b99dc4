internal import Glibc
public import MeshConfiguration
internal import Services

/// Defaults from environment variables, which a manifest can set on all nodes of a deployment. A key in the configuration file
/// has precedence.
public enum EnvironmentDefaults {
    /// The variable with the default of `http.listen`.
    static let httpListen = "KUBERMESH_HTTP_LISTEN"

    private static let given = getenv(httpListen).map { String(cString: $0) } ?? ""

    /// What is wrong with the environment, so that the agent does not start; `nil` if nothing is.
    public static var problem: String? {
        given.isEmpty || Endpoint(given) != nil
            ? nil : "$\(httpListen) is “\(given)” and not an address with a port, for example [::]:9179"
    }

    /// The configuration without a file, in this environment.
    public static var configuration: Configuration {
        var configuration = Configuration()
        if let endpoint = Endpoint(given) { configuration.http.listen = endpoint }
        return configuration
    }
}
