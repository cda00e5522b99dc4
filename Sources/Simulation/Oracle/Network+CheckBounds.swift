internal import OSPF

/// What must hold at any time, at rest or not.
extension Network {
    /// Updates ``mostLSAs``. A neighbor may still request LSAs when the database that had them has shrunk or is gone.
    mutating func noteDatabaseSize(of node: Int) {
        let count = nodes[node].router?.databaseSnapshot(at: localTime(of: node)).count ?? 0
        mostLSAs = max(mostLSAs, count)
    }

    /// No queue is longer than the largest database so far: LSAs that wait to be sent or acknowledged are in the database of
    /// the router, and requested ones are, or were, in that of a neighbor.
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
