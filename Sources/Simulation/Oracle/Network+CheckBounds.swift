internal import OSPF

/// What must hold at any time, in rest or not.
extension Network {
    /// Notes the size of a database, which may have shrunk or be gone when a neighbor asks for what it described.
    mutating func noteDatabaseSize(of node: Int) {
        let count = nodes[node].router?.databaseSnapshot(at: localTime(of: node)).count ?? 0
        mostLSAs = max(mostLSAs, count)
    }

    /// No queue is longer than possible: what waits for an acknowledgment or to be sent is in the database, and what is
    /// requested is in some database.
    mutating func checkBounds() {
        for node in nodes { noteDatabaseSize(of: node.index) }
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
