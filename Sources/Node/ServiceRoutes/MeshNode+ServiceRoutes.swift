public import Addressing
internal import Links
internal import MeshConfiguration
internal import OSPF
public import Routing
internal import Services
public import Timing

// Service routes. When a process of this machine sends to a cluster IP, the kernel looks up a route before the rules of the
// service proxy translate the packet. Without any route to the address, the process gets “network is unreachable”. So where
// nothing else routes these addresses, the node does, through `lo`.

extension MeshNode {
    /// Wants service routes where they are needed, if what that depends on has changed.
    mutating func reviewServiceRoutes(at now: Instant) {
        guard serviceRoutes.takeReview() else { return }
        let (new, gone) = serviceRoutes.set(neededServiceRoutes, at: now)
        guard !new.isEmpty || !gone.isEmpty else { return }
        installer.setServiceRoutes(Set(serviceRoutes.wanted.keys))
        if !new.isEmpty {
            log(.notice, "service routes added, as nothing else routes these addresses: \(Self.text(new))")
        }
        if !gone.isEmpty { log(.notice, "service routes removed, as they are not needed any more: \(Self.text(gone))") }
    }

    private static func text(_ prefixes: [IPv6Prefix]) -> String {
        prefixes.map(\.description).joined(separator: ", ")
    }

    /// The ranges of cluster IPs, of the configuration or else of the cluster, and the address by which the agent reaches the API
    /// server, as far as no other route covers them.
    private var neededServiceRoutes: Set<IPv6Prefix> {
        var prefixes = configuration.kubernetes.serviceRanges ?? cluster?.serviceRanges ?? []
        // Without this route the agent might never learn the ranges. An address of the mesh is no cluster IP.
        if let server = environment.apiServer, !configuration.addressing.plan.base.contains(server) {
            prefixes.append(IPv6Prefix(host: server))
        }
        return Set(prefixes.filter { !isRouted($0) })
    }

    /// Whether other routes cover a prefix: a default route of others, a connected subnet, or routes of the mesh.
    private func isRouted(_ prefix: IPv6Prefix) -> Bool {
        let family: IPFamily = prefix.ipv4 == nil ? .ipv6 : .ipv4
        if foreignSigns.hasDefaultRoute(of: family) { return true }
        let isConnected = addresses.all.contains {
            ($0.address.ipv4 == nil) == (family == .ipv6)
                && IPv6Prefix($0.address, length: $0.prefixLength).contains(prefix)
        }
        if isConnected { return true }
        // Not by optional chaining, which copies the router.
        guard router != nil else { return false }
        let routes = router!.routeTable.routes
        // In the mapped form, a default route of IPv4 has the length 96.
        return ((family == .ipv6 ? 0 : 96)...prefix.length).contains {
            routes[IPv6Prefix(prefix.address, length: $0)] != nil
        }
    }

    /// The service routes that the node wants, each with its state in the kernel and the time since when it is wanted, in order.
    public var serviceRouteList: [(prefix: IPv6Prefix, state: RouteState, since: Instant)] {
        installer.fib.serviceRouteStates.compactMap { prefix, state in
            serviceRoutes.wanted[prefix].map { (prefix, state, $0) }
        }
    }
}
