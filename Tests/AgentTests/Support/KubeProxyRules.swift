/// Rules as kube-proxy makes them on one node, for TCP port 80 of load-balanced services that have all endpoints on one node.
/// With `externalTrafficPolicy: Local`, the address of a service without endpoints on the node is in the map
/// `no-endpoint-services` (nftables) or the chain `KUBE-EXTERNAL-SERVICES` (iptables), whose rules drop new connections.
struct KubeProxyRules {
    struct Service {
        var name: String
        /// The load balancer's address, IPv6 or IPv4.
        var address: String
        /// The address of the pod with port 8080.
        var endpoint: String
        /// Whether its policy is `Local`.
        var isLocal: Bool
    }

    var services: [Service]
    /// The ranges of the node's own pods.
    var podRanges: [String]
    /// Whether the endpoints are on this node.
    var hasEndpoints: Bool

    private static func isIPv6(_ address: String) -> Bool { address.contains(":") }
    private func podRange(_ isIPv6: Bool) -> String { podRanges.first { Self.isIPv6($0) == isIPv6 } ?? "" }
    private func target(_ service: Service) -> String {
        Self.isIPv6(service.endpoint) ? "[\(service.endpoint)]:8080" : "\(service.endpoint):8080"
    }

    /// Commands for `nft -f`.
    var nftables: String { table(isIPv6: true) + table(isIPv6: false) }

    private func table(isIPv6: Bool) -> String {
        let (family, type) = isIPv6 ? ("ip6", "ipv6_addr") : ("ip", "ipv4_addr")
        let services = services.filter { Self.isIPv6($0.address) == isIPv6 }
        let dropped = services.filter { $0.isLocal && !hasEndpoints }.map { "\($0.address) . tcp . 80 : drop" }
        let caught = services.map { "\($0.address) . tcp . 80 : goto external-\($0.name)" }
        func elements(_ list: [String]) -> String {
            list.isEmpty ? "" : "elements = { \(list.joined(separator: ", ")) }"
        }
        return """
            table \(family) kube-proxy {
              map no-endpoint-services { type \(type) . inet_proto . inet_service : verdict; \(elements(dropped)); }
              chain filter-prerouting { type filter hook prerouting priority dstnat - 10; ct state new jump firewall-check; }
              chain filter-input { type filter hook input priority -110; ct state new jump endpoints-check; }
              chain filter-forward { type filter hook forward priority -110; ct state new jump endpoints-check; }
              chain filter-output {
                type filter hook output priority -110;
                ct state new jump endpoints-check
                ct state new jump firewall-check
              }
              chain nat-prerouting { type nat hook prerouting priority dstnat; jump services; }
              chain nat-output { type nat hook output priority -100; jump services; }
              chain nat-postrouting { type nat hook postrouting priority srcnat; jump masquerading; }
              chain endpoints-check { \(family) daddr . meta l4proto . th dport vmap @no-endpoint-services; }
              chain firewall-check { }
              chain mark-for-masquerade { mark set mark or 0x4000; }
              chain masquerading {
                mark and 0x4000 == 0 return
                mark set mark xor 0x4000
                masquerade fully-random
              }
            \(services.map { chains($0, family) }.joined())
              map service-ips { type \(type) . inet_proto . inet_service : verdict; \(elements(caught)); }
              chain services { \(family) daddr . meta l4proto . th dport vmap @service-ips; }
            }

            """
    }

    private func chains(_ service: Service, _ family: String) -> String {
        let external =
            service.isLocal
            ? """
                \(family) saddr \(podRange(family == "ip6")) goto service-\(service.name)
                fib saddr type local jump mark-for-masquerade
                fib saddr type local goto service-\(service.name)
                \(hasEndpoints ? "goto local-\(service.name)" : "")
            """
            : """
                jump mark-for-masquerade
                goto service-\(service.name)
            """
        return """
              chain endpoint-\(service.name) {
                \(family) saddr \(service.endpoint) jump mark-for-masquerade
                meta l4proto tcp dnat to \(target(service))
              }
              chain service-\(service.name) { numgen random mod 1 vmap { 0 : goto endpoint-\(service.name) }; }
              chain local-\(service.name) { numgen random mod 1 vmap { 0 : goto endpoint-\(service.name) }; }
              chain external-\(service.name) {
            \(external)
              }

            """
    }

    /// The input of `iptables-restore` or `ip6tables-restore`.
    func iptables(isIPv6: Bool) -> String {
        let services = services.filter { Self.isIPv6($0.address) == isIPv6 }
        let dropped = services.filter { $0.isLocal && !hasEndpoints }.map {
            """
            -A KUBE-EXTERNAL-SERVICES -m comment --comment "default/\($0.name) has no local endpoints" -m tcp -p tcp -d \($0.address) --dport 80 -j DROP

            """
        }
        let chains = services.flatMap { service in
            ["KUBE-EXT", "KUBE-SVC", "KUBE-SVL", "KUBE-SEP"].map { "\($0)-\(service.name)" }
        }
        return """
            *filter
            :KUBE-FORWARD - [0:0]
            :KUBE-EXTERNAL-SERVICES - [0:0]
            -A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES
            -A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
            -A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES
            -A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
            -A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT
            -A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
            \(dropped.joined())COMMIT
            *nat
            :KUBE-SERVICES - [0:0]
            :KUBE-MARK-MASQ - [0:0]
            :KUBE-POSTROUTING - [0:0]
            \(chains.map { ":\($0) - [0:0]\n" }.joined())-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
            -A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
            -A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
            -A KUBE-MARK-MASQ -j MARK --or-mark 0x4000
            -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
            -A KUBE-POSTROUTING -j MARK --xor-mark 0x4000
            -A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
            \(services.map { rules($0, isIPv6: isIPv6) }.joined())COMMIT

            """
    }

    private func rules(_ service: Service, isIPv6: Bool) -> String {
        let name = service.name
        let external =
            service.isLocal
            ? """
            -A KUBE-EXT-\(name) -m comment --comment "pod traffic for external destinations" -s \(podRange(isIPv6)) -j KUBE-SVC-\(name)
            -A KUBE-EXT-\(name) -m comment --comment "masquerade LOCAL traffic" -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ
            -A KUBE-EXT-\(name) -m comment --comment "route LOCAL traffic" -m addrtype --src-type LOCAL -j KUBE-SVC-\(name)
            \(hasEndpoints ? "-A KUBE-EXT-\(name) -j KUBE-SVL-\(name)\n" : "")
            """
            : """
            -A KUBE-EXT-\(name) -m comment --comment "masquerade traffic for external destinations" -j KUBE-MARK-MASQ
            -A KUBE-EXT-\(name) -j KUBE-SVC-\(name)

            """
        return """
            -A KUBE-SERVICES -m comment --comment "default/\(name) loadbalancer IP" -m tcp -p tcp -d \(service.address) --dport 80 -j KUBE-EXT-\(name)
            \(external)-A KUBE-SVC-\(name) -m comment --comment "default/\(name)" -j KUBE-SEP-\(name)
            -A KUBE-SVL-\(name) -m comment --comment "default/\(name)" -j KUBE-SEP-\(name)
            -A KUBE-SEP-\(name) -m comment --comment "default/\(name)" -s \(service.endpoint) -j KUBE-MARK-MASQ
            -A KUBE-SEP-\(name) -m comment --comment "default/\(name)" -m tcp -p tcp -j DNAT --to-destination \(target(service))

            """
    }
}
