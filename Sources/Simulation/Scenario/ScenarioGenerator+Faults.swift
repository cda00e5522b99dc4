internal import Addressing
internal import OSPF
internal import OSPFPacket
internal import Services

extension ScenarioGenerator {
    /// A fault of a running mesh, or a change of its configuration.
    enum FaultKind: CaseIterable {
        case carrier, carrierFlaps, portCarrier, silence, oneWay, quality, packetSize, partition
        case sleep, kill, powerOff, shutdown, announcedStop
        case prefix, anycast, external, stub, drain, clusterDrain
        // A service behind a VIP fails; services of the cluster demand an address.
        case vipService, serviceDemand
        case foreignDeletion, foreignAddressRemoval, addressStorm, forwarding, firewallReload, kernelTrouble, refusal,
            defaultRoute
        case cost, renumber, mtu
        case replay

        /// The faults of the themes of these names; one that is listed twice is drawn more often.
        static let announcements: [FaultKind] = [
            .prefix, .anycast, .external, .stub, .cost, .drain, .clusterDrain, .vipService, .serviceDemand,
        ]
        static let restarts: [FaultKind] = [
            .kill, .powerOff, .shutdown, .announcedStop, .sleep, .kill, .replay, .drain, .vipService, .serviceDemand,
            .kernelTrouble,
        ]
        static let machines: [FaultKind] = [
            .drain, .clusterDrain, .vipService, .vipService, .serviceDemand, .serviceDemand, .foreignDeletion,
            .foreignAddressRemoval, .addressStorm,
            .addressStorm, .forwarding, .firewallReload, .kernelTrouble, .refusal, .defaultRoute, .kill, .sleep,
            .shutdown,
            .announcedStop,
        ]
    }

    mutating func addFaults(_ count: Int, from kinds: [FaultKind]) {
        var time = end
        for _ in 0..<count {
            time += gap()
            addFault(random.pick(kinds)!, at: time)
        }
    }

    private mutating func add(_ time: Duration, _ action: Action) { script.append(Scenario.Step(time, action)) }

    /// Adds an action and, with a probability of 0.75, a later one that undoes it.
    private mutating func add(_ time: Duration, _ action: Action, undoneBy undo: Action) {
        add(time, action)
        if random.chance(0.75) { add(time + gap(), undo) }
    }

    private mutating func addFault(_ kind: FaultKind, at time: Duration) {
        switch kind {
        case .carrier, .carrierFlaps, .portCarrier, .silence, .oneWay, .quality, .packetSize, .partition:
            addLinkFault(kind, at: time)
        case .sleep, .kill, .powerOff, .shutdown, .announcedStop, .replay: addMachineFault(kind, at: time)
        case .prefix, .anycast, .external, .stub, .drain, .clusterDrain, .vipService, .serviceDemand:
            addAnnouncement(kind, at: time)
        case .foreignDeletion, .foreignAddressRemoval, .forwarding, .firewallReload, .kernelTrouble, .refusal,
            .defaultRoute:
            addKernelFault(kind, at: time)
        case .addressStorm: addAddressStorm(at: time)
        case .cost, .renumber, .mtu: addReconfiguration(kind, at: time)
        }
    }

    private mutating func addLinkFault(_ kind: FaultKind, at time: Duration) {
        let link = random.below(plan.links.count)
        let ends = plan.links[link].ends.count
        switch kind {
        case .carrierFlaps:
            var time = time
            for _ in 0..<random.number(in: 2...10) {
                add(time, .carrier(link: link, isUp: false))
                time += random.duration(upTo: .milliseconds(200))
                add(time, .carrier(link: link, isUp: true))
                time += random.duration(upTo: .milliseconds(200))
            }
        case .portCarrier:
            let end = random.below(ends)
            add(
                time, .portCarrier(link: link, end: end, isUp: false),
                undoneBy: .portCarrier(link: link, end: end, isUp: true))
        case .silence: add(time, .silence(link: link, isSilent: true), undoneBy: .silence(link: link, isSilent: false))
        case .oneWay:
            guard ends > 1 else { return }
            let from = random.below(ends)
            let to = (from + 1 + random.below(ends - 1)) % ends
            add(
                time, .cut(link: link, from: from, to: to, isCut: true),
                undoneBy: .cut(link: link, from: from, to: to, isCut: false))
        case .quality:
            var bad = drawQuality()
            bad.loss = Double(random.number(in: 1...60)) / 100
            add(time, .quality(link: link, bad), undoneBy: .quality(link: link, plan.links[link].quality))
        case .packetSize:
            var hole = plan.links[link].quality
            hole.largestPacket = random.number(in: 100...1400)
            add(time, .quality(link: link, hole), undoneBy: .quality(link: link, plan.links[link].quality))
        case .partition:
            let side = Set(plan.nodes.indices.filter { _ in random.chance(0.5) })
            add(time, .partition(side, isCut: true), undoneBy: .partition(side, isCut: false))
        default: add(time, .carrier(link: link, isUp: false), undoneBy: .carrier(link: link, isUp: true))
        }
    }

    private mutating func addMachineFault(_ kind: FaultKind, at time: Duration) {
        let node = random.below(plan.nodes.count)
        switch kind {
        case .sleep: add(time, .sleep(node: node), undoneBy: .wake(node: node))
        case .powerOff: add(time, .powerOff(node: node), undoneBy: .start(node: node))
        case .shutdown: add(time, .shutdown(node: node), undoneBy: .start(node: node))
        case .announcedStop:
            add(time, .announceStop(node: node))
            guard random.chance(0.7) else { return }
            let stop = time + gap()
            add(stop, .shutdown(node: node))
            if random.chance(0.75) { add(stop + gap(), .start(node: node)) }
        case .replay:
            // MaxSequenceNumber, the one before, and one soon after InitialSequenceNumber (RFC 2328 §12.1.6).
            let sequenceNumber = random.pick([Int32.max, Int32.max - 1, -0x7fff_ff00])!
            add(time, .replay(node: node, sequenceNumber: sequenceNumber, isStray: random.chance(0.3)))
        default: add(time, .kill(node: node), undoneBy: .start(node: node))
        }
    }

    private mutating func addAnnouncement(_ kind: FaultKind, at time: Duration) {
        let node = random.below(plan.nodes.count)
        switch kind {
        case .prefix:
            let prefix = random.chance(0.5) ? Self.hostPrefix(of: node) : Self.podPrefix(of: node)
            let metric = UInt16(random.chance(0.7) ? 0 : random.below(50))
            add(
                time, .withdraw(node: node, [prefix]),
                undoneBy: .announce(node: node, [AdvertisedPrefix(prefix: prefix, metric: metric)]))
        case .anycast:
            // Or a range of cluster IPs, which then needs no service route.
            let prefix = random.chance(0.8) ? Self.anycastPrefix(random.below(3)) : Self.serviceRanges[random.below(2)]
            let entry = AdvertisedPrefix(prefix: prefix, metric: random.chance(0.8) ? 0 : UInt16(random.below(30)))
            add(time, .announce(node: node, [entry]), undoneBy: .withdraw(node: node, [prefix]))
        case .external:
            let prefix = random.pick([
                .default, .default, .default, Self.externalPrefix(random.below(3)),
                Self.externalPrefix(random.below(3)), Self.serviceRanges[0],
            ])!
            let external = ExternalPrefix(
                prefix: prefix, metric: UInt32(random.number(in: 1...3)), isType2: random.chance(0.5))
            add(time, .announceExternal(node: node, external), undoneBy: .withdrawExternal(node: node, prefix))
        case .drain: add(time, .drain(node: node, true), undoneBy: .drain(node: node, false))
        case .clusterDrain:
            add(time, .clusterDrain(node: node, true), undoneBy: .clusterDrain(node: node, false))
            // Two reasons for a drain, often at the same time.
            if random.chance(0.3) {
                add(time + gap(), .drain(node: node, true), undoneBy: .drain(node: node, false))
            }
        case .vipService:
            guard let vip = random.pick(plan.nodes[node].vips.filter { $0.check != nil }) else { return }
            add(
                time, .service(node: node, name: vip.name, works: false),
                undoneBy: .service(node: node, name: vip.name, works: true))
        case .serviceDemand:
            let address = Self.serviceAddress(random.below(3))
            let level: AnnouncementLevel = random.chance(0.7) ? .announce : .lastResort
            add(time, .demandService(node: node, address, level), undoneBy: .demandService(node: node, address, nil))
        default: add(time, .stub(node: node, true), undoneBy: .stub(node: node, false))
        }
    }

    private mutating func addKernelFault(_ kind: FaultKind, at time: Duration) {
        let node = random.below(plan.nodes.count)
        switch kind {
        case .foreignDeletion: for _ in 0..<random.number(in: 1...4) { add(time, .foreignDeletion(node: node)) }
        case .foreignAddressRemoval: add(time, .foreignAddressRemoval(node: node))
        case .forwarding: add(time, .forwarding(node: node))
        case .firewallReload: add(time, .firewallReload(node: node))
        case .defaultRoute:
            let family: IPFamily = random.chance(0.5) ? .ipv4 : .ipv6
            add(
                time, .defaultRoute(node: node, family, exists: true),
                undoneBy: .defaultRoute(node: node, family, exists: false))
        case .kernelTrouble:
            // Requests always succeed again later; they may stay slow.
            let isUnreachable = random.chance(0.5)
            let delay = random.chance(0.5) ? .zero : random.duration(upTo: .milliseconds(1 << random.below(8)))
            add(time, .kernelTrouble(node: node, isUnreachable: isUnreachable, delay: delay))
            add(
                time + gap(),
                .kernelTrouble(node: node, isUnreachable: false, delay: random.chance(0.5) ? delay : .zero))
        default:
            let addresses = random.subset(of: [Self.vipAddress(0), Self.vipAddress(1), Self.serviceAddress(0)])
            let prefixes = random.subset(of: [
                Self.hostPrefix(of: node), Self.podPrefix(of: (node + 1) % plan.nodes.count), Self.serviceRanges[0],
            ])
            add(time, .refusal(node: node, addresses: Set(addresses), prefixes: Set(prefixes)))
            // An address that exists is refused only after another program has removed it.
            for _ in 0..<random.below(4) { add(time + .milliseconds(1), .foreignAddressRemoval(node: node)) }
            add(time + gap(), .refusal(node: node, addresses: [], prefixes: []))
        }
    }

    /// VIPs and the demand for a service address come and go, and another program removes addresses, faster than the node's
    /// kernel answers.
    private mutating func addAddressStorm(at time: Duration) {
        let node = random.below(plan.nodes.count)
        let delay = Duration.milliseconds(random.number(in: 50...500))
        let address = Self.serviceAddress(random.below(3))
        var time = time
        add(time, .kernelTrouble(node: node, isUnreachable: false, delay: delay))
        for _ in 0..<random.number(in: 4...10) {
            time += random.duration(upTo: delay)
            switch random.below(7) {
            case 0: add(time, .demandService(node: node, address, nil))
            case 1: add(time, .foreignAddressRemoval(node: node))
            case 2, 3: add(time, .vips(node: node, []))
            case 4: add(time, .vips(node: node, plan.nodes[node].vips))
            case 5: add(time, .vips(node: node, [VIP(name: "storm", address: Self.vipAddress(1))]))
            default: add(time, .demandService(node: node, address, random.chance(0.7) ? .announce : .lastResort))
            }
        }
        add(time + delay, .kernelTrouble(node: node, isUnreachable: false, delay: .zero))
        if random.chance(0.5) { add(time + gap(), .vips(node: node, plan.nodes[node].vips)) }
        add(time + gap(), .demandService(node: node, address, nil))
    }

    private mutating func addReconfiguration(_ kind: FaultKind, at time: Duration) {
        let link = random.below(plan.links.count)
        let end = random.below(plan.links[link].ends.count)
        switch kind {
        case .renumber: add(time, .renumber(link: link, end: end))
        case .mtu:
            add(
                time, .mtu(link: link, random.chance(0.5) ? 1280 : 9000),
                undoneBy: .mtu(link: link, plan.links[link].mtu))
        default: add(time, .cost(link: link, end: end, UInt16(random.number(in: 1...100))))
        }
    }
}
