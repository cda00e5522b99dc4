public import Addressing

/// The counters of a node, apart from those of its router.
public struct NodeCounters: Hashable, Sendable {
    /// The number of requests to read or change the kernel's routes that failed as a whole. Refusals of single changes do not
    /// count.
    public var kernelErrors: UInt64 = 0
    /// The number of times that a port which the router used went down, by the port's name; at most ``mostCounters`` names.
    public var portFlaps: [String: UInt64] = [:]
    /// The number of times that a neighbor left Full, by port and router ID; 0 from the first time that the neighbor is Full.
    /// At most ``mostCounters`` pairs.
    public var adjacencyLosses: [AdjacencyKey: UInt64] = [:]

    /// The maximum number of names or pairs that have a counter, because names of ports and router IDs of neighbors may change
    /// without end. Further ones are not counted.
    public static let mostCounters = 1024

    /// A neighbor on a port.
    public struct AdjacencyKey: Hashable, Sendable, Comparable {
        /// The port's name.
        public var port: String
        /// The neighbor's router ID.
        public var router: RouterID
        /// By port, then by router.
        public static func < (left: AdjacencyKey, right: AdjacencyKey) -> Bool {
            (left.port, left.router) < (right.port, right.router)
        }
    }

    mutating func portWentDown(_ name: String) {
        guard portFlaps.count < Self.mostCounters || portFlaps[name] != nil else { return }
        portFlaps[name, default: 0] += 1
    }

    /// A neighbor became Full. Its counter starts at 0, because Prometheus sees no increase in a series that starts at 1.
    mutating func becameFull(_ router: RouterID, on port: String) {
        let key = AdjacencyKey(port: port, router: router)
        if adjacencyLosses.count < Self.mostCounters, adjacencyLosses[key] == nil { adjacencyLosses[key] = 0 }
    }

    /// A neighbor left Full.
    mutating func leftFull(_ router: RouterID, on port: String) {
        let key = AdjacencyKey(port: port, router: router)
        guard adjacencyLosses.count < Self.mostCounters || adjacencyLosses[key] != nil else { return }
        adjacencyLosses[key, default: 0] += 1
    }
}
