internal import Glibc
public import MeshConfiguration
internal import Services

/// Defaults that a manifest sets for every configuration file of a deployment, through environment variables.
public enum EnvironmentDefaults {
    /// The variable with the default of `http.listen`.
    static let httpListen = "KUBERMESH_HTTP_LISTEN"

    private static let given = getenv(httpListen).map { String(cString: $0) } ?? ""

    /// What is wrong with the environment, if anything.
    public static var problem: String? {
        given.isEmpty || Endpoint(given) != nil
            ? nil : "$\(httpListen) is “\(given)” and not an address with a port, for example [::]:9179"
    }

    /// The configuration that no file means, in this environment.
    public static var configuration: Configuration {
        var configuration = Configuration()
        if let endpoint = Endpoint(given) { configuration.http.listen = endpoint }
        return configuration
    }
}
