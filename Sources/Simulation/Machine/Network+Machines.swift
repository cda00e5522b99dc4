internal import Addressing
internal import OSPF
internal import Routing
internal import Timing

/// Power, processes and carrier.
extension Network {
    /// Starts a process, with power if there was none.
    mutating func start(_ node: Int) {
        switch nodes[node].state {
        case .running, .asleep:
            guard nodes[node].isLeaving else { return }
            stop(node)
        case .stopped: break
        case .off:
            nodes[node].state = .stopped
            for port in nodes[node].ports { updateCarrier(of: ports[port].link) }
        }
        nodes[node].process += 1
        nodes[node].state = .running
        nodes[node].isLeaving = false
        nodes[node].routes = RouteTable()
        nodes[node].willRetry = false
        adoptKernel(node)
        let configuration = RouterConfiguration(
            routerID: nodes[node].routerID, routerIDIsDerived: nodes[node].routerIDIsDerived,
            hostname: "n\(node)", hardwareFingerprint: fingerprint(of: node), seed: random.next(),
            resumptionLimit: nodes[node].kernel.prefixes.isEmpty ? nil : longestDeadInterval(of: node))
        nodes[node].router = Router(configuration: configuration, at: localTime(of: node))
        tellAnnouncements(node)
        for port in nodes[node].ports { tellCarrier(port) }
    }

    /// Tells the process what it is to announce.
    private mutating func tellAnnouncements(_ node: Int) {
        handle(.advertise(nodes[node].prefixes), on: node)
        handle(.advertiseExternal(nodes[node].externals), on: node)
        handle(.stubRouter(nodes[node].isStub), on: node)
    }

    private func longestDeadInterval(of node: Int) -> Duration {
        nodes[node].ports.map { ports[$0].configuration.deadInterval }.max() ?? .zero
    }

    /// 32 octets that differ from machine to machine.
    private func fingerprint(of node: Int) -> [UInt8] {
        var source = RandomSource(seed: UInt64(node) &+ 1)
        return (0..<32).map { _ in UInt8(truncatingIfNeeded: source.next()) }
    }

    /// Ends the process; the kernel stays.
    mutating func stop(_ node: Int) {
        guard nodes[node].state == .running || nodes[node].state == .asleep else { return }
        nodes[node].state = .stopped
        nodes[node].router = nil
        nodes[node].fib = nil
        nodes[node].timer = nil
        nodes[node].backlog = []
        nodes[node].process += 1
        for port in nodes[node].ports {
            ports[port].told = nil
            ports[port].hasFlapped = false
            ports[port].joinedAllSPFRouters = false
            ports[port].joinedAllDRouters = false
        }
    }

    mutating func powerOff(_ node: Int) {
        stop(node)
        nodes[node].state = .off
        nodes[node].kernel = ModelKernel()
        for port in nodes[node].ports { updateCarrier(of: ports[port].link) }
    }

    mutating func sleep(_ node: Int) {
        guard nodes[node].state == .running else { return }
        nodes[node].state = .asleep
    }

    mutating func wake(_ node: Int) {
        guard nodes[node].state == .asleep else { return }
        nodes[node].state = .running
        // What waits in several sockets is read in no particular order.
        let packetsFirst = random.chance(0.5)
        if !packetsFirst { for port in nodes[node].ports { tellCarrier(port) } }
        let backlog = nodes[node].backlog
        nodes[node].backlog = []
        for packet in backlog { take(packet, on: node) }
        if packetsFirst { for port in nodes[node].ports { tellCarrier(port) } }
        tellAnnouncements(node)
        // A retry that came due meanwhile was slept through.
        retry(node)
        if nodes[node].timer == nil { handle(.timer, on: node) }
    }

    /// The router takes leave and is given a moment for it.
    mutating func shutDown(_ node: Int) {
        guard nodes[node].isRunning else { return }
        nodes[node].isLeaving = true
        handle(.shutdown, on: node)
        enqueue(.end(node: node, process: nodes[node].process), after: .milliseconds(200))
    }

    /// Works out anew which ports of a link have a signal, and sends the news around.
    mutating func updateCarrier(of link: Int) {
        let members = links[link].ports
        for port in members {
            let isLit = members.allSatisfy { other in
                (links[link].isSegment && other != port)
                    || (!ports[other].isPulled && nodes[ports[other].node].state != .off)
            }
            guard ports[port].hasCarrier != isLit else { continue }
            ports[port].hasCarrier = isLit
            if !isLit { ports[port].hasFlapped = true }
            nodes[ports[port].node].kernel.setCarrier(ports[port].configuration.index, isLit: isLit)
            enqueue(.carrierNews(port: port), after: random.duration(upTo: machine.carrierDelay))
        }
    }

    /// Tells the process of a port what it does not know yet.
    mutating func tellCarrier(_ index: Int) {
        let node = ports[index].node
        guard nodes[node].state == .running else { return }
        let interface = ports[index].configuration.index
        if ports[index].told != nil, ports[index].hasFlapped || !ports[index].hasCarrier {
            ports[index].told = nil
            observer?(now, .carrier(node: node, interface: interface, isUp: false))
            nodes[node].fib?.linkLost(interface)
            handle(.interfaceDown(index: interface), on: node)
        }
        ports[index].hasFlapped = false
        if ports[index].hasCarrier, ports[index].told == nil {
            ports[index].told = ports[index].configuration
            observer?(now, .carrier(node: node, interface: interface, isUp: true))
            nodes[node].fib?.linkUsable(interface)
            handle(.interfaceUp(ports[index].configuration), on: node)
        }
    }
}
