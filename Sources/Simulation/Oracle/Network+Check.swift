internal import Addressing
internal import Node
internal import OSPF
internal import Timing

/// The conditions that a quiet network must meet. The simulator knows the links and the machines, and asks routers only for
/// their state.
extension Network {
    /// The violations in a network that should be at rest, at most three of each kind. Call it only after
    /// ``Action/healHalfCuts``.
    public func check() -> [Violation] {
        let truth = GroundTruth(of: self)
        var findings = Findings(time: now)
        for node in nodes where node.isRunning {
            checkRest(of: node, &findings)
            checkNeighbors(of: node, truth, &findings)
            checkOwnLSAs(of: node, truth, &findings)
            checkKernel(of: node, &findings)
            checkAddresses(of: node, &findings)
        }
        for component in truth.components { checkDatabases(of: component, &findings) }
        let expected = ExpectedRoutes(of: self, truth: truth)
        checkRoutes(expected, &findings)
        checkForwarding(expected, &findings)
        checkRepairs(expected, &findings)
        for node in nodes where node.isRunning { checkProxyBypass(of: node, expected, &findings) }
        return findings.violations
    }

    /// The findings so far: the first three of each kind, because one mistake shows in many places.
    struct Findings {
        let time: Instant
        var violations: [Violation] = []

        mutating func add(_ kind: Violation.Kind, _ detail: @autoclosure () -> String) {
            guard violations.count(where: { $0.kind == kind }) < 3 else { return }
            violations.append(Violation(kind: kind, time: time, detail: detail()))
        }
    }

    /// No LSA waits in a router for a neighbor or an interface, the router is quiet, the initial database synchronization is
    /// complete, and the sum of the router's route table updates is its route table.
    private func checkRest(of node: Machine, _ findings: inout Findings) {
        guard let router = node.router else { return }
        for neighbor in router.neighborSnapshots {
            if neighbor.retransmissionCount + neighbor.requestCount > 0 {
                findings.add(
                    .notQuiet,
                    "\(name(node.index)) waits for \(neighbor.routerID) on \(neighbor.interface), \(neighbor.state): \(neighbor.retransmissionCount) unacknowledged, \(neighbor.requestCount) asked for"
                )
            }
        }
        for interface in router.interfaceSnapshots where interface.queuedLSAs > 0 {
            findings.add(
                .notQuiet,
                "\(name(node.index)) has \(interface.queuedLSAs) LSAs queued on \(interface.configuration.index)")
        }
        if !router.isQuiet { findings.add(.notQuiet, "\(name(node.index)) says it is not quiet") }
        if node.process?.life.isSynchronized == false {
            findings.add(.notQuiet, "\(name(node.index)): initial database synchronization is not complete")
        }
        if router.routeTable.routes != node.routes.routes || router.routeTable.destinations != node.routes.destinations
        {
            findings.add(.updates, "\(name(node.index))'s updates do not add up to its table")
        }
    }

    /// Every router that can be heard is Full, or 2-Way on a segment; no other is a neighbor in 2-Way or higher.
    private func checkNeighbors(of node: Machine, _ truth: GroundTruth, _ findings: inout Findings) {
        guard let router = node.router else { return }
        // By interface index and router ID: whether the neighbor must be Full.
        var expected: [String: Bool] = [:]
        for contact in truth.contacts[node.index] {
            let peer = nodes[ports[contact.far].node]
            expected["\(ports[contact.near].configuration.index) \(peer.routerID)"] = contact.isCable
        }
        for neighbor in router.neighborSnapshots where neighbor.state >= .twoWay {
            let key = "\(neighbor.interface) \(neighbor.routerID)"
            guard let mustBeFull = expected.removeValue(forKey: key) else {
                findings.add(.neighbors, "\(name(node.index)) has \(key) as \(neighbor.state), who cannot be heard")
                continue
            }
            let isSettled = neighbor.state == .full || (neighbor.state == .twoWay && !mustBeFull)
            if !isSettled { findings.add(.neighbors, "\(name(node.index)) has \(key) as \(neighbor.state)") }
        }
        for key in expected.keys.sorted() {
            findings.add(.neighbors, "\(name(node.index)) does not know \(key), who can be heard")
        }
    }

    /// The routes in each table are exactly the oracle's, and each destination has a route.
    private func checkRoutes(_ expected: ExpectedRoutes, _ findings: inout Findings) {
        for node in nodes where node.isRunning {
            guard let table = node.router?.routeTable else { continue }
            var wanted = 0
            for group in expected.groups {
                let route = expected.route(from: node.index, to: group, in: self)
                if route != nil { wanted += group.prefixes.count }
                for prefix in group.prefixes {
                    let found = table.routes[prefix].flatMap { table.destinations[$0] }
                    if found.map(ExpectedRoutes.Route.init) != route {
                        findings.add(
                            .routes,
                            "\(name(node.index)) to \(prefix): has \(text(found.map(ExpectedRoutes.Route.init))), should have \(text(route))"
                        )
                    }
                }
            }
            if table.routes.count > wanted {
                let known = Set(expected.groups.flatMap(\.prefixes))
                let leftover = table.routes.keys.filter { !known.contains($0) }.sorted()
                findings.add(
                    .routes, "\(name(node.index)) has routes nobody announces: \(leftover.prefix(3).map(\.description))"
                )
            }
            let inUse = Set(table.routes.values)
            if table.destinations.count != inUse.count {
                findings.add(.routes, "\(name(node.index)) keeps destinations that no route refers to")
            }
        }
    }

    private func text(_ route: ExpectedRoutes.Route?) -> String {
        guard let route else { return "none" }
        let hops = route.nextHops.map { "\($0.interface)>\($0.gateway)" }.joined(separator: " ")
        let metric = route.internalMetric == 0 ? "\(route.metric)" : "\(route.metric)+\(route.internalMetric)"
        return "\(route.kind) \(metric) from \(route.announcers) via \(hops)"
    }
}

extension ExpectedRoutes.Route {
    fileprivate init(_ destination: Destination) {
        self.init(
            kind: destination.kind, metric: destination.metric, internalMetric: destination.internalMetric,
            announcers: destination.announcers, nextHops: destination.nextHops)
    }
}
