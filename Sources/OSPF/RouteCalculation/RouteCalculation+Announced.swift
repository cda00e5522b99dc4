public import Addressing
public import ShortestPath

// The area as its LSAs describe it, to calculate as any router and not only as this one.

/// A link that both its ends announce (RFC 2328 §16.1 (2b)), as seen from one of them.
public struct AnnouncedLink: Hashable, Sendable {
    /// What is at the other end.
    public enum Peer: Hashable, Sendable {
        /// A router, with its interface ID.
        case router(RouterID, interfaceID: UInt32)
        /// A network, by its designated router and that router's interface ID.
        case network(RouterID, interfaceID: UInt32)
    }

    /// The interface ID of the router.
    public var interfaceID: UInt32
    /// The cost of sending on the interface.
    public var cost: UInt16
    /// The other end.
    public var peer: Peer
}

/// The routers and networks of an area as the vertices of a graph.
public struct AreaGraph: Sendable {
    /// The edges: one for all parallel links, at the lowest cost.
    public let graph: Graph
    /// The vertex of each router that has a router-LSA for IPv6.
    public let routers: [RouterID: Vertex]
}

extension RouteCalculation {
    /// The area as the database has it now.
    public mutating func areaGraph() -> AreaGraph {
        topology.updateGraph()
        var routers: [RouterID: Vertex] = [:]
        for index in topology.nodes.indices {
            let vertex = Vertex(rawValue: UInt32(index))
            let node = topology.nodes[index]
            guard topology.graph.contains(vertex), !node.name.isNetwork, node.isPresent else { continue }
            routers[node.name.router] = vertex
        }
        return AreaGraph(graph: topology.graph, routers: routers)
    }

    /// The links of a router that their other ends announce, too: by what they lead to, then by interface ID.
    public mutating func announcedLinks(of router: RouterID) -> [AnnouncedLink] {
        topology.updateGraph()
        guard let vertex = topology.vertex(named: .router(router)), topology[vertex].isPresent else { return [] }
        return topology[vertex].links.filter { $0.peer != nil }.map { link in
            let peer: AnnouncedLink.Peer =
                link.target.isNetwork
                ? .network(link.target.router, interfaceID: link.target.interfaceID)
                : .router(link.target.router, interfaceID: link.neighborInterfaceID)
            return AnnouncedLink(interfaceID: link.interfaceID, cost: link.cost, peer: peer)
        }
    }

    /// The routers on a network, each with its interface ID and cost there; without those whose router-LSA has no link to it.
    public mutating func announcedMembers(
        ofNetwork designatedRouter: RouterID, interfaceID: UInt32
    ) -> [(router: RouterID, interfaceID: UInt32, cost: UInt16)] {
        topology.updateGraph()
        let name = Topology.Name.network(designatedRouter, interfaceID: interfaceID)
        guard let network = topology.vertex(named: name) else { return [] }
        return topology[network].links.compactMap { link in
            guard let peer = link.peer, let back = topology[peer].links.first(where: { $0.target == name }) else {
                return nil
            }
            return (link.target.router, back.interfaceID, back.cost)
        }
    }

    /// What becomes of a packet.
    public enum Lookup: Hashable, Sendable {
        /// The root announces the prefix itself.
        case own(IPv6Prefix)
        /// The root sends the packet on.
        case routed(IPv6Prefix, Destination)
    }

    /// The longest prefix with a path that contains a prefix, or is it, as the root of the last run has it; `nil` without one.
    public func lookUp(_ wanted: IPv6Prefix) -> Lookup? {
        let address = wanted.address
        let shortest = address.ipv4 == nil ? 0 : 96
        var best = BestPath()
        var forwarding = ForwardingRoutes()
        for length in stride(from: wanted.length, through: shortest, by: -1) {
            let prefix = IPv6Prefix(address.masked(to: length), length: length)
            guard let group = prefixes.group(of: prefix) else { continue }
            if let destination = prefixes.groups[group].destination { return .routed(prefix, destination) }
            choose(prefixes.groups[group].list.candidates, using: &forwarding, into: &best)
            if best.isLocal { return .own(prefix) }
        }
        return nil
    }

    /// The first hops of the shortest paths to a router, as the root of the last run has them; none if it is unreachable.
    public func nextHops(to router: RouterID) -> [NextHop] {
        topology.vertex(named: .router(router)).map { nextHops(paths.firstHops(to: $0)) } ?? []
    }
}
