internal import Addressing
internal import Cluster
internal import Glibc
internal import Kubernetes
internal import MeshConfiguration
internal import NIOCore
internal import NIOPosix
internal import Services
internal import Synchronization

/// The connection to the cluster, if there is one: an event loop of its own, and the follower on it.
final class ClusterConnection: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let follower: ClusterFollower
    private let waiting: Waiting

    /// What was reported and nobody has fetched, put together.
    private final class Waiting: Sendable {
        let report = Mutex<ClusterReport?>(nil)
    }

    /// `nil` where nobody is to be asked. `wake` is called whenever there is something to ``fetch()`` and was not before, on
    /// the connection's loop: so reports keep their order, and however many come, one call is under way.
    init?(_ configuration: Configuration, wake: @escaping @Sendable () -> Void) {
        guard configuration.kubernetes.isWatched,
            let source = ConnectionSource.find(
                kubeconfig: configuration.kubernetes.kubeconfig, environment: Self.environment)
        else { return nil }
        let waiting = Waiting()
        self.waiting = waiting
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        follower = ClusterFollower(
            source, on: group.any(), node: configuration.node.name ?? Host.name,
            options: configuration.kubernetes.services, pools: Self.pools(configuration),
            filesIn: StateDirectory(configuration).path + "/cluster"
        ) { report in
            let isFirst = waiting.report.withLock { old in
                defer { if old?.append(report) == nil { old = report } }
                return old == nil
            }
            if isFirst { wake() }
        }
    }

    /// What is given to services; `nil` is nothing.
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

    /// What is new of the cluster.
    func fetch() -> ClusterReport? { waiting.report.withLock { $0.take() } }

    /// Begins to ask. When it returns, what was known before has been reported.
    func start() throws { try follower.loop.submit { self.follower.start() }.wait() }

    /// Offers the node's pod ranges to the cluster, to be taken if it has none for the node.
    func offer(_ ranges: [IPv6Prefix]) { follower.loop.execute { self.follower.offer(ranges) } }

    /// Leaves to others what this agent does for the whole cluster, while the mesh still carries that.
    func resign() { try? follower.loop.flatSubmit { self.follower.resign() }.wait() }

    /// How long connections are given to end: whoever comes next waits for this agent to be gone.
    private static let stopLimit = TimeAmount.milliseconds(200)

    /// Asks no more.
    func stop() {
        let over = follower.loop.makePromise(of: Void.self)
        follower.loop.execute {
            self.follower.stop().whenComplete { _ in over.succeed() }
            self.follower.loop.scheduleTask(in: Self.stopLimit) { over.succeed() }
        }
        try? over.futureResult.wait()
        group.shutdownGracefully { _ in }
    }
}
