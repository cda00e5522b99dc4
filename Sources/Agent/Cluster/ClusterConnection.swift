internal import Addressing
internal import Cluster
internal import Glibc
internal import Kubernetes
internal import MeshConfiguration
internal import NIOCore
internal import NIOPosix
internal import Services
internal import Synchronization

/// The connection to the cluster: the follower, with its own event loop.
final class ClusterConnection: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let follower: ClusterFollower
    private let waiting: Waiting
    /// The address of the API server, if the pod's environment has it (`$KUBERNETES_SERVICE_HOST`) and it is used.
    let server: IPv6Address?

    /// Reports that were not fetched yet, merged into one. A class, so that the closure that fills it can share it.
    private final class Waiting: Sendable {
        let report = Mutex<ClusterReport?>(nil)
    }

    /// `nil` if there is no cluster, or the configuration says not to watch it. Calls `wake` on the connection's loop when
    /// there is something to ``fetch()`` and was not before. So reports keep their order, and at most one call is pending.
    init?(_ configuration: Configuration, wake: @escaping @Sendable () -> Void) {
        guard configuration.kubernetes.isWatched,
            let source = ConnectionSource.find(
                kubeconfig: configuration.kubernetes.kubeconfig, environment: Self.environment)
        else { return nil }
        let waiting = Waiting()
        self.waiting = waiting
        server = if case .serviceAccount(_, let host, _) = source { IPv6Address(host) } else { nil }
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        follower = ClusterFollower(
            source, on: group.any(), node: configuration.node.name ?? Host.name,
            options: configuration.kubernetes.services, pools: Self.pools(configuration),
            watchesServiceRanges: configuration.kubernetes.serviceRanges == nil,
            filesIn: StateDirectory(configuration).path + "/cluster"
        ) { report in
            let isFirst = waiting.report.withLock { old in
                // Append the report to the one that waits, or let it wait as the first.
                defer { if old?.append(report) == nil { old = report } }
                return old == nil
            }
            if isFirst { wake() }
        }
    }

    /// The address pools; `nil` if there are none.
    private static func pools(_ configuration: Configuration) -> PoolOptions? {
        guard !configuration.pools.isEmpty else { return nil }
        var options = PoolOptions(
            pools: configuration.pools, namespace: environment["POD_NAMESPACE"] ?? PoolOptions.defaultNamespace)
        options.loadBalancerClass = configuration.kubernetes.services.loadBalancerClass
        return options
    }

    private static var environment: [String: String] {
        let names = ["KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", "POD_NAMESPACE"]
        return Dictionary(
            uniqueKeysWithValues: names.compactMap { name in getenv(name).map { (name, String(cString: $0)) } })
    }

    /// All reports since the last call, merged into one; `nil` if there were none.
    func fetch() -> ClusterReport? { waiting.report.withLock { $0.take() } }

    /// Starts the watches. When it returns, the cached objects have been reported.
    func start() throws { try follower.loop.submit { self.follower.start() }.wait() }

    /// Offers pod ranges, which the follower writes into the machine's Node if it has none.
    func offer(_ ranges: [IPv6Prefix]) { follower.loop.execute { self.follower.offer(ranges) } }

    /// Releases the lease for address pools and waits for that. Call it while the API server is still reachable.
    func resign() { try? follower.loop.flatSubmit { self.follower.resign() }.wait() }

    /// The maximum time to close connections. It is short because the next agent waits for this one to exit.
    private static let stopLimit = TimeAmount.milliseconds(200)

    /// Stops all watches. Waits until the connections are closed, up to ``stopLimit``.
    func stop() {
        let finished = follower.loop.makePromise(of: Void.self)
        follower.loop.execute {
            self.follower.stop().whenComplete { _ in finished.succeed() }
            self.follower.loop.scheduleTask(in: Self.stopLimit) { finished.succeed() }
        }
        try? finished.futureResult.wait()
        group.shutdownGracefully { _ in }
    }
}
