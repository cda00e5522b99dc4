internal import Addressing
internal import BFD
internal import Links
internal import MeshConfiguration
internal import Node
internal import OSPF
internal import Routing
internal import Services
internal import Timing

/// What each ``Action`` does.
extension Network {
    mutating func perform(_ action: Action) {
        switch action {
        case .carrier(let link, let isUp):
            for port in links[link].ports { ports[port].isPulled = !isUp }
            updateCarrier(of: link)
        case .portCarrier(let link, let end, let isUp):
            ports[links[link].ports[end]].isPulled = !isUp
            updateCarrier(of: link)
        case .cut(let link, let from, let to, let isCut): links[link][cutFrom: from, to: to] = isCut
        case .silence(let link, let isSilent): silence(link, isSilent)
        case .quality(let link, let quality): links[link].quality = quality
        case .partition(let side, let isCut): partition(side, isCut: isCut)

        case .sleep(let node): sleep(node)
        case .wake(let node): wake(node)
        case .kill(let node): stop(node)
        case .drain(let node, let isDrained):
            if nodes[node].state == .running { nodes[node].isDrainWanted = isDrained }
            handle(.command(.drain(isDrained)), on: node)
        case .clusterDrain(let node, let isDrained):
            nodes[node].isClusterDrainWanted = isDrained
            notifyCluster(node, [:])
        case .service(let node, let name, let works): nodes[node].services[name] = works
        case .demandService(let node, let address, let level): setDemand(node, address, level)
        case .foreignDeletion, .foreignAddressRemoval, .forwarding, .firewallReload, .kernelTrouble, .refusal,
            .addressesOfOthers,
            .foreignRoutes, .defaultRoute:
            disturbKernel(action)

        case .start(let node): start(node)
        case .powerOff(let node): powerOff(node)
        case .shutdown(let node):
            endSessions(of: node)
            handle(.command(.stop(removingEverything: false)), on: node)
        case .announceStop(let node): announceStop(of: node)

        case .announce, .withdraw, .announceExternal, .withdrawExternal, .vips, .stub: announce(action)
        case .cost, .renumber, .mtu: reconfigure(action)
        case .speed(let link, let end, let speed):
            let port = links[link].ports[end]
            ports[port].speed = speed
            notifySpeeds(ports[port].node, of: [port])

        case .replay(let node, let sequenceNumber, let isStray):
            replay(node, sequenceNumber: sequenceNumber, isStray: isStray)
        case .authentication(let node, let options):
            nodes[node].configuration.authentication = options
            reload(node)
        case .wallClock(let node, let second):
            nodes[node].wallClock = second - now.nanoseconds / 1_000_000_000
            handle(.clock(.seconds(second)), on: node)
        case .forge(let link, let end, let forgery): forge(forgery, to: links[link].ports[end])
        case .echoFilter(let node, let drops): nodes[node].dropsEchoRequests = drops
        case .healAll: healAll()
        case .healHalfCuts: healHalfCuts()
        case .stopLoss:
            for link in links.indices {
                links[link].quality.loss = 0
                links[link].quality.corruption = 0
                links[link].quality.largestPacket = .max
                // BFD fails, rightly, where packets are later than its detection time, which is at least three intervals.
                if let bfd = ports[links[link].ports[0]].bfd {
                    links[link].quality.jitter = min(links[link].quality.jitter, bfd.parameters.interval)
                }
            }
        }
    }

    private mutating func silence(_ link: Int, _ isSilent: Bool) {
        let ends = links[link].ports.indices
        for from in ends { for to in ends where to != from { links[link][cutFrom: from, to: to] = isSilent } }
    }

    private mutating func partition(_ side: Set<Int>, isCut: Bool) {
        for link in links.indices {
            let inside = links[link].ports.map { side.contains(ports[$0].node) }
            for from in inside.indices {
                for to in inside.indices where inside[from] != inside[to] {
                    links[link][cutFrom: from, to: to] = isCut
                }
            }
        }
    }

    private mutating func announce(_ action: Action) {
        switch action {
        case .announce(let node, let prefixes):
            let replaced = Set(prefixes.map(\.prefix))
            nodes[node].configuration.advertise.removeAll { replaced.contains($0.prefix) }
            nodes[node].configuration.advertise += prefixes
            reload(node)
        case .withdraw(let node, let prefixes):
            let withdrawn = Set(prefixes)
            nodes[node].configuration.advertise.removeAll { withdrawn.contains($0.prefix) }
            reload(node)
        case .announceExternal(let node, let external):
            nodes[node].configuration.externals.removeAll { $0.prefix == external.prefix }
            nodes[node].configuration.externals.append(external)
            reload(node)
        case .withdrawExternal(let node, let prefix):
            nodes[node].configuration.externals.removeAll { $0.prefix == prefix }
            reload(node)
        case .vips(let node, let vips):
            nodes[node].configuration.vips = vips
            reload(node)
        case .stub(let node, let isStub):
            guard nodes[node].isRunning else { return }
            nodes[node].isStubCommanded = isStub
            handle(.command(.stubRouter(isStub)), on: node)
        default: preconditionFailure("not an announcement")
        }
    }

    /// A running process reads the configuration file again.
    private mutating func reload(_ node: Int) { handle(.configuration(nodes[node].configuration), on: node) }

    private mutating func setDemand(_ node: Int, _ address: IPv6Address, _ level: AnnouncementLevel?) {
        nodes[node].demands[address] = level
        notifyCluster(node, [address: level.map { demand($0) }])
    }

    /// Changes the state of a node's kernel, or makes it refuse or delay requests.
    private mutating func disturbKernel(_ action: Action) {
        switch action {
        case .foreignDeletion(let node):
            let routes = nodes[node].kernel.prefixes.sorted()
            let services = nodes[node].kernel.serviceRoutes.sorted()
            guard let prefix = random.pick(routes + services) else { return }
            if nodes[node].kernel.removeOwnRoute(prefix) {
                notifyProcess(.routes([.routeDeleted(prefix)]), on: node)
            } else if nodes[node].kernel.removeServiceRoute(prefix) {
                notifyProcess(.routes([.serviceRouteDeleted(prefix)]), on: node)
            }
        case .foreignAddressRemoval(let node):
            guard let address = random.pick(nodes[node].kernel.addresses.keys.sorted()) else { return }
            _ = nodes[node].kernel.removeAddress(address)
            // On `lo`, with the mark of our default protocol number.
            let gone = InterfaceAddress(interface: 1, address: address, prefixLength: 128, origin: 71)
            notifyProcess(.kernel([.addressRemoved(gone)]), on: node)
        case .forwarding(let node): nodes[node].kernel.forwards = false
        case .firewallReload(let node): nodes[node].kernel.flushTables()
        case .kernelTrouble(let node, let isUnreachable, let delay):
            nodes[node].kernel.isUnreachable = isUnreachable
            nodes[node].kernelDelay = delay
        case .refusal(let node, let addresses, let prefixes):
            nodes[node].kernel.refusedAddresses = addresses
            nodes[node].kernel.refusedPrefixes = prefixes
        case .addressesOfOthers(let node, let addresses): nodes[node].kernel.addressesOfOthers = addresses
        case .foreignRoutes(let node, let prefixes):
            // Over an interface that is no port, and with the protocol number of routes that scripts add (RTPROT_BOOT).
            nodes[node].kernel.foreignRoutes = prefixes.sorted().map {
                ForeignRoute(prefix: $0, interfaces: [99], protocolNumber: 3, isConnected: false)
            }
        case .defaultRoute(let node, let family, let exists):
            guard nodes[node].state != .off else { return }
            let route = DefaultRoute(interface: 99, family: family)
            if exists {
                guard nodes[node].kernel.defaultRoutes.insert(route).inserted else { return }
                notifyProcess(.kernel([.defaultRoute(route)]), on: node)
            } else {
                guard nodes[node].kernel.defaultRoutes.remove(route) != nil else { return }
                notifyProcess(.kernel([.defaultRouteRemoved(route)]), on: node)
            }
        default: preconditionFailure("not of the kernel")
        }
    }

    /// Notifies a process of a change by another program; a sleeping process reads the notification when it wakes up.
    private mutating func notifyProcess(_ event: NodeEvent, on node: Int) {
        if nodes[node].state == .asleep { nodes[node].unreadNews.append(event) } else { handle(event, on: node) }
    }

    private mutating func reconfigure(_ action: Action) {
        switch action {
        case .cost(let link, let end, let cost):
            let port = links[link].ports[end]
            ports[port].configuration.cost = cost
            // The cost is not in the kernel: the process gets it with the configuration.
            ports[port].reported?.cost = cost
            let node = ports[port].node
            nodes[node].configuration.interfaces = nodes[node].ports.map { interfaceRule(of: $0) }
            reload(node)
        case .renumber(let link, let end):
            let port = links[link].ports[end]
            let old = linkLocalAddress(of: port)
            ports[port].generation += 1
            ports[port].configuration.linkLocalAddress = Self.linkLocalAddress(
                port: port, generation: ports[port].generation)
            notifyChange(of: port, [.address(linkLocalAddress(of: port)), .addressRemoved(old)])
        case .mtu(let link, let mtu):
            for port in links[link].ports {
                ports[port].configuration.mtu = mtu
                notifyChange(of: port, [.link(self.link(of: port))])
            }
        default: preconditionFailure("not a reconfiguration")
        }
    }

    /// Notifies a running process of a change of a port. A sleeping process reads the change when it wakes up, and then that
    /// the port went down and up, as if there had been a flap.
    private mutating func notifyChange(of port: Int, _ events: [KernelEvent]) {
        let node = ports[port].node
        guard nodes[node].state == .running else {
            ports[port].hasFlapped = true
            ports[port].unreadEvents.append(events)
            return
        }
        // The process has the port as down, or a notification of its carrier is on its way: the notification that the port is
        // up will include this change.
        guard ports[port].reported != nil, ports[port].hasCarrier, !ports[port].hasFlapped else {
            ports[port].unreadEvents.append(events)
            return
        }
        ports[port].reported = ports[port].configuration
        handle(.kernel(events), on: node)
    }

    private mutating func healAll() {
        for port in ports.indices { ports[port].isPulled = false }
        for link in links.indices { silence(link, false) }
        for node in nodes.indices {
            disturbKernel(.kernelTrouble(node: node, isUnreachable: false, delay: .zero))
            disturbKernel(.refusal(node: node, addresses: [], prefixes: []))
            disturbKernel(.addressesOfOthers(node: node, []))
            disturbKernel(.foreignRoutes(node: node, []))
            start(node)
            wake(node)
        }
        for link in links.indices { updateCarrier(of: link) }
    }

    /// Ends all cuts on segments whose routers do not form groups (``Link/mutualReach``), which the oracle needs.
    private mutating func healHalfCuts() {
        for link in links.indices where links[link].isSegment && links[link].mutualReach == nil {
            silence(link, false)
        }
    }
}

extension Link {
    /// The ends in groups, so that two ends hear each other if and only if they are in the same group; `nil` if that is
    /// impossible. Only cuts count, not carrier.
    var mutualReach: [[Int]]? {
        func isMutual(_ one: Int, _ other: Int) -> Bool {
            !self[cutFrom: one, to: other] && !self[cutFrom: other, to: one]
        }
        var groups: [[Int]] = []
        var groupNumbers: [Int] = []
        for end in ports.indices {
            let number = groups.firstIndex { isMutual($0[0], end) } ?? groups.count
            if number == groups.count { groups.append([]) }
            groups[number].append(end)
            groupNumbers.append(number)
        }
        for one in ports.indices {
            for other in ports.indices where other > one {
                guard isMutual(one, other) == (groupNumbers[one] == groupNumbers[other]) else { return nil }
            }
        }
        return groups
    }
}
