import OSPFPacket
internal import Timing

/// Asking for LSAs, and answering (RFC 2328 §10.7, §10.9).
extension Router {
    /// LSAs sent in answer to one request packet; who wants more asks again.
    static let answersPerRequest = 1024

    /// Sees to it that every neighbour is asked for the next LSAs as soon as those asked for before have come, from
    /// it or from others.
    mutating func continueLoading(at now: Instant) {
        for position in interfaces.indices {
            for index in interfaces[position].neighbors.indices {
                let neighbor = interfaces[position].neighbors[index]
                switch neighbor.state {
                case .exchange where !neighbor.requests.isEmpty, .loading: sendRequests(position, index, at: now)
                default: break
                }
            }
        }
    }

    /// Asks for what was described and is missing, one packet at a time; ends Loading when nothing is.
    mutating func sendRequests(_ position: Int, _ index: Int, at now: Instant) {
        let neighbor = interfaces[position].neighbors[index]
        guard !neighbor.requests.isEmpty else {
            return neighborEvent(position, index, .loadingDone, at: now)
        }
        guard neighbor.requests.isIdle else { return }
        let capacity = LinkStateRequest.capacity(mtu: interfaces[position].configuration.mtu)
        let keys = interfaces[position].neighbors[index].requests.next(limit: capacity)
        sendRequest(for: keys, position, index, at: now)
    }

    mutating func repeatRequests(_ position: Int, _ index: Int, at now: Instant) {
        let keys = interfaces[position].neighbors[index].requests.again()
        sendRequest(for: keys, position, index, at: now)
    }

    private mutating func sendRequest(for keys: [LSAKey], _ position: Int, _ index: Int, at now: Instant) {
        let neighbor = interfaces[position].neighbors[index]
        interfaces[position].neighbors[index].requests.setDeadline(
            now + repetitionDelay(position, attempts: neighbor.requests.attempts))
        send(.linkStateRequest(LinkStateRequest(keys: keys)), on: position, to: neighbor.address)
    }

    /// An instance has come. It ends the request for it, unless a later one was described.
    mutating func satisfyRequest(with header: LSAHeader, _ position: Int, _ index: Int, at now: Instant) {
        guard interfaces[position].neighbors[index].requests.satisfy(with: header) else { return }
        // The exchange goes on as long as LSAs come.
        interfaces[position].neighbors[index].exchangeDeadline =
            now + interfaces[position].configuration.deadInterval * Self.exchangePatience
    }

    mutating func receive(_ request: LinkStateRequest, position: Int, _ index: Int, at now: Instant) {
        guard interfaces[position].neighbors[index].state >= .exchange else { return reject(.neighborState) }
        var keys: [DatabaseKey] = []
        var seen: Set<LSAKey> = []
        for wanted in request.keys.prefix(Self.answersPerRequest) where seen.insert(wanted).inserted {
            let key = databaseKey(wanted, on: position)
            guard database[key] != nil else {
                return neighborEvent(position, index, .badLinkStateRequest, because: .unknownLSA(wanted), at: now)
            }
            keys.append(key)
        }
        sendUpdates(keys, on: position, to: interfaces[position].neighbors[index].address, at: now)
    }
}
