public import Addressing
internal import Glibc

extension Lab {
    /// The prefixes to which every other node should have a route because of this one, without VIPs: its address, and its pod
    /// prefix if it runs the agent. None of a node without a router.
    public func prefixes(of node: Topology.Node) -> [IPv6Prefix] {
        guard node.router != .bridge, node.router != .none else { return [] }
        let own = IPv6Prefix(host: addresses.address(of: node.name))
        return node.router == .meshd ? [own, addresses.podPrefix(of: node.name)] : [own]
    }

    /// The prefixes to which a node should have routes after convergence: those of all other nodes whose router runs, and their
    /// VIPs, except those that are also VIPs of this node. Assumes that only agents have VIPs, that all checks of VIPs pass,
    /// and that no failure cuts the node off.
    public func expectedPrefixes(at name: String) -> Set<IPv6Prefix> {
        var expected: Set<IPv6Prefix> = []
        for node in topology.routers where node.name != name && isRunning(node.name) {
            expected.formUnion(prefixes(of: node))
            for vip in node.vips {
                if let address = IPv6Address(vip.address) { expected.insert(IPv6Prefix(host: address)) }
            }
        }
        for vip in topology.nodes.first(where: { $0.name == name })?.vips ?? [] {
            if let address = IPv6Address(vip.address) { expected.remove(IPv6Prefix(host: address)) }
        }
        return expected
    }

    /// The progress of the convergence of a lab.
    public struct Progress: Sendable {
        /// The number of nodes that have all their routes.
        public var complete: Int
        /// The number of nodes whose router runs.
        public var nodes: Int
        /// The number of routes that exist, of those that should exist.
        public var routes: Int
        /// The number of routes that should exist.
        public var expected: Int
        /// The missing prefixes, by the name of each node that lacks routes.
        public var missing: [String: Set<IPv6Prefix>]
    }

    /// Checks once every node whose router runs: asks its agent, which watches the kernel, or for other routers the kernel
    /// itself.
    public func progress() throws(LabError) -> Progress {
        var progress = Progress(complete: 0, nodes: 0, routes: 0, expected: 0, missing: [:])
        for node in topology.routers where isRunning(node.name) {
            let expected = expectedPrefixes(at: node.name)
            let present =
                node.router == .meshd
                ? try installedPrefixes(ofAgent: node.name).compactMap { IPv6Prefix($0) }
                : try kernelRoutes(of: node.name).map(\.prefix)
            let missing = expected.subtracting(present)
            progress.nodes += 1
            progress.expected += expected.count
            progress.routes += expected.count - missing.count
            if missing.isEmpty { progress.complete += 1 } else { progress.missing[node.name] = missing }
        }
        return progress
    }

    /// Waits until every node whose router runs has every route. Gives `report` the progress and the time since `start` after
    /// every check. Returns the time since `start`. Throws if a router has crashed, or when `limit` has passed since `start`.
    @discardableResult
    public func waitForRoutes(
        since start: ContinuousClock.Instant = .now, limit: Duration = .seconds(60),
        report: (Progress, Duration) -> Void = { _, _ in }
    ) throws(LabError) -> Duration {
        while true {
            if let node = topology.routers.first(where: { hasCrashed($0.name) }) {
                let end = log(of: node.name).split(separator: "\n").suffix(20).joined(separator: "\n")
                throw LabError("The router of \(node.name) ended. The end of its log:\n\(end)")
            }
            let progress = try progress()
            let elapsed = ContinuousClock.now - start
            report(progress, elapsed)
            if progress.missing.isEmpty { return elapsed }
            guard elapsed < limit else {
                let missing = progress.missing.sorted { $0.key < $1.key }.prefix(8).map { node, prefixes in
                    "  \(node) lacks \(prefixes.sorted().prefix(6).map(\.description).joined(separator: ", "))"
                }
                throw LabError(
                    "After \(limit), \(progress.nodes - progress.complete) of \(progress.nodes) nodes lack routes:\n"
                        + missing.joined(separator: "\n"))
            }
            // Each check takes processor time from the routers, so the pauses grow with the time waited, from 5 to 100 ms.
            usleep(UInt32(min(max(elapsed / 16, .milliseconds(5)), .milliseconds(100)) / .microseconds(1)))
        }
    }

    /// The times that a convergence took, from the call of ``waitUntilSettled(limit:report:)`` on.
    public struct Convergence: Sendable {
        /// The time until every node had every route, which it then kept.
        public var routes: Duration
        /// The time until adjacencies, announcements and databases were complete and no longer changed.
        public var settled: Duration
    }

    /// Waits until every node whose router runs has every route and keeps it: adjacencies, announcements and databases are
    /// complete (`firstUnsettled`), and a tenth of a second later they are still complete and the databases are unchanged. All
    /// routes may exist for a moment and disappear again, for example when routers on a segment elect its designated router.
    /// Throws if a router has crashed and routes are missing, or after `limit`.
    @discardableResult
    public func waitUntilSettled(
        limit: Duration = .seconds(60), report: (Progress, Duration) -> Void = { _, _ in }
    ) throws(LabError) -> Convergence {
        let start = ContinuousClock.now
        var routes = try waitForRoutes(since: start, limit: limit, report: report)
        var earlier: Set<DatabaseEntry>?
        while true {
            let problem = try firstUnsettled()
            let database = problem == nil ? try databaseOfFirst() : nil
            if try !progress().missing.isEmpty {
                routes = try waitForRoutes(since: start, limit: limit, report: report)
                earlier = nil
                continue
            }
            let elapsed = ContinuousClock.now - start
            if let database, database == earlier { return Convergence(routes: routes, settled: elapsed) }
            earlier = database
            guard elapsed < limit else {
                throw LabError("After \(limit) every node has every route, but \(problem ?? "databases still change").")
            }
            usleep(100_000)
        }
    }

    /// The first problem that a check of `Lab+Agreement` finds, as text; `nil` if there is none.
    private func firstUnsettled() throws(LabError) -> String? {
        if let problem = try adjacencyProblem() { return problem }
        if let problem = try announcementProblem() { return problem }
        if let problem = try descriptionProblem() { return problem }
        return try databaseProblem()
    }

    /// The database of the first running router, which is that of all if ``databaseProblem()`` is `nil`.
    private func databaseOfFirst() throws(LabError) -> Set<DatabaseEntry> {
        guard let router = topology.routers.first(where: { isRunning($0.name) }) else { return [] }
        return try database(of: router.name)
    }
}
