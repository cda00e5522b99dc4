internal import Addressing
internal import Kubernetes
internal import Services
internal import Timing

extension ClusterView {
    /// Stores the usable pod ranges of a Node, the first of each family. If it has no usable ones, the last ones stay.
    /// Returns lines for the log.
    mutating func updateRanges(of node: Node) -> [String] {
        var ranges: [IPv6Prefix] = []
        var refused: [IPv6Prefix] = []
        for range in node.podCIDRs {
            let isSecond = ranges.contains { ($0.ipv4 == nil) == (range.ipv4 == nil) }
            if range.canBeOfPods, !isSecond { ranges.append(range) } else { refused.append(range) }
        }
        let problem = refused.first.map { first in
            let others = refused.count > 1 ? " and \(refused.count - 1) more" : ""
            return "podCIDRs of the Node: not announced: \(first)\(others): unusable, or second of its family"
        }
        var notices = [problem].compactMap { $0 == rangeProblem ? nil : $0 }
        rangeProblem = problem
        guard !ranges.isEmpty, ranges != podCIDRs else { return notices }
        if !podCIDRs.isEmpty {
            notices.append(
                "podCIDRs of the Node changed from \(podCIDRs.text) to \(ranges.text): pods with addresses of the old ranges "
                    + "are unreachable and must be restarted")
        }
        podCIDRs = ranges
        return notices
    }

    /// Stores the usable ranges of these ServiceCIDRs, the first ``mostServiceRanges`` in order.
    mutating func updateServiceRanges(_ objects: [ObjectKey: ServiceCIDR]) {
        let usable = Set(objects.values.flatMap(\.ranges).filter(\.canBeServiceRange))
        serviceRanges = Array(usable.sorted().prefix(Self.mostServiceRanges))
    }
}

extension [IPv6Prefix] {
    fileprivate var text: String { map(\.description).joined(separator: ", ") }
}

extension IPv6Prefix {
    /// Whether it can be the pod range of one node: routable, and not so short that it contains addresses of others: at
    /// least /32, or /8 for IPv4, which is /104 in the mapped form.
    fileprivate var canBeOfPods: Bool { address.isRoutable && length >= (ipv4 == nil ? 32 : 96 + 8) }
}
