public import Addressing
public import Kubernetes
internal import Linux
public import NIOCore
public import Services
internal import Timing

/// Follows the cluster: watches services, their endpoints, this node, and the addresses of all, works out what this node
/// should announce, and tells what is new of that. It lives on an event loop of its own, so that nothing of routing waits for it.
///
/// What was last known is kept in files and is what the next start goes by, so the API may be away for as long as it likes:
/// nothing is withdrawn because it cannot be asked. Credentials that cannot be used yet, as while the API server itself
/// comes up on this node, are looked at again and again.
public final class ClusterFollower: Sendable {
    /// Where everything happens.
    public let loop: any NIOCore.EventLoop
    private let source: ConnectionSource
    private let directory: String
    private let pools: PoolOptions?
    private let announcesClusterIPs: Bool
    private let report: @Sendable (ClusterReport) -> Void
    private let state: NIOLoopBoundBox<State>

    private struct Watchers {
        var services: ResourceWatcher<Service>
        var slices: ResourceWatcher<EndpointSlice>
        var nodes: ResourceWatcher<Node>
        var addresses: ResourceWatcher<NodeAddresses>

        func start() {
            // What services must not have is asked for before what they have.
            addresses.start()
            services.start()
            slices.start()
            nodes.start()
        }

        func stop() {
            services.stop()
            slices.stop()
            nodes.stop()
            addresses.stop()
        }
    }

    /// The client, and what asks by it.
    private struct Connection {
        var client: APIClient
        var watchers: Watchers
        var offer: PodRangeOffer
        var pools: PoolController?
    }

    /// Changed where it stands, on the loop only.
    private final class State {
        var view: ClusterView
        var board: ServiceBoard
        var census: PoolCensus
        var machines = MachineAddresses()
        /// Whether enough is known, from now or from before: half of it would withdraw what stands.
        var isComplete = false
        var notices: [String] = []
        var objects = KnownObjects()
        /// This node as the API has it, and as it last had it, with the last ranges it had.
        var node: Node?
        var kept: Node?
        var connection: Connection?
        /// What is offered as the ranges of the node's pods.
        var offered: [IPv6Prefix] = []
        var retrying: Scheduled<Void>?
        /// Labels of the kinds of objects whose files are behind.
        var unwritten: Set<String> = []
        var writing: Scheduled<Void>?
        var written: NIODeadline?
        var trimmed: NIODeadline?

        init(view: ClusterView, board: ServiceBoard, census: PoolCensus) {
            self.view = view
            self.board = board
            self.census = census
        }
    }

    /// Changes of what is known are written to files after this long, many together; and then no more for a while, as files
    /// are written whole, and some machines have disks that wear out.
    private static let writingDelay = TimeAmount.seconds(2)
    private static let writingDistance = TimeAmount.seconds(10)

    private static let retryInterval = TimeAmount.seconds(10)
    private static let trimInterval = TimeAmount.minutes(1)

    /// A Node is large on the wire, mostly by the names of its images, and little of it is kept: pages are small, and what
    /// all of them took on the wire says nothing of memory.
    private static var addressLimits: WatchLimits {
        var limits = WatchLimits()
        limits.pageSize = 100
        limits.objects = 10_000
        limits.storeOctets = 1 << 30
        return limits
    }

    /// Makes one that asks nobody yet, for the node of this name. With `pools`, it is one of those that may give addresses to
    /// services. What is known is kept in files in `directory`; `report` is called on the loop.
    public init(
        _ source: ConnectionSource, on loop: any NIOCore.EventLoop, node name: String, options: ServiceOptions,
        pools: PoolOptions? = nil, filesIn directory: String, report: @escaping @Sendable (ClusterReport) -> Void
    ) {
        self.source = source
        self.loop = loop
        self.directory = directory
        self.pools = pools
        announcesClusterIPs = options.announcesClusterIPs
        self.report = report
        let conditions = NodeConditions(name: name)
        let view = ClusterView(
            origin: source.description,
            resources: Dictionary(
                uniqueKeysWithValues: [Service.label, EndpointSlice.label, Node.label, NodeAddresses.label].map {
                    ($0, ClusterView.Resource())
                }),
            node: conditions)
        let board = ServiceBoard(node: conditions, options: options)
        let census = PoolCensus(pools?.pools ?? [])
        state = .makeBoxSendingValue(State(view: view, board: board, census: census), eventLoop: loop)
    }

    /// Tells what was known before, and begins to ask. To be called on the loop.
    public func start() {
        let known = KnownObjects(from: directory)
        state.value.isComplete = known.isComplete
        if known.isComplete {
            state.value.notices.append("what was known of the cluster before is used until more is heard")
        }
        state.value.machines.setServers(known.servers)
        set(known.addresses ?? [:], setAddresses)
        set(known.services ?? [:], setService)
        set(known.slices ?? [:]) { $0.board.set($1, $2) }
        set(known.nodes ?? [:], setNode)
        state.value.objects = known
        tell()
        connect()
    }

    private func set<Object>(_ objects: [ObjectKey: Object], _ set: (State, ObjectKey, Object?) -> Void) {
        for (key, object) in objects { set(state.value, key, object) }
    }

    private func setService(_ state: State, _ key: ObjectKey, _ service: Service?) {
        state.board.set(key, service)
        state.census.set(key, service)
        // An API server that is reached by a service of its own may be announced as one.
        if announcesClusterIPs, key == Self.serverService { state.machines.setDelivered(service?.clusterIPs ?? []) }
    }

    private func setAddresses(_ state: State, _ key: ObjectKey, _ node: NodeAddresses?) {
        state.machines.set(key, node?.addresses ?? [])
    }

    /// The API server's own service, whose cluster IP is in `KUBERNETES_SERVICE_HOST`.
    private static let serverService = ObjectKey(namespace: "default", name: "kubernetes")

    /// Takes in by which addresses the API server is reached. Those of before count until there are others.
    private func takeServers() {
        let now = state.value
        guard let addresses = now.connection?.client.serverAddresses, !addresses.isEmpty,
            addresses != now.objects.servers
        else { return }
        now.objects.servers = addresses
        now.machines.setServers(addresses)
        now.unwritten.insert(KnownObjects.serverLabel)
        scheduleWriting()
        tell()
    }

    private func setNode(_ state: State, _ key: ObjectKey, _ node: Node?) {
        guard key.name == state.view.node.name else { return }
        state.node = node
        // Neither a node that was deleted nor one that was made anew has lost its ranges: its pods still run.
        guard var node = node ?? state.kept else { return }
        state.view.isNodeKnown = true
        state.view.node = NodeConditions(node)
        state.notices += state.view.takeRanges(of: node)
        state.board.setNode(state.view.node)
        node.podCIDRs = state.view.podCIDRs
        state.kept = node
        state.objects.nodes?[key] = node
    }

    private func connect() {
        let client: APIClient
        do {
            client = try APIClient(source, on: loop) { [self] in takeServers() }
        } catch {
            let problem = "\(error)"
            let isNew = state.value.view.connectionProblem != problem
            state.value.view.connectionProblem = problem
            if isNew {
                state.value.notices.append(
                    "\(problem); it is tried again every \(Self.retryInterval.nanoseconds / 1_000_000_000) s")
                tell()
            }
            state.value.retrying = loop.scheduleTask(in: Self.retryInterval) { [self] in connect() }
            return
        }
        state.value.view.origin = client.origin
        state.value.view.connectionProblem = nil
        let known = state.value.objects
        let watchers = Watchers(
            services: ResourceWatcher(client: client, known: known.services.map { Array($0.values) } ?? []) { [self] in
                take($0, into: \.objects.services, setService)
                state.value.connection?.pools?.take($0.changes, $0.state)
            },
            slices: ResourceWatcher(client: client, known: known.slices.map { Array($0.values) } ?? []) { [self] in
                take($0, into: \.objects.slices) { $0.board.set($1, $2) }
            },
            nodes: ResourceWatcher(
                client: client, scope: WatchScope(name: state.value.view.node.name),
                known: known.nodes.map { Array($0.values) } ?? []
            ) { [self] in
                take($0, into: \.objects.nodes, setNode)
                considerOffer()
            },
            addresses: ResourceWatcher(
                client: client, limits: Self.addressLimits, known: known.addresses.map { Array($0.values) } ?? []
            ) { [self] in
                take($0, into: \.objects.addresses, setAddresses)
            })
        let notify: @Sendable (String) -> Void = { [self] notice in
            state.value.notices.append(notice)
            tell()
        }
        let controller = pools.map {
            PoolController(client, options: $0, node: state.value.view.node.name, notify: notify)
        }
        state.value.connection = Connection(
            client: client, watchers: watchers, offer: PodRangeOffer(client, notify: notify), pools: controller)
        takeServers()
        watchers.start()
    }

    /// Offers ranges for the node's pods, to be taken if the cluster has none for it. To be called on the loop.
    public func offer(_ ranges: [IPv6Prefix]) {
        guard state.value.offered != ranges else { return }
        state.value.offered = ranges
        considerOffer()
    }

    private func considerOffer() {
        // Only what the API says now counts, and not what it said in an earlier life.
        guard let node = state.value.node, state.value.view.resources[Node.label]?.isSynced == true else { return }
        state.value.connection?.offer.consider(node, state.value.offered)
    }

    /// Leaves to others what it does for the whole cluster, as long as they can be told. To be called on the loop.
    public func resign() -> EventLoopFuture<Void> {
        state.value.connection?.pools?.stop() ?? loop.makeSucceededVoidFuture()
    }

    /// Asks no more. To be called on the loop, after ``resign()``.
    public func stop() -> EventLoopFuture<Void> {
        state.value.retrying?.cancel()
        guard let connection = state.value.connection else { return loop.makeSucceededVoidFuture() }
        state.value.connection = nil
        connection.watchers.stop()
        connection.offer.stop()
        write()
        return connection.client.shutdown()
    }

    /// Takes in what a watcher reports.
    private func take<Object: Resource>(
        _ news: WatchReport<Object>, into known: ReferenceWritableKeyPath<State, [ObjectKey: Object]?>,
        _ set: (State, ObjectKey, Object?) -> Void
    ) {
        let now = state.value
        for object in news.changes.deleted {
            now[keyPath: known]?[object.key] = nil
            set(now, object.key, nil)
        }
        for object in news.changes.updated {
            if now[keyPath: known] == nil { now[keyPath: known] = [:] }
            now[keyPath: known]?[object.key] = object
            set(now, object.key, object)
        }
        // Now it is known that there are none.
        let isFirst = news.state.isSynced && now[keyPath: known] == nil
        if isFirst { now[keyPath: known] = [:] }
        now.view.resources[Object.label] = ClusterView.Resource(news.state)
        now.isComplete = now.isComplete || now.view.isComplete
        now.notices += news.notices
        if !news.changes.isEmpty || isFirst {
            now.unwritten.insert(Object.label)
            scheduleWriting()
        }
        tell()
    }

    private func tell() {
        let changes = state.value.isComplete ? state.value.board.takeChanges() : [:]
        state.value.view.pools = state.value.census.uses
        state.value.view.machineAddresses = state.value.machines.all
        state.value.view.assignsAddresses = state.value.connection?.pools?.isRuling ?? false
        report(ClusterReport(view: state.value.view, changes: changes, notices: state.value.notices))
        state.value.notices = []
    }

    private func scheduleWriting() {
        guard state.value.writing == nil else { return }
        let soon = NIODeadline.now() + Self.writingDelay
        let due = state.value.written.map { max(soon, $0 + Self.writingDistance) } ?? soon
        state.value.writing = loop.scheduleTask(deadline: due) { [self] in write() }
    }

    private func write() {
        state.value.writing?.cancel()
        state.value.writing = nil
        guard state.value.isComplete, !state.value.unwritten.isEmpty else { return }
        state.value.written = .now()
        let before = state.value.view.keepingProblem
        do {
            try state.value.objects.write(state.value.unwritten, to: directory)
            state.value.unwritten = []
            state.value.view.keepingProblem = nil
        } catch {
            state.value.view.keepingProblem = "what is known of the cluster cannot be kept for the next start: \(error)"
            if state.value.connection != nil { scheduleWriting() }
        }
        if let problem = state.value.view.keepingProblem, problem != before { state.value.notices.append(problem) }
        if state.value.view.keepingProblem != before { tell() }
        // Lists and files take several times the memory of what they hold.
        if state.value.trimmed.map({ .now() - $0 >= Self.trimInterval }) ?? true {
            state.value.trimmed = .now()
            Memory.giveBack()
        }
    }
}

extension ClusterView {
    /// Whether services and their endpoints have been heard of once, and the addresses that they must not have; these only
    /// if they may be known.
    fileprivate var isComplete: Bool {
        let addresses = resources[NodeAddresses.label]
        return [Service.label, EndpointSlice.label].allSatisfy { resources[$0]?.isSynced == true }
            && (addresses?.isSynced == true || addresses?.isRefused == true)
    }
}
