import Addressing
import OSPFPacket
internal import Timing

/// Interfaces that come up, change and go down (RFC 2328 §9.2, §9.3).
extension Router {
    /// The minimum time between a prompt hello and the hello before it, so that two routers that answer each other's hellos
    /// cannot cause a storm.
    static let promptHelloDistance = Duration.milliseconds(5)

    mutating func interfaceUp(_ configuration: InterfaceConfiguration, at now: Instant) {
        let index = configuration.index
        guard !interfaces.contains(index) else { return interfaceChanged(index, to: configuration, at: now) }
        let interface = Interface(
            configuration: configuration, mode: initialMode(configuration, at: now), nextHello: now)
        interfaces.insert(interface)
        notify(.interfaceState(interface: interface.index, from: .down, to: interface.state(of: routerID)))
        noteName(of: configuration)
        origination.interfacesChanged()
        guard !interface.isPassive else { return }
        effects.append(.membership(interface: interface.index, group: .allSPFRouters, joined: true))
        announceResumption(on: index, at: now)
        // After the group is joined: only members receive the hellos that other interfaces of ours send now.
        if sendHellosForNewInterface(at: now) {
            interfaces[index].nextHello = now + Self.listeningTime
        } else {
            sendHello(index, at: now)
        }
    }

    /// Keeps the name of a port. It stays announced when the port goes down, so that a flap changes nothing.
    private mutating func noteName(of configuration: InterfaceConfiguration) {
        let length = configuration.name.utf8.count
        guard !configuration.isPassive, (1...RouterInformationLSA.PortName.longestName).contains(length),
            portNames.count < Self.mostPortNames || portNames[configuration.index] != nil
        else { return }
        portNames[configuration.index] = configuration.name
    }

    /// Far more than a machine has ports.
    private static let mostPortNames = 1024

    /// The mode of an interface that comes up or leaves standby. An `auto` interface begins as point-to-point.
    func initialMode(_ configuration: InterfaceConfiguration, at now: Instant) -> Interface.Mode {
        if configuration.isPassive { return .passive }
        return configuration.kind == .broadcast ? broadcastMode(configuration, at: now) : .pointToPoint()
    }

    /// The first mode of an interface that needs a designated router: Waiting, unless its priority 0 excludes this router from
    /// the election.
    ///
    /// RFC 2328 §9.1 waits for RouterDeadInterval. Two hello intervals are enough to find all routers, because our
    /// first hello makes kubermesh routers reply at once, and other routers send one hello per interval.
    func broadcastMode(_ configuration: InterfaceConfiguration, at now: Instant) -> Interface.Mode {
        guard configuration.priority > 0 else { return .elected(.init(designated: .none, backup: .none)) }
        let wait = min(configuration.deadInterval, configuration.helloInterval * 2)
        return .waiting(until: now + wait)
    }

    /// A change of the kind, MTU, link-local address, hello interval, dead interval or passivity restarts the interface,
    /// because its adjacencies depend on that property. A change of any other property is applied without a restart.
    private mutating func interfaceChanged(_ index: UInt32, to new: InterfaceConfiguration, at now: Instant) {
        let old = interfaces[index].configuration
        guard old != new else { return }
        var withoutRestart = old
        withoutRestart.cost = new.cost
        withoutRestart.name = new.name
        withoutRestart.priority = new.priority
        withoutRestart.retransmitInterval = new.retransmitInterval
        withoutRestart.transmitDelay = new.transmitDelay
        guard withoutRestart == new else {
            interfaceDown(new.index, reason: .linkDown, at: now)
            interfaceUp(new, at: now)
            if new.isPassive { takeOver(from: new.index, at: now) }
            return
        }
        interfaces[index].configuration = new
        noteName(of: new)
        origination.interfacesChanged()
        if old.priority != new.priority, interfaces[index].isBroadcast {
            electDesignatedRouter(index, at: now)
        }
    }

    mutating func interfaceDown(_ index: UInt32, reason: NeighborChangeReason, at now: Instant) {
        guard interfaces.contains(index) else { return }
        removeNeighbors(index, reason: reason, at: now)
        let interface = interfaces[index]
        leaveGroups(interface)
        notify(.interfaceState(interface: index, from: interface.state(of: routerID), to: .down))
        removeLinkLSAs(index, at: now)
        interfaces.remove(index)
        duplicates.neighborSeen[index] = nil
        origination.interfacesChanged()
    }

    /// Removes the LSAs of link-local scope that belong to the link of an interface.
    mutating func removeLinkLSAs(_ index: UInt32, at now: Instant) {
        for key in database.entries.keys.filter({ $0.interface == index }).sorted() { removeLSA(key, at: now) }
        origination.removeInterface(index)
    }

    private mutating func leaveGroups(_ interface: Interface) {
        guard !interface.isPassive else { return }
        if interface.state(of: routerID) == .designated || interface.state(of: routerID) == .backup {
            effects.append(.membership(interface: interface.index, group: .allDRouters, joined: false))
        }
        effects.append(.membership(interface: interface.index, group: .allSPFRouters, joined: false))
    }

    mutating func removeNeighbors(_ index: UInt32, reason: NeighborChangeReason, at now: Instant) {
        for neighbor in interfaces[index].neighborKeys.reversed() {
            removeNeighbor(neighbor, reason: reason, at: now)
        }
    }

    mutating func runInterfaceTimers(_ index: UInt32, at now: Instant) {
        if !interfaces[index].isSilent {
            let interface = interfaces[index]
            if [interface.nextHello, interface.promptHello, interface.correctingHello].contains(where: {
                $0.map { $0 <= now } ?? false
            }) {
                sendHello(index, at: now)
            }
        }
        switch interfaces[index].mode {
        case .waiting(let until) where until <= now: endWaiting(index, at: now)
        case .pointToPoint(let trial?) where trial.until <= now: endTrial(trial, index, at: now)
        case .standby(_, let until) where until <= now: leaveStandby(index, at: now)
        case .passive, .standby, .pointToPoint, .waiting, .elected: break
        }
        if let deadline = interfaces[index].acknowledgmentDeadline, deadline <= now {
            sendDelayedAcknowledgments(index)
        }
        for neighbor in interfaces[index].neighborKeys.reversed() { runNeighborTimers(neighbor, at: now) }
    }

    /// Encodes a packet and sends it on an interface.
    mutating func send(_ body: Packet.Body, on index: UInt32, to destination: IPv6Address) {
        let source = interfaces[index].configuration.linkLocalAddress
        let octets = Packet(header: packetHeader, body: body).encode(source: source, destination: destination)
        send(octets, type: body.type, on: index, to: destination)
    }

    mutating func send(_ octets: [UInt8], type: PacketType, on index: UInt32, to destination: IPv6Address) {
        statistics.packetsSent[Int(type.rawValue)] += 1
        let configuration = interfaces[index].configuration
        effects.append(
            .send(
                interface: configuration.index, source: configuration.linkLocalAddress, destination: destination,
                octets: octets))
    }

    var packetHeader: PacketHeader {
        PacketHeader(routerID: routerID, areaID: configuration.areaID, instanceID: configuration.instanceID)
    }

    /// The options in hellos, descriptions, link-LSAs and router-LSAs.
    var options: OSPFOptions { origination.isStubRouter ? [.v6, .e] : [.v6, .e, .r] }

    /// The destination of flooded LSAs and delayed acknowledgments (RFC 2328 §13.3 (5), §13.5).
    func floodDestination(_ index: UInt32) -> IPv6Address {
        switch interfaces[index].state(of: routerID) {
        case .drOther, .waiting: .allDRouters
        default: .allSPFRouters
        }
    }
}

extension Instant {
    /// Halved, so that the time from this instant to another does not overflow.
    static let distantPast = Instant(nanoseconds: .min / 2)
}
