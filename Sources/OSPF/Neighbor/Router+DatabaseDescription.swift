import Addressing
import OSPFPacket
internal import Timing

/// The exchange of database descriptions (RFC 2328 §10.6, §10.8; RFC 5340 §4.2.1.2, §4.2.2.2).
extension Router {
    /// ExStart: both claim to lead; the higher router ID will.
    mutating func startNegotiation(_ position: Int, _ index: Int, at now: Instant) {
        interfaces[position].neighbors[index].isMaster = true
        interfaces[position].neighbors[index].sequenceNumber &+= 1
        interfaces[position].neighbors[index].received = nil
        let configuration = interfaces[position].configuration
        interfaces[position].neighbors[index].exchangeDeadline =
            now + configuration.deadInterval * Self.exchangePatience
        sendDescription([], flags: [.initialize, .more, .master], position, index, at: now)
    }

    /// What there is to describe: all LSAs whose scope covers the link. Those at MaxAge go onto the retransmission
    /// list instead, as they are to be flushed (RFC 2328 §10.3, NegotiationDone).
    mutating func summarize(for position: Int, _ index: Int, at now: Instant) -> Neighbor.DatabaseSummary {
        let interface = interfaces[position].index
        var keys: [DatabaseKey] = []
        keys.reserveCapacity(database.entries.count)
        for (key, entry) in database.entries where key.interface == 0 || key.interface == interface {
            if entry.age(at: now) < LSAHeader.maxAge { keys.append(key) }
        }
        for key in database.maxAged.sorted() where key.interface == 0 || key.interface == interface {
            // Soon, for they may be what keeps a router that has come back from being heard.
            queueRetransmission(of: key, position, index, after: .milliseconds(20), at: now)
        }
        keys.sort()
        return Neighbor.DatabaseSummary(keys: keys)
    }

    private mutating func sendDescription(
        _ headers: [LSAHeader], flags: DatabaseDescription.Flags, _ position: Int, _ index: Int, at now: Instant
    ) {
        let interface = interfaces[position]
        let neighbor = interface.neighbors[index]
        let description = DatabaseDescription(
            options: options, interfaceMTU: UInt16(clamping: interface.configuration.mtu), flags: flags,
            sequenceNumber: neighbor.sequenceNumber, headers: headers)
        let octets = Packet(header: packetHeader, body: .databaseDescription(description))
            .encode(source: interface.configuration.linkLocalAddress, destination: neighbor.address)
        interfaces[position].neighbors[index].sent = Neighbor.SentDescription(
            octets: octets, sent: now, hasMore: flags.contains(.more),
            deadline: neighbor.isMaster ? now + repetitionDelay(position, attempts: 0) : nil)
        send(octets, type: .databaseDescription, on: position, to: neighbor.address)
    }

    mutating func repeatDescription(_ position: Int, _ index: Int, at now: Instant) {
        guard var sent = interfaces[position].neighbors[index].sent else { return }
        sent.attempts += 1
        sent.deadline = now + repetitionDelay(position, attempts: sent.attempts)
        interfaces[position].neighbors[index].sent = sent
        send(
            sent.octets, type: .databaseDescription, on: position, to: interfaces[position].neighbors[index].address)
    }

    /// The slave sends again what it said last (RFC 2328 §10.8).
    private mutating func repeatAnswer(_ position: Int, _ index: Int) {
        guard let sent = interfaces[position].neighbors[index].sent else { return }
        send(
            sent.octets, type: .databaseDescription, on: position, to: interfaces[position].neighbors[index].address)
    }

    /// Sends the next part of the summary.
    private mutating func describeMore(_ position: Int, _ index: Int, at now: Instant) {
        guard case .exchange(var summary) = interfaces[position].neighbors[index].phase else { return }
        let capacity = DatabaseDescription.capacity(mtu: interfaces[position].configuration.mtu)
        var headers: [LSAHeader] = []
        while headers.count < capacity, !summary.isComplete {
            // What has vanished or changed meanwhile was flooded to the neighbour anyway.
            if let entry = database[summary.keys[summary.next]] { headers.append(entry.header(at: now)) }
            summary.next += 1
        }
        let isMaster = interfaces[position].neighbors[index].isMaster
        var flags: DatabaseDescription.Flags = isMaster ? [.master] : []
        if !summary.isComplete { flags.insert(.more) }
        interfaces[position].neighbors[index].phase = .exchange(summary)
        sendDescription(headers, flags: flags, position, index, at: now)
    }

    mutating func receive(_ description: DatabaseDescription, position: Int, _ index: Int, at now: Instant) {
        guard acceptMTU(description, position, index) else { return reject(.mtu) }
        noteDescriber(position, index, at: now)
        if interfaces[position].neighbors[index].state == .initial {
            neighborEvent(position, index, .twoWayReceived, at: now)
            reconsiderElection(
                position, was: nil, router: interfaces[position].neighbors[index].routerID, at: now)
        }
        switch interfaces[position].neighbors[index].state {
        case .down, .initial, .twoWay: reject(.neighborState)
        case .exStart: negotiate(description, position, index, at: now)
        case .exchange, .loading, .full: continueExchange(description, position, index, at: now)
        }
    }

    /// A neighbour that may send larger packets than this link end takes is not spoken to (RFC 2328 §10.6). One that
    /// takes less than we do will refuse us in the same way: both are told, for neither end can mend it.
    private mutating func acceptMTU(_ description: DatabaseDescription, _ position: Int, _ index: Int) -> Bool {
        let ours = min(interfaces[position].configuration.mtu, Int(UInt16.max))
        let theirs = Int(description.interfaceMTU)
        // 0 is told on virtual links, and by implementations that do not know.
        let disagrees = theirs != 0 && theirs != ours
        if disagrees, interfaces[position].neighbors[index].mismatchedMTU != theirs {
            interfaces[position].neighbors[index].mismatchedMTU = theirs
            tell(
                .mtuMismatch(
                    interface: interfaces[position].index, neighbor: interfaces[position].neighbors[index].routerID,
                    theirs: theirs, ours: ours))
        }
        return theirs <= ours
    }

    private mutating func negotiate(
        _ description: DatabaseDescription, _ position: Int, _ index: Int, at now: Instant
    ) {
        noteBeginning(description, position, index)
        let neighbor = interfaces[position].neighbors[index]
        if description.flags.isSuperset(of: [.initialize, .more, .master]), description.headers.isEmpty,
            neighbor.routerID > routerID
        {
            interfaces[position].neighbors[index].isMaster = false
            interfaces[position].neighbors[index].sequenceNumber = description.sequenceNumber
        } else if description.flags.isDisjoint(with: [.initialize, .master]),
            description.sequenceNumber == neighbor.sequenceNumber, neighbor.routerID < routerID
        {
            interfaces[position].neighbors[index].isMaster = true
        } else {
            return
        }
        interfaces[position].neighbors[index].options = description.options
        neighborEvent(position, index, .negotiationDone, at: now)
        interfaces[position].neighbors[index].received = .init(description)
        if interfaces[position].neighbors[index].isMaster {
            acceptDescription(description, position, index, at: now)
        } else {
            describeMore(position, index, at: now)
        }
    }

    private mutating func continueExchange(
        _ description: DatabaseDescription, _ position: Int, _ index: Int, at now: Instant
    ) {
        let neighbor = interfaces[position].neighbors[index]
        if neighbor.received == .init(description) {
            // A repetition: the master passes over it, the slave answers as before. When the exchange is over, it does so
            // for RouterDeadInterval (RFC 2328 §10.8).
            guard !neighbor.isMaster, let answer = neighbor.sent else { return }
            let age = now - answer.sent
            if neighbor.state != .exchange, age >= interfaces[position].configuration.deadInterval {
                return neighborEvent(
                    position, index, .sequenceNumberMismatch, because: .lateRepetition(after: age), at: now)
            }
            return repeatAnswer(position, index)
        }
        guard !neighbor.isLate(description) else { return }
        noteBeginning(description, position, index)
        if let fault = neighbor.fault(in: description) {
            return neighborEvent(position, index, .sequenceNumberMismatch, because: fault, at: now)
        }
        interfaces[position].neighbors[index].received = .init(description)
        acceptDescription(description, position, index, at: now)
    }

    /// Remembers with which number the neighbour began its latest exchange.
    private mutating func noteBeginning(_ description: DatabaseDescription, _ position: Int, _ index: Int) {
        guard description.flags.contains(.initialize) else { return }
        interfaces[position].neighbors[index].beginning = description.sequenceNumber
    }

    /// LSAs that all neighbours together have been or will be asked for.
    private var requestCount: Int {
        interfaces.reduce(0) { $1.neighbors.reduce($0) { $0 + $1.requests.count } }
    }

    /// Takes in a description that is next in order (RFC 2328 §10.6, last part).
    private mutating func acceptDescription(
        _ description: DatabaseDescription, _ position: Int, _ index: Int, at now: Instant
    ) {
        var room = configuration.limits.lsas - requestCount
        for header in description.headers {
            guard header.key.type.scope != .reserved else {
                reject(.lsaScope)
                return neighborEvent(
                    position, index, .sequenceNumberMismatch, because: .reservedScope(header.key.type), at: now)
            }
            let key = databaseKey(header.key, on: position)
            if let entry = database[key], header.recency(comparedTo: entry.header(at: now)) != .newer {
                // Flushed since our own description began, and nobody else will tell it.
                let isFlushed = entry.age(at: now) >= LSAHeader.maxAge && header.age < LSAHeader.maxAge
                // What was flushed before waits already, and not for long.
                if isFlushed, !interfaces[position].neighbors[index].retransmissions.contains(key) {
                    queueRetransmission(of: key, position, index, at: now)
                }
                continue
            }
            if room > 0 || interfaces[position].neighbors[index].requests[header.key] != nil {
                interfaces[position].neighbors[index].requests.insert(header)
                room -= 1
            } else {
                reject(.limit)
                tellOnce(.database)
            }
        }
        interfaces[position].neighbors[index].exchangeDeadline =
            now + interfaces[position].configuration.deadInterval * Self.exchangePatience
        let theyHaveMore = description.flags.contains(.more)
        if interfaces[position].neighbors[index].isMaster {
            interfaces[position].neighbors[index].sequenceNumber &+= 1
            if !theyHaveMore, interfaces[position].neighbors[index].sent?.hasMore == false {
                interfaces[position].neighbors[index].sent = nil
                neighborEvent(position, index, .exchangeDone, at: now)
            } else {
                describeMore(position, index, at: now)
            }
        } else {
            interfaces[position].neighbors[index].sequenceNumber = description.sequenceNumber
            describeMore(position, index, at: now)
            if !theyHaveMore, interfaces[position].neighbors[index].sent?.hasMore == false {
                neighborEvent(position, index, .exchangeDone, at: now)
            }
        }
    }
}

extension Neighbor {
    /// How far back a sequence number may lie to count as late rather than wrong.
    private static let lateness = 1000

    /// The sequence number of the next description.
    var expectedSequenceNumber: UInt32 { isMaster ? sequenceNumber : sequenceNumber &+ 1 }

    /// What is wrong with a description that is no repetition: it should be the next of the exchange (RFC 2328 §10.6).
    func fault(in description: DatabaseDescription) -> NeighborFault? {
        if description.flags.contains(.initialize) { return .initializeBit }
        guard state == .exchange, let options = received?.options else { return .exchangeOver }
        let isTheirs = description.flags.contains(.master)
        if isTheirs == isMaster { return .masterBit(received: isTheirs) }
        if description.options != options { return .options(expected: options, received: description.options) }
        if description.sequenceNumber != expectedSequenceNumber {
            return .sequenceNumber(expected: expectedSequenceNumber, received: description.sequenceNumber)
        }
        return nil
    }

    /// Whether a description is a copy, overtaken on its way, of one that came before the last: what began this exchange,
    /// or an earlier part of it. RFC 2328 §10.6 knows only copies of the last one and begins anew for any other, which on
    /// a link slower than our repetitions would never end.
    func isLate(_ description: DatabaseDescription) -> Bool {
        if description.flags.contains(.initialize) { return description.sequenceNumber == beginning }
        let distance = Int(Int32(bitPattern: expectedSequenceNumber &- description.sequenceNumber))
        return (2...Self.lateness).contains(distance) && description.flags.contains(.master) != isMaster
    }
}

extension Neighbor.ReceivedDescription {
    init(_ description: DatabaseDescription) {
        flags = description.flags
        options = description.options
        sequenceNumber = description.sequenceNumber
    }
}
