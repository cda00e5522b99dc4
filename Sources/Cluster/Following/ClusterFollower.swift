public import Addressing
public import Kubernetes
internal import Linux
public import NIOCore
public import Services
internal import Timing

/// Watches services, their endpoints, this node's Node, the addresses of all Nodes, and the ranges of cluster IPs; determines
/// what this node should announce, and reports what has changed. It has an event loop of its own, so that routing never waits for it.
///
/// The last known state is saved in files and used at the next start, so nothing is withdrawn while the API server is
/// unreachable. If the credentials are not usable yet, for example because the API server on this node is still starting, the
/// follower tries to read them again until they are.
public final class ClusterFollower: Sendable {
    /// The event loop.
    public let loop: any NIOCore.EventLoop
    private let source: ConnectionSource
    /// Where the objects are saved for the next start.
    private let directory: String
    private let pools: PoolOptions?
    private let announcesClusterIPs: Bool
    /// Whether the ranges of cluster IPs are watched.
    private let watchesServiceRanges: Bool
    private let report: @Sendable (ClusterReport) -> Void
    private let state: NIOLoopBoundBox<State>

    private struct Watchers {
        /// All services.
        var services: ResourceWatcher<Service>
        /// All EndpointSlices.
        var slices: ResourceWatcher<EndpointSlice>
        /// This node's Node object only.
        var nodes: ResourceWatcher<Node>
        /// The addresses of all Nodes, which is all that is decoded of them.
        var addresses: ResourceWatcher<NodeAddresses>
        /// The ranges of cluster IPs; `nil` if the configuration has them.
        var ranges: ResourceWatcher<ServiceCIDR>?

        func start() {
            // Addresses of Nodes first: a service must never get one of them.
            addresses.start()
            services.start()
            slices.start()
            nodes.start()
            ranges?.start()
        }

        /// One of them has reached the server again.
        func serverAnswers() {
            addresses.serverAnswers()
            services.serverAnswers()
            slices.serverAnswers()
            nodes.serverAnswers()
            ranges?.serverAnswers()
        }

        func stop() {
            services.stop()
            slices.stop()
            nodes.stop()
            addresses.stop()
            ranges?.stop()
        }
    }

    /// The client, and what uses it.
    private struct Connection {
        var client: APIClient
        var watchers: Watchers
        var offer: PodRangeOffer
        var pools: PoolController?
    }

    /// A class, so that it is changed in place; on the loop only.
    private final class State {
        var view: ClusterView
        var announcements: ServiceAnnouncements
        /// The use of the address pools.
        var census: PoolCensus
        var reserved = ReservedAddresses()
        /// Whether enough is known to report changes, from the API (``ClusterView/isComplete``) or from files
        /// (``KnownObjects/isComplete``). Incomplete state would withdraw addresses.
        var isComplete = false
        /// Lines for the log that were not reported yet.
        var notices: [String] = []
        /// The objects as they are saved.
        var objects = KnownObjects()
        /// This node's Node object, as last received or saved; `nil` if none is known, or it was deleted.
        var node: Node?
        /// The last known Node object of this node, also after its deletion, with the last usable pod ranges.
        var lastNode: Node?
        /// `nil` until the credentials can be read.
        var connection: Connection?
        /// The pod ranges of this node, which are offered to the cluster while its Node has none.
        var offered: [IPv6Prefix] = []
        /// The next attempt to read the credentials.
        var retrying: Scheduled<Void>?
        /// The labels of kinds whose files are out of date.
        var outdatedFiles: Set<String> = []
        var nextWrite: Scheduled<Void>?
        var lastWrite: NIODeadline?
        /// When freed memory was last returned to the system.
        var lastTrim: NIODeadline?

        init(view: ClusterView, announcements: ServiceAnnouncements, census: PoolCensus) {
            self.view = view
            self.announcements = announcements
            self.census = census
        }
    }

    /// Changes are saved together after this delay, and at least ``shortestWriteInterval`` after the previous time: files are
    /// written as a whole, and some disks wear out.
    private static let writeDelay = TimeAmount.seconds(2)
    private static let shortestWriteInterval = TimeAmount.seconds(10)

    /// The time between attempts to read the credentials.
    private static let retryInterval = TimeAmount.seconds(10)
    /// The minimum time between two returns of freed memory, each of which goes through the whole heap.
    private static let trimInterval = TimeAmount.minutes(1)

    /// A Node object is large, mainly because of image names, and only a small part of it is kept. So pages are small, and
    /// the limit on octets is high: the number of octets received is much larger than the memory in use. Kubernetes
    /// supports 5,000 Nodes; twice as many are accepted.
    private static var addressLimits: WatchLimits {
        var limits = WatchLimits()
        limits.pageSize = 100
        limits.objects = 10_000
        limits.storeOctets = 1 << 30
        return limits
    }

    /// While the server is unreachable, the watch of this node's Node waits at most 2 s before the next attempt. When it has
    /// reached the server, the other watches try soon too (``Watchers/serverAnswers()``).
    private static var nodeLimits: WatchLimits {
        var limits = WatchLimits()
        limits.longestDelay = .seconds(2)
        return limits
    }

    /// Older API servers do not have ServiceCIDRs. Of newer ones there are few.
    private static var rangeLimits: WatchLimits {
        var limits = WatchLimits()
        limits.isOptional = true
        limits.objects = 1000
        return limits
    }

    /// Makes a follower for the node of this name that does nothing yet. With `pools`, it takes part in the election of the
    /// agent that assigns addresses. It watches the ranges of cluster IPs if `watchesServiceRanges`. It saves its state in
    /// `directory` and calls `report` on the loop.
    public init(
        _ source: ConnectionSource, on loop: any NIOCore.EventLoop, node name: String, options: ServiceOptions,
        pools: PoolOptions? = nil, watchesServiceRanges: Bool = true, filesIn directory: String,
        report: @escaping @Sendable (ClusterReport) -> Void
    ) {
        self.source = source
        self.loop = loop
        self.directory = directory
        self.pools = pools
        announcesClusterIPs = options.announcesClusterIPs
        self.watchesServiceRanges = watchesServiceRanges
        self.report = report
        let conditions = NodeConditions(name: name)
        let view = ClusterView(
            origin: source.description,
            resources: Dictionary(
                uniqueKeysWithValues: [Service.label, EndpointSlice.label, Node.label, NodeAddresses.label].map {
                    ($0, ClusterView.Resource())
                }),
            node: conditions)
        let announcements = ServiceAnnouncements(node: conditions, options: options)
        let census = PoolCensus(pools?.pools ?? [])
        state = .makeBoxSendingValue(State(view: view, announcements: announcements, census: census), eventLoop: loop)
    }

    /// Reports the saved state, and starts watching. Call it on the loop.
    public func start() {
        let known = KnownObjects(from: directory)
        state.value.isComplete = known.isComplete
        if known.isComplete {
            state.value.notices.append("using the saved state of the cluster until the API server answers")
        }
        state.value.reserved.setServers(known.servers)
        set(known.addresses ?? [:], setAddresses)
        set(known.services ?? [:], setService)
        set(known.slices ?? [:]) { $0.announcements.set($1, $2) }
        set(known.nodes ?? [:], setNode)
        state.value.view.updateServiceRanges(known.ranges ?? [:])
        state.value.objects = known
        sendReport()
        connect()
    }

    private func set<Object>(_ objects: [ObjectKey: Object], _ set: (State, ObjectKey, Object?) -> Void) {
        for (key, object) in objects { set(state.value, key, object) }
    }

    /// Sets one service, or with `nil` removes it, in everything that depends on services.
    private func setService(_ state: State, _ key: ObjectKey, _ service: Service?) {
        state.announcements.set(key, service)
        state.census.set(key, service)
        // If the API server is reached through its own cluster IP, that address may still be announced.
        if announcesClusterIPs, key == Self.serverService {
            state.reserved.setServerClusterIPs(service?.clusterIPs ?? [])
        }
    }

    private func setAddresses(_ state: State, _ key: ObjectKey, _ node: NodeAddresses?) {
        state.reserved.set(key, node?.addresses ?? [])
    }

    /// The API server's own service, whose cluster IP is in `KUBERNETES_SERVICE_HOST`.
    private static let serverService = ObjectKey(namespace: "default", name: "kubernetes")

    /// Records the addresses through which the client reaches the API server. The old ones count until there are new ones.
    private func updateServers() {
        let current = state.value
        guard let addresses = current.connection?.client.serverAddresses, !addresses.isEmpty,
            addresses != current.objects.servers
        else { return }
        current.objects.servers = addresses
        current.reserved.setServers(addresses)
        current.outdatedFiles.insert(KnownObjects.serverLabel)
        scheduleWriting()
        sendReport()
    }

    /// Sets this node's Node object, or with `nil` notes that it was deleted.
    private func setNode(_ state: State, _ key: ObjectKey, _ node: Node?) {
        guard key.name == state.view.node.name else { return }
        state.node = node
        // The pod ranges stay when the Node object is deleted or created again: the pods still run.
        guard var node = node ?? state.lastNode else { return }
        state.view.isNodeKnown = true
        state.view.node = NodeConditions(node)
        state.notices += state.view.updateRanges(of: node)
        state.announcements.setNode(state.view.node)
        node.podCIDRs = state.view.podCIDRs
        state.lastNode = node
        state.objects.nodes?[key] = node
    }

    /// Makes a client and its watchers; tries again later while the credentials cannot be read.
    private func connect() {
        let client: APIClient
        do {
            client = try APIClient(source, on: loop) { [self] in updateServers() }
        } catch {
            let problem = "\(error)"
            let isNew = state.value.view.connectionProblem != problem
            state.value.view.connectionProblem = problem
            if isNew {
                state.value.notices.append(
                    "\(problem); retrying every \(Self.retryInterval.nanoseconds / 1_000_000_000) s")
                sendReport()
            }
            state.value.retrying = loop.scheduleTask(in: Self.retryInterval) { [self] in connect() }
            return
        }
        state.value.view.origin = client.origin
        state.value.view.connectionProblem = nil
        let known = state.value.objects
        let watchers = Watchers(
            services: ResourceWatcher(client: client, known: known.services.map { Array($0.values) } ?? []) { [self] in
                update($0, into: \.objects.services, setService)
                state.value.connection?.pools?.receive($0.changes, $0.state)
            },
            slices: ResourceWatcher(client: client, known: known.slices.map { Array($0.values) } ?? []) { [self] in
                update($0, into: \.objects.slices) { $0.announcements.set($1, $2) }
            },
            nodes: ResourceWatcher(
                client: client, scope: WatchScope(name: state.value.view.node.name), limits: Self.nodeLimits,
                known: known.nodes.map { Array($0.values) } ?? []
            ) { [self] in
                update($0, into: \.objects.nodes, setNode)
                considerOffer()
            },
            addresses: ResourceWatcher(
                client: client, limits: Self.addressLimits, known: known.addresses.map { Array($0.values) } ?? []
            ) { [self] in
                update($0, into: \.objects.addresses, setAddresses)
            }, ranges: watchesServiceRanges ? rangeWatcher(client, known) : nil)
        let notify: @Sendable (String) -> Void = { [self] notice in
            state.value.notices.append(notice)
            sendReport()
        }
        let controller = pools.map {
            PoolController(client, options: $0, node: state.value.view.node.name, notify: notify)
        }
        state.value.connection = Connection(
            client: client, watchers: watchers, offer: PodRangeOffer(client, notify: notify), pools: controller)
        updateServers()
        watchers.start()
    }

    private func rangeWatcher(_ client: APIClient, _ known: KnownObjects) -> ResourceWatcher<ServiceCIDR> {
        ResourceWatcher(client: client, limits: Self.rangeLimits, known: known.ranges.map { Array($0.values) } ?? []) {
            [self] in
            // All ranges follow from all objects, which are few.
            update($0, into: \.objects.ranges) { state, _, _ in
                state.view.updateServiceRanges(state.objects.ranges ?? [:])
            }
        }
    }

    /// Offers pod ranges for this node, which are used if the cluster has assigned none. Call it on the loop.
    public func offer(_ ranges: [IPv6Prefix]) {
        guard state.value.offered != ranges else { return }
        state.value.offered = ranges
        considerOffer()
    }

    /// Offers the pod ranges to the cluster if this node's Node has none.
    private func considerOffer() {
        // Only the current state of the API counts, not the saved one.
        guard state.value.view.resources[Node.label]?.isSynced == true else { return }
        state.value.connection?.offer.consider(state.value.node, state.value.offered)
    }

    /// Stops assigning addresses of pools and releases the lease, which needs the connection. Call it on the loop.
    public func resign() -> EventLoopFuture<Void> {
        state.value.connection?.pools?.stop() ?? loop.makeSucceededVoidFuture()
    }

    /// Stops watching. Call it on the loop, after ``resign()``.
    public func stop() -> EventLoopFuture<Void> {
        state.value.retrying?.cancel()
        guard let connection = state.value.connection else { return loop.makeSucceededVoidFuture() }
        state.value.connection = nil
        connection.watchers.stop()
        connection.offer.stop()
        write()
        return connection.client.shutdown()
    }

    /// Handles a report of a watcher.
    private func update<Object: Resource>(
        _ received: WatchReport<Object>, into known: ReferenceWritableKeyPath<State, [ObjectKey: Object]?>,
        _ set: (State, ObjectKey, Object?) -> Void
    ) {
        let current = state.value
        for object in received.changes.deleted {
            current[keyPath: known]?[object.key] = nil
            set(current, object.key, nil)
        }
        for object in received.changes.updated {
            if current[keyPath: known] == nil { current[keyPath: known] = [:] }
            current[keyPath: known]?[object.key] = object
            set(current, object.key, object)
        }
        // The first list may be empty; `nil` means that no list was received.
        let isFirst = received.state.isSynced && current[keyPath: known] == nil
        let wasConnected = current.view.resources[Object.label]?.isConnected == true
        if isFirst { current[keyPath: known] = [:] }
        // A kind that the server does not have is left out.
        current.view.resources[Object.label] =
            received.state.isMissing ? nil : ClusterView.Resource(received.state)
        current.isComplete = current.isComplete || current.view.isComplete
        current.notices += received.notices
        if !received.changes.isEmpty || isFirst {
            current.outdatedFiles.insert(Object.label)
            scheduleWriting()
        }
        if !wasConnected, received.state.connectedSince != nil { current.connection?.watchers.serverAnswers() }
        sendReport()
    }

    /// Reports the view, the demands that have changed since the last report, and lines for the log.
    private func sendReport() {
        let changes = state.value.isComplete ? state.value.announcements.takeChanges() : [:]
        state.value.view.pools = state.value.census.uses
        state.value.view.reservedAddresses = state.value.reserved.all
        state.value.view.assignsAddresses = state.value.connection?.pools?.isLeading ?? false
        report(ClusterReport(view: state.value.view, changes: changes, notices: state.value.notices))
        state.value.notices = []
    }

    private func scheduleWriting() {
        guard state.value.nextWrite == nil else { return }
        let soon = NIODeadline.now() + Self.writeDelay
        let due = state.value.lastWrite.map { max(soon, $0 + Self.shortestWriteInterval) } ?? soon
        state.value.nextWrite = loop.scheduleTask(deadline: due) { [self] in write() }
    }

    private func write() {
        state.value.nextWrite?.cancel()
        state.value.nextWrite = nil
        guard state.value.isComplete, !state.value.outdatedFiles.isEmpty else { return }
        state.value.lastWrite = .now()
        let before = state.value.view.cacheProblem
        do {
            try state.value.objects.write(state.value.outdatedFiles, to: directory)
            state.value.outdatedFiles = []
            state.value.view.cacheProblem = nil
        } catch {
            state.value.view.cacheProblem = "cannot save the state of the cluster for the next start: \(error)"
            if state.value.connection != nil { scheduleWriting() }
        }
        if let problem = state.value.view.cacheProblem, problem != before { state.value.notices.append(problem) }
        if state.value.view.cacheProblem != before { sendReport() }
        // Decoding lists and encoding files takes several times their size in memory, which the allocator would keep.
        if state.value.lastTrim.map({ .now() - $0 >= Self.trimInterval }) ?? true {
            state.value.lastTrim = .now()
            Memory.trim()
        }
    }
}

extension ClusterView {
    /// Whether services, endpoints and the addresses of Nodes have been listed. Those of Nodes are optional if the API denies
    /// access to them.
    fileprivate var isComplete: Bool {
        let addresses = resources[NodeAddresses.label]
        return [Service.label, EndpointSlice.label].allSatisfy { resources[$0]?.isSynced == true }
            && (addresses?.isSynced == true || addresses?.isRefused == true)
    }
}
