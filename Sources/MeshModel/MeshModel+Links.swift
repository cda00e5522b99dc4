public import Addressing
internal import OSPF

/// A link of the mesh.
public struct ModelLink: Hashable, Sendable {
    /// A port on the link, and the cost of sending there.
    public struct End: Hashable, Sendable {
        public var port: PortID
        public var cost: UInt16
    }

    /// A point-to-point link has two; a segment has one for each router on it. By port.
    public var ends: [End]
    /// The designated router's port, if the link is a segment.
    public var designated: PortID?

    /// Whether it is a segment with a designated router.
    public var isSegment: Bool { designated != nil }

    /// The end at a router; `nil` if it has none.
    public func end(of router: RouterID) -> End? { ends.first { $0.port.router == router } }
}

extension MeshModel {
    /// All links that routes can use, each once: point-to-point links by their lower port, then segments.
    public mutating func allLinks() -> [ModelLink] {
        var cables: [ModelLink] = []
        var ends: [PortID: UInt16] = [:]
        var networks: Set<PortID> = []
        for router in routers {
            for link in links(of: router) {
                let port = PortID(router: router, interfaceID: link.interfaceID)
                switch link.peer {
                case .router: ends[port] = link.cost
                case .network(let designated, let interfaceID):
                    networks.insert(PortID(router: designated, interfaceID: interfaceID))
                }
            }
        }
        for router in routers {
            for link in links(of: router) {
                guard case .router(let peer, let interfaceID) = link.peer else { continue }
                let port = PortID(router: router, interfaceID: link.interfaceID)
                let other = PortID(router: peer, interfaceID: interfaceID)
                guard port < other else { continue }
                cables.append(
                    ModelLink(ends: [
                        ModelLink.End(port: port, cost: link.cost),
                        ModelLink.End(port: other, cost: ends[other] ?? link.cost),
                    ]))
            }
        }
        let segments = networks.sorted().map { network in
            let members = members(ofNetwork: network.router, interfaceID: network.interfaceID)
            return ModelLink(
                ends: members.map {
                    ModelLink.End(
                        port: PortID(router: $0.router, interfaceID: $0.interfaceID), cost: $0.cost)
                }.sorted { $0.port < $1.port }, designated: network)
        }
        return cables.sorted { $0.ends[0].port < $1.ends[0].port } + segments
    }
}
