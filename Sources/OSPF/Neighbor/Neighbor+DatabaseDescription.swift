import Addressing
import OSPFPacket
internal import Timing

/// The exchange of database descriptions (RFC 2328 §10.6, §10.8; RFC 5340 §4.2.1.2, §4.2.2.2).
extension Neighbor {
    /// ExStart: both routers claim to be the master. The one with the higher router ID becomes the master.
    mutating func startNegotiation(in context: AdjacencyContext, into outbox: inout AdjacencyOutbox) {
        adjacency = Adjacency(stage: .exStart(until: context.now + context.exchangePatience))
        sequenceNumber &+= 1
        sendDescription([], flags: [.initialize, .more, .master], in: context, into: &outbox)
    }

    /// The LSAs to describe: all whose scope covers the link, except grace-LSAs. Whom they concern has them already; FRR 8.4 asks
    /// others for them for ever, because it does not take one of a router that it does not help. Those at MaxAge are added to the retransmission list
    /// instead, because they are being flushed (RFC 2328 §10.3, NegotiationDone).
    mutating func summarize(
        _ database: LinkStateDatabase, in context: AdjacencyContext, into outbox: inout AdjacencyOutbox
    ) -> Adjacency.DatabaseSummary {
        let interface = context.interface.index
        var keys: [DatabaseKey] = []
        keys.reserveCapacity(database.entries.count)
        for (key, entry) in database.entries where key.interface == 0 || key.interface == interface {
            if entry.age(at: context.now) < LSAHeader.maxAge, key.lsa.type != .grace { keys.append(key) }
        }
        for key in database.maxAged.sorted() where key.interface == 0 || key.interface == interface {
            // After a short delay, because a router that has restarted may need the flush of its earlier LSAs.
            if awaitAcknowledgment(of: key, after: .milliseconds(20), at: context.now) {
                outbox.append(.unacknowledged([key], by: 1))
            }
        }
        keys.sort()
        return Adjacency.DatabaseSummary(keys: keys)
    }

    private mutating func sendDescription(
        _ headers: [LSAHeader], flags: DatabaseDescription.Flags, in context: AdjacencyContext,
        into outbox: inout AdjacencyOutbox
    ) {
        let description = DatabaseDescription(
            options: context.options, interfaceMTU: UInt16(clamping: context.interface.mtu), flags: flags,
            sequenceNumber: sequenceNumber, headers: headers)
        let octets = Packet(header: context.header, body: .databaseDescription(description))
            .encode(source: context.interface.linkLocalAddress, destination: address)
        let isMaster = adjacency?.isMaster == true
        adjacency?.sent = Adjacency.SentDescription(
            octets: octets, sent: context.now, hasMore: flags.contains(.more),
            deadline: isMaster ? context.now + context.repetitionDelay(attempts: 0) : nil)
        outbox.append(.send(.databaseDescription, octets))
    }

    /// Retransmits the last description when its deadline is due: only the master does, and in ExStart both routers.
    mutating func repeatDescription(in context: AdjacencyContext, into outbox: inout AdjacencyOutbox) {
        guard var sent = adjacency?.sent else { return }
        sent.attempts += 1
        sent.deadline = context.now + context.repetitionDelay(attempts: sent.attempts)
        adjacency?.sent = sent
        outbox.append(.send(.databaseDescription, sent.octets))
    }

    /// Sends the next part of the summary.
    private mutating func sendNextDescription(
        _ database: LinkStateDatabase, in context: AdjacencyContext, into outbox: inout AdjacencyOutbox
    ) {
        guard case .exchange(var summary, let until)? = adjacency?.stage else { return }
        let capacity = DatabaseDescription.capacity(mtu: context.mtu)
        var headers: [LSAHeader] = []
        while headers.count < capacity, !summary.isComplete {
            // An LSA that has changed is described as it is now; one that is gone was flushed, and the flush was flooded.
            if let entry = database[summary.keys[summary.next]] { headers.append(entry.header(at: context.now)) }
            summary.next += 1
        }
        var flags: DatabaseDescription.Flags = adjacency?.isMaster == true ? [.master] : []
        if !summary.isComplete { flags.insert(.more) }
        adjacency?.stage = .exchange(summary, until: until)
        sendDescription(headers, flags: flags, in: context, into: &outbox)
    }

    /// Processes a description. At most `room` of its LSAs may be added to the request list.
    mutating func receive(
        _ description: DatabaseDescription, room: Int, in context: AdjacencyContext, _ database: LinkStateDatabase,
        into outbox: inout AdjacencyOutbox
    ) {
        switch state {
        case .down, .initial, .twoWay: outbox.append(.rejected(.neighborState))
        case .exStart: negotiate(description, room: room, in: context, database, into: &outbox)
        case .exchange, .loading, .full:
            continueExchange(description, room: room, in: context, database, into: &outbox)
        }
    }

    /// Whether the neighbor's MTU is no larger than ours; otherwise its description is rejected (RFC 2328 §10.6). A neighbor
    /// with a smaller MTU rejects our descriptions in the same way, so any difference is reported.
    mutating func acceptsMTU(
        of description: DatabaseDescription, in context: AdjacencyContext, into outbox: inout AdjacencyOutbox
    ) -> Bool {
        let ours = min(context.interface.mtu, Int(UInt16.max))
        let theirs = Int(description.interfaceMTU)
        // 0 is sent on virtual links, and by implementations that do not know the MTU.
        let disagrees = theirs != 0 && theirs != ours
        if disagrees, mismatchedMTU != theirs {
            mismatchedMTU = theirs
            outbox.append(.notice(.mtuMismatch(theirs: theirs, ours: ours)))
        }
        return theirs <= ours
    }

    /// ExStart: processes a description that may decide who is the master (RFC 2328 §10.6).
    private mutating func negotiate(
        _ description: DatabaseDescription, room: Int, in context: AdjacencyContext, _ database: LinkStateDatabase,
        into outbox: inout AdjacencyOutbox
    ) {
        recordFirstDescription(description)
        if description.flags.isSuperset(of: [.initialize, .more, .master]), description.headers.isEmpty,
            routerID > context.routerID
        {
            adjacency?.isMaster = false
            sequenceNumber = description.sequenceNumber
        } else if description.flags.isDisjoint(with: [.initialize, .master]),
            description.sequenceNumber == sequenceNumber, routerID < context.routerID
        {
            adjacency?.isMaster = true
        } else {
            return
        }
        options = description.options
        handle(.negotiationDone, in: context, database, into: &outbox)
        adjacency?.received = .init(description)
        adjacency?.progress = context.now
        if adjacency?.isMaster == true {
            accept(description, room: room, in: context, database, into: &outbox)
        } else {
            sendNextDescription(database, in: context, into: &outbox)
        }
    }

    private mutating func continueExchange(
        _ description: DatabaseDescription, room: Int, in context: AdjacencyContext, _ database: LinkStateDatabase,
        into outbox: inout AdjacencyOutbox
    ) {
        if adjacency?.received == .init(description) {
            return receiveRepetition(in: context, database, into: &outbox)
        }
        guard !isLate(description, in: context) else { return }
        recordFirstDescription(description)
        if let fault = fault(in: description) {
            return handle(.sequenceNumberMismatch, because: fault, in: context, database, into: &outbox)
        }
        adjacency?.received = .init(description)
        accept(description, room: room, in: context, database, into: &outbox)
    }

    /// The master ignores a repetition; the slave repeats its answer. RouterDeadInterval after its last answer, when the
    /// exchange is over, a repetition restarts the exchange instead (RFC 2328 §10.8).
    private mutating func receiveRepetition(
        in context: AdjacencyContext, _ database: LinkStateDatabase, into outbox: inout AdjacencyOutbox
    ) {
        guard let adjacency, !adjacency.isMaster, let answer = adjacency.sent else { return }
        let age = context.now - answer.sent
        if state != .exchange, age >= context.interface.deadInterval {
            let fault = NeighborFault.lateRepetition(after: age)
            return handle(.sequenceNumberMismatch, because: fault, in: context, database, into: &outbox)
        }
        // Our answer was lost, perhaps because of its size. It must be repeated as it was (RFC 2328 §10.8); later packets are
        // small.
        usesSmallPackets = true
        outbox.append(.send(.databaseDescription, answer.octets))
    }

    /// Records the sequence number with which the neighbor began its latest exchange.
    private mutating func recordFirstDescription(_ description: DatabaseDescription) {
        guard description.flags.contains(.initialize) else { return }
        firstDescriptionNumber = description.sequenceNumber
    }

    /// Accepts a description that is next in sequence (RFC 2328 §10.6, last part), and sends the next of ours.
    private mutating func accept(
        _ description: DatabaseDescription, room: Int, in context: AdjacencyContext, _ database: LinkStateDatabase,
        into outbox: inout AdjacencyOutbox
    ) {
        guard request(description.headers, room: room, in: context, database, into: &outbox) else { return }
        adjacency?.deadline = context.now + context.exchangePatience
        adjacency?.progress = context.now
        let isMaster = adjacency?.isMaster == true
        if isMaster {
            sequenceNumber &+= 1
        } else {
            sequenceNumber = description.sequenceNumber
            sendNextDescription(database, in: context, into: &outbox)
        }
        let isOver = !description.flags.contains(.more) && adjacency?.sent?.hasMore == false
        if isOver {
            if isMaster { adjacency?.sent = nil }
            handle(.exchangeDone, in: context, database, into: &outbox)
        } else if isMaster {
            sendNextDescription(database, in: context, into: &outbox)
        }
    }

    /// Adds the described LSAs that we lack to the link state request list (RFC 2328 §10.6). Returns `false` if a header has a
    /// reserved scope.
    private mutating func request(
        _ headers: [LSAHeader], room: Int, in context: AdjacencyContext, _ database: LinkStateDatabase,
        into outbox: inout AdjacencyOutbox
    ) -> Bool {
        var room = room
        for header in headers {
            guard header.key.type.scope != .reserved else {
                outbox.append(.rejected(.lsaScope))
                let fault = NeighborFault.reservedScope(header.key.type)
                handle(.sequenceNumberMismatch, because: fault, in: context, database, into: &outbox)
                return false
            }
            let key = context.databaseKey(header.key)
            if let entry = database[key], header.recency(comparedTo: entry.header(at: context.now)) != .newer {
                // The neighbor describes an LSA that was flushed here. Perhaps no other router floods the flush to the
                // neighbor, so we do.
                let isFlushed = entry.age(at: context.now) >= LSAHeader.maxAge && header.age < LSAHeader.maxAge
                // An LSA that was at MaxAge when the exchange began is in the retransmission list already, with a short delay.
                if isFlushed, adjacency?.retransmissions.contains(key) == false,
                    awaitAcknowledgment(of: key, after: context.interface.retransmitInterval, at: context.now)
                {
                    outbox.append(.unacknowledged([key], by: 1))
                }
                continue
            }
            if room > 0 || adjacency?.requests[header.key] != nil {
                adjacency?.requests.insert(header)
                room -= 1
            } else {
                outbox.append(.rejected(.limit))
                outbox.append(.databaseIsFull)
            }
        }
        return true
    }
}

extension Neighbor {
    /// How far back a sequence number may lie to count as late rather than wrong: more descriptions than can be under way, and
    /// so few of all 2³² numbers that a wrong one is hardly ever taken for late.
    private static let maximumLateness = 1000

    /// The sequence number of the neighbor's next description. A slave answers with the number of our description; a master
    /// increments its own.
    private var expectedSequenceNumber: UInt32 {
        adjacency?.isMaster == false ? sequenceNumber &+ 1 : sequenceNumber
    }

    /// Why a description that is not a repetition is not the next of the exchange (RFC 2328 §10.6); `nil` if it is.
    private func fault(in description: DatabaseDescription) -> NeighborFault? {
        if description.flags.contains(.initialize) { return .initBit }
        guard state == .exchange, let adjacency, let options = adjacency.received?.options else {
            return .exchangeOver
        }
        let claimsMaster = description.flags.contains(.master)
        if claimsMaster == adjacency.isMaster { return .masterBit(received: claimsMaster) }
        if description.options != options { return .options(expected: options, received: description.options) }
        if description.sequenceNumber != expectedSequenceNumber {
            return .sequenceNumber(expected: expectedSequenceNumber, received: description.sequenceNumber)
        }
        return nil
    }

    /// Whether a description is a late copy of one before the last: of the first one, or of an earlier part of the
    /// exchange. RFC 2328 §10.6 ignores only copies of the last one and restarts the exchange for any other; on a link
    /// slower than our retransmissions, exchanges would restart forever.
    private func isLate(_ description: DatabaseDescription, in context: AdjacencyContext) -> Bool {
        if description.flags.contains(.initialize) {
            // A copy of the first description of this exchange, or of an earlier one. A slave that restarted the exchange for it
            // would describe its database again under the number of a description that the master has already.
            // If the first description is still repeated when there was no progress for two retransmission intervals, the
            // copies are not late: the neighbor is in ExStart again.
            guard let first = firstDescriptionNumber, let progress = adjacency?.progress,
                (0...Self.maximumLateness).contains(Int(Int32(bitPattern: first &- description.sequenceNumber)))
            else { return false }
            return context.now - progress <= context.interface.retransmitInterval * 2
        }
        let distance = Int(Int32(bitPattern: expectedSequenceNumber &- description.sequenceNumber))
        return (2...Self.maximumLateness).contains(distance)
            && description.flags.contains(.master) != adjacency?.isMaster
    }
}
