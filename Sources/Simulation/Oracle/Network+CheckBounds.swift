internal import OSPF

/// What must hold at any time, in rest or not.
extension Network {
    /// No queue holds more than there is to hold: what waits for an acknowledgment or to be sent is in the database, and
    /// what is asked for is in somebody's.
    mutating func checkBounds() {
        var largest = 0
        for node in nodes {
            let entries = node.router?.databaseSnapshot(at: localTime(of: node.index)).count ?? 0
            largest = max(largest, entries)
        }
        // A database may have shrunk since a neighbour described it.
        mostLSAs = max(mostLSAs, largest)
        for node in nodes {
            guard let router = node.router else { continue }
            for neighbor in router.neighborSnapshots
            where neighbor.retransmissionCount > mostLSAs || neighbor.requestCount > mostLSAs {
                report(
                    .bound,
                    "\(name(node.index)) has \(neighbor.retransmissionCount) LSAs unacknowledged by \(neighbor.routerID) and \(neighbor.requestCount) asked of it, of \(mostLSAs)"
                )
            }
            for interface in router.interfaceSnapshots where interface.queuedLSAs > mostLSAs {
                report(
                    .bound,
                    "\(name(node.index)) has \(interface.queuedLSAs) LSAs queued on \(interface.configuration.index), of \(mostLSAs)"
                )
            }
        }
    }
}
