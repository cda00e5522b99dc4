internal import Addressing
internal import Authentication
internal import Links
internal import Liveness
internal import MeshConfiguration
internal import Node
internal import OSPF
internal import Routing
internal import Services
internal import Timing

/// Power, processes and carrier.
extension Network {
    /// Starts a process; switches a machine without power on first.
    mutating func start(_ node: Int) {
        switch nodes[node].state {
        case .running, .asleep: return
        case .stopped: break
        case .off:
            // On every third machine, another program has added the address of a VIP: it is not ours (`false`).
            if node % 3 == 0 { nodes[node].kernel.addresses[ScenarioGenerator.vipAddress(0)] = false }
            nodes[node].state = .stopped
            for port in nodes[node].ports { updateCarrier(of: ports[port].link) }
        }
        nodes[node].processNumber += 1
        nodes[node].state = .running
        nodes[node].isStubCommanded = false
        nodes[node].isStopAnnounced = false
        nodes[node].isStopCommanded = false
        nodes[node].routes = RouteTable()
        nodes[node].checks = [:]
        nodes[node].checkedAnnouncements = 0
        nodes[node].configuration.interfaces = nodes[node].ports.map { interfaceRule(of: $0) }
        // Shorter than the default, so that the end of the period is part of most runs; on some machines longer than the processes
        // are away.
        let dead = nodes[node].ports.map { ports[$0].configuration.deadInterval }.max() ?? .seconds(4)
        nodes[node].configuration.ospf.gracefulRestart.period = dead * (1 + node % 3)
        nodes[node].configuration.ospf.gracefulRestart.checksLSAsStrictly = node % 5 != 3
        var environment = MeshNode.Environment()
        environment.hostName = "n\(node)"
        // As in the saved identity (`Machine`): another number would mean another machine.
        environment.machine = UInt64(node) + 1
        environment.seed = random.next()
        environment.hasCluster = true
        environment.apiServer = nodes[node].apiServer
        environment.saved = nodes[node].disk
        nodes[node].process = MeshNode(
            configuration: nodes[node].configuration, environment: environment, cryptography: .model)
        var links = [Links.Link(index: 1, name: "lo", isLoopback: true, mtu: 65_536)]
        var addresses: [InterfaceAddress] = []
        for port in nodes[node].ports {
            links.append(link(of: port))
            addresses.append(linkLocalAddress(of: port))
            ports[port].hasFlapped = false
            ports[port].unreadEvents = []
            ports[port].reported = ports[port].hasCarrier ? ports[port].configuration : nil
        }
        // On `lo`. 71 is the default protocol number, with which the agent marks addresses; 0 is no mark.
        for (address, isOurs) in nodes[node].kernel.addresses.sorted(by: { $0.key < $1.key }) {
            addresses.append(
                InterfaceAddress(interface: 1, address: address, prefixLength: 128, origin: isOurs ? 71 : 0))
        }
        // As in the agent, which reports the cached objects of the cluster before it starts the node.
        let known = nodes[node].demands.mapValues { Optional(demand($0)) }
        if !known.isEmpty || nodes[node].isClusterDrainWanted || !nodes[node].serviceRanges.isEmpty {
            notifyCluster(node, known)
        }
        handle(.clock(.seconds(nodes[node].wallClock) + (now - .zero)), on: node)
        let defaultRoutes = Array(nodes[node].kernel.defaultRoutes)
        handle(.start(links: links, addresses: addresses, defaultRoutes: defaultRoutes), on: node)
    }

    /// The entry of `interfaces` for a port.
    func interfaceRule(of port: Int) -> InterfaceRule {
        let configuration = ports[port].configuration
        var rule = InterfaceRule(pattern: .named(Glob(configuration.name)!))
        rule.role = .active(configuration.kind)
        rule.cost = configuration.cost
        rule.hello = configuration.helloInterval
        rule.dead = configuration.deadInterval
        rule.retransmit = configuration.retransmitInterval
        rule.priority = configuration.priority
        rule.liveness = ports[port].liveness
        rule.isQualityOn = ports[port].isQualityOn
        rule.bfd = ports[port].bfd
        return rule
    }

    /// The network device of a port.
    func link(of port: Int) -> Links.Link {
        let configuration = ports[port].configuration
        return Links.Link(
            index: configuration.index, name: configuration.name, hasCarrier: ports[port].hasCarrier,
            mtu: configuration.mtu,
            macAddress: MACAddress(rawValue: 0x0600_0000_0000 + UInt64(port)), isPhysical: true)
    }

    /// The link-local address of a port.
    func linkLocalAddress(of port: Int) -> InterfaceAddress {
        let configuration = ports[port].configuration
        return InterfaceAddress(
            interface: configuration.index, address: configuration.linkLocalAddress, prefixLength: 64)
    }

    /// The demand for an address at a level. All service addresses of a scenario belong to the same service.
    func demand(_ level: AnnouncementLevel) -> ServiceDemand { ServiceDemand(level: level, services: ["default/s"]) }

    /// Reports the cluster to the process: changes of demand, and whether the cluster drains the node.
    mutating func notifyCluster(_ node: Int, _ changes: [IPv6Address: ServiceDemand?]) {
        var view = ClusterView(origin: "the simulator", node: NodeConditions(name: "n\(node)"))
        view.isNodeKnown = true
        view.serviceRanges = nodes[node].serviceRanges
        if nodes[node].isClusterDrainWanted { view.node.drainReason = "an annotation" }
        handle(.cluster(ClusterReport(view: view, changes: changes)), on: node)
    }

    /// Asks the process to drain because a stop follows. The process drains unless it is drained already, is not synchronized
    /// yet, or leaves its routes and addresses to the next process.
    mutating func announceStop(of node: Int) {
        guard nodes[node].state == .running, let process = nodes[node].process else { return }
        if process.life.isSynchronized, !nodes[node].isDrained, !nodes[node].staysOnStop {
            nodes[node].isStopAnnounced = true
        }
        handle(.command(.drainForStop(within: .seconds(5))), on: node)
    }

    /// Ends the process; the state of the kernel stays.
    mutating func stop(_ node: Int) {
        guard nodes[node].state == .running || nodes[node].state == .asleep else { return }
        nodes[node].state = .stopped
        noteDatabaseSize(of: node)
        nodes[node].process = nil
        nodes[node].timer = nil
        nodes[node].unreadPackets = []
        nodes[node].unreadNews = []
        nodes[node].prober = EchoProber(seed: UInt64(node))
        nodes[node].watchedPorts = []
        nodes[node].avoidedPorts = []
        nodes[node].avoidanceChange = nil
        nodes[node].echoTimer = nil
        nodes[node].unreadAnswers = []
        nodes[node].sessions = Self.sessionTable(seed: UInt64(node) << 32 | UInt64(nodes[node].processNumber + 1))
        nodes[node].sessionTimer = nil
        nodes[node].unreadSessionPackets = []
        nodes[node].checks = [:]
        nodes[node].processNumber += 1
        for port in nodes[node].ports {
            ports[port].reported = nil
            ports[port].hasFlapped = false
            ports[port].unreadEvents = []
            ports[port].joinedAllSPFRouters = false
            ports[port].joinedAllDRouters = false
        }
    }

    /// The power goes, and with it the process, the kernel and what is saved only until a reboot.
    mutating func powerOff(_ node: Int) {
        stop(node)
        nodes[node].state = .off
        nodes[node].kernel = ModelKernel()
        nodes[node].disk.isDrained = false
        nodes[node].disk.kernel = nil
        nodes[node].isDrainWanted = false
        for port in nodes[node].ports { updateCarrier(of: ports[port].link) }
    }

    /// Puts the process to sleep, as SIGSTOP does.
    mutating func sleep(_ node: Int) {
        guard nodes[node].state == .running else { return }
        nodes[node].state = .asleep
    }

    /// The process continues, as after SIGCONT, and reads all that waits: first the notifications of ports, then those of
    /// other programs' changes, then carrier and packets, either of them first.
    mutating func wake(_ node: Int) {
        guard nodes[node].state == .asleep else { return }
        nodes[node].state = .running
        for port in nodes[node].ports where !ports[port].unreadEvents.isEmpty {
            let unreadEvents = ports[port].unreadEvents
            ports[port].unreadEvents = []
            for events in unreadEvents {
                noteReported(events, of: port)
                handle(.kernel(events), on: node)
            }
        }
        while !nodes[node].unreadNews.isEmpty { handle(nodes[node].unreadNews.removeFirst(), on: node) }
        // The order in which a process reads its sockets is arbitrary.
        let packetsFirst = random.chance(0.5)
        if !packetsFirst { for port in nodes[node].ports { notifyCarrier(port) } }
        let unreadPackets = nodes[node].unreadPackets
        nodes[node].unreadPackets = []
        for packet in unreadPackets { deliver(packet, on: node) }
        if packetsFirst { for port in nodes[node].ports { notifyCarrier(port) } }
        // While it slept, the file and the demand of services may have changed without an event. The agent checks the file
        // after a timer; the watches report all differences.
        handle(.clock(.seconds(nodes[node].wallClock) + (now - .zero)), on: node)
        handle(.configuration(nodes[node].configuration), on: node)
        var changes = nodes[node].demands.mapValues { Optional(demand($0)) }
        for address in nodes[node].process?.serviceAddresses.entries.keys.sorted() ?? [] where changes[address] == nil {
            changes[address] = .some(nil)
        }
        notifyCluster(node, changes)
        // Its two threads continue in any order.
        if random.chance(0.5) { runProber(of: node) }
        handle(.timer, on: node)
        runProber(of: node)
    }

    /// Updates which ports of a link have carrier, and notifies the machines of changes after a random delay.
    mutating func updateCarrier(of link: Int) {
        let members = links[link].ports
        for port in members {
            // A port of a segment needs its own cable and power only, a port of a cable those of both ends.
            let hasCarrier = members.allSatisfy { other in
                (links[link].isSegment && other != port)
                    || (!ports[other].isPulled && nodes[ports[other].node].state != .off)
            }
            guard ports[port].hasCarrier != hasCarrier else { continue }
            ports[port].hasCarrier = hasCarrier
            if !hasCarrier { ports[port].hasFlapped = true }
            nodes[ports[port].node].kernel.setCarrier(ports[port].configuration.index, hasCarrier: hasCarrier)
            enqueue(.carrierNews(port: port), after: random.duration(upTo: machine.carrierDelay))
        }
    }

    /// Updates ``Port/reported`` with what these events tell the process.
    private mutating func noteReported(_ events: [KernelEvent], of port: Int) {
        for event in events {
            switch event {
            case .link(let link) where link.hasCarrier:
                var reported = ports[port].reported ?? ports[port].configuration
                reported.mtu = link.mtu
                ports[port].reported = reported
            case .link: ports[port].reported = nil
            case .address(let address): ports[port].reported?.linkLocalAddress = address.address
            default: break
            }
        }
    }

    /// Notifies a running process of the carrier of a port, if the carrier differs from what the process knows or has flapped.
    /// A flap is two notifications.
    mutating func notifyCarrier(_ index: Int) {
        let node = ports[index].node
        guard nodes[node].state == .running else { return }
        let interface = ports[index].configuration.index
        if ports[index].reported != nil, ports[index].hasFlapped || !ports[index].hasCarrier {
            ports[index].reported = nil
            observer?(now, .carrier(node: node, interface: interface, isUp: false))
            var lost = link(of: index)
            lost.hasCarrier = false
            handle(.kernel([.link(lost)]), on: node)
        }
        ports[index].hasFlapped = false
        if ports[index].hasCarrier, ports[index].reported == nil {
            ports[index].reported = ports[index].configuration
            observer?(now, .carrier(node: node, interface: interface, isUp: true))
            // The port's address may have changed since the last notification.
            let unreadEvents = ports[index].unreadEvents
            ports[index].unreadEvents = []
            handle(
                .kernel(
                    unreadEvents.flatMap(\.self) + [.address(linkLocalAddress(of: index)), .link(link(of: index))]),
                on: node)
        }
    }
}
