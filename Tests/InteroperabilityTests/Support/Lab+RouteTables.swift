import Addressing
import ControlAPI
import Lab

/// A route as a router of any kind has calculated it, before it is in a kernel.
struct ComputedRoute: Hashable, CustomStringConvertible {
    var prefix: String
    /// `intra-area`, `inter-area`, `external-1` or `external-2`.
    var kind: String
    /// The cost of the whole path; for `external-2`, the metric of the announcer alone.
    var cost: Int
    var nextHops: Set<KernelRoute.NextHop>

    var description: String { "\(prefix) \(kind) \(cost) via \(nextHops.sorted())" }
}

extension Lab {
    /// The routes that a router has calculated, without those that have no gateway, such as those to its own prefixes.
    func computedRoutes(of name: String) throws -> Set<ComputedRoute> {
        let routes: [ComputedRoute] =
            switch try topology.node(name).router {
            case .meshd: try agentRoutes(of: name)
            case .frr: try frrRoutes(of: name)
            case .bird: try birdRoutes(of: name)
            case .bridge, .none: []
            }
        return Set(routes.filter { !$0.nextHops.isEmpty })
    }

    private func hop(_ gateway: String, _ device: String) -> KernelRoute.NextHop? {
        IPv6Address(gateway).flatMap { $0 == .unspecified ? nil : .init(gateway: $0, device: device) }
    }

    private func agentRoutes(of name: String) throws -> [ComputedRoute] {
        try list(Route.self, of: name).map { route in
            ComputedRoute(
                prefix: route.prefix, kind: route.kind, cost: route.metric,
                nextHops: Set(route.nextHops.compactMap { hop($0.address, $0.interface) }))
        }
    }

    /// Reads paragraphs of lines such as `Path Type: Intra-Area`, ended by next hops such as `fe80::1 cluster0`. (Not JSON,
    /// because there a route that is not the best has the same key as the best and may hide it.)
    private func frrRoutes(of name: String) throws -> [ComputedRoute] {
        var routes: [ComputedRoute] = []
        var isBest = false
        for line in try vtysh(name, "show ipv6 ospf6 route detail").split(separator: "\n") {
            let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            if line.hasPrefix("Destination: "), words.count == 2 {
                isBest = false
                routes.append(ComputedRoute(prefix: words[1], kind: "", cost: -1, nextHops: []))
            }
            guard let last = routes.indices.last else { continue }
            if line.hasPrefix("Lock: ") { isBest = words.last?.contains("B") == true }
            if line.hasPrefix("Path Type: ") { routes[last].kind = words[2].lowercased() }
            if line.hasPrefix("Metric: "), words.count == 3 {
                let isExternal2 = routes[last].kind == "external-2"
                routes[last].cost = Int(isExternal2 ? String(words[2].dropFirst().dropLast()) : words[1]) ?? -1
            }
            if isBest, line.hasPrefix("  "), words.count == 2, let hop = hop(words[0], words[1]) {
                routes[last].nextHops.insert(hop)
            }
        }
        return routes
    }

    /// Reads lines such as `2001:db8::/64  unicast [mesh 12:00:00.000] * E2 (150/10/7) [10.0.0.5]`, each followed by
    /// lines such as `via fe80::1 on cluster0 weight 1`.
    private func birdRoutes(of name: String) throws -> [ComputedRoute] {
        let kinds = ["I": "intra-area", "IA": "inter-area", "E1": "external-1", "E2": "external-2"]
        var routes: [ComputedRoute] = []
        for line in try birdc(name, "show route protocol mesh primary").split(separator: "\n") {
            let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            if words.count >= 4, words[0] == "via", !routes.isEmpty {
                if let hop = hop(words[1], words[3]) { routes[routes.count - 1].nextHops.insert(hop) }
            } else if let star = words.firstIndex(of: "*"), star + 2 < words.count, let kind = kinds[words[star + 1]] {
                let costs = words[star + 2].dropFirst().dropLast().split(separator: "/").compactMap { Int($0) }
                routes.append(ComputedRoute(prefix: words[0], kind: kind, cost: costs.last ?? -1, nextHops: []))
            }
        }
        return routes
    }
}
