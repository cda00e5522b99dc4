internal import Addressing
internal import OSPF

/// What is done from outside.
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
        case .start(let node): start(node)
        case .powerOff(let node): powerOff(node)
        case .shutdown(let node): shutDown(node)

        case .announce, .withdraw, .announceExternal, .withdrawExternal, .stub: announce(action)
        case .cost, .renumber, .mtu: reconfigure(action)

        case .replay(let node, let sequenceNumber, let isStray):
            replay(node, sequenceNumber: sequenceNumber, isStray: isStray)
        case .healAll: healAll()
        case .healHalfCuts: healHalfCuts()
        case .stopLoss:
            for link in links.indices {
                links[link].quality.loss = 0
                links[link].quality.corruption = 0
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
            nodes[node].prefixes.removeAll { replaced.contains($0.prefix) }
            nodes[node].prefixes += prefixes
            handle(.advertise(nodes[node].prefixes), on: node)
        case .withdraw(let node, let prefixes):
            let withdrawn = Set(prefixes)
            nodes[node].prefixes.removeAll { withdrawn.contains($0.prefix) }
            handle(.advertise(nodes[node].prefixes), on: node)
        case .announceExternal(let node, let external):
            nodes[node].externals.removeAll { $0.prefix == external.prefix }
            nodes[node].externals.append(external)
            handle(.advertiseExternal(nodes[node].externals), on: node)
        case .withdrawExternal(let node, let prefix):
            nodes[node].externals.removeAll { $0.prefix == prefix }
            handle(.advertiseExternal(nodes[node].externals), on: node)
        case .stub(let node, let isStub):
            nodes[node].isStub = isStub
            handle(.stubRouter(isStub), on: node)
        default: preconditionFailure("not an announcement")
        }
    }

    private mutating func reconfigure(_ action: Action) {
        switch action {
        case .cost(let link, let end, let cost):
            let port = links[link].ports[end]
            ports[port].configuration.cost = cost
            tellConfiguration(port)
        case .renumber(let link, let end):
            let port = links[link].ports[end]
            ports[port].generation += 1
            ports[port].configuration.linkLocalAddress = Self.linkLocalAddress(
                port: port, generation: ports[port].generation)
            tellConfiguration(port)
        case .mtu(let link, let mtu):
            for port in links[link].ports {
                ports[port].configuration.mtu = mtu
                tellConfiguration(port)
            }
        default: preconditionFailure("not a reconfiguration")
        }
    }

    /// Tells a process that is awake what has changed of a port that is up; a sleeping one hears of it as of a flap.
    private mutating func tellConfiguration(_ port: Int) {
        let node = ports[port].node
        guard ports[port].told != nil else { return }
        if nodes[node].state == .running {
            ports[port].told = ports[port].configuration
            handle(.interfaceUp(ports[port].configuration), on: node)
        } else {
            ports[port].hasFlapped = true
        }
    }

    private mutating func healAll() {
        for port in ports.indices { ports[port].isPulled = false }
        for link in links.indices { silence(link, false) }
        for node in nodes.indices {
            start(node)
            wake(node)
        }
        for link in links.indices { updateCarrier(of: link) }
    }

    /// On a segment, who hears whom must be an equivalence for anything to be promised; where it is none, all cuts go.
    private mutating func healHalfCuts() {
        for link in links.indices where links[link].isSegment && links[link].mutualReach == nil {
            silence(link, false)
        }
    }
}

extension Link {
    /// The ends in groups that hear one another, both ways; `nil` unless everybody hears either all of a group or, at
    /// most one way, the others.
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
