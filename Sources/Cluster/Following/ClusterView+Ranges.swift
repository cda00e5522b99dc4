internal import Addressing
internal import Kubernetes
internal import Services
internal import Timing

extension ClusterView {
    /// Takes in the ranges that a Node gives its pods, as far as they can be such. Where it gives none, those that it gave
    /// last stay. What people should be told.
    mutating func takeRanges(of node: Node) -> [String] {
        var ranges: [IPv6Prefix] = []
        var refused: [IPv6Prefix] = []
        for range in node.podCIDRs {
            let isSecond = ranges.contains { ($0.ipv4 == nil) == (range.ipv4 == nil) }
            if range.canBeOfPods, !isSecond { ranges.append(range) } else { refused.append(range) }
        }
        let problem = refused.first.map { first in
            let others = refused.count > 1 ? " and \(refused.count - 1) more" : ""
            return "podCIDRs of the Node: \(first)\(others) cannot be of pods, or not besides another; not announced"
        }
        var notices = [problem].compactMap { $0 == rangeProblem ? nil : $0 }
        rangeProblem = problem
        guard !ranges.isEmpty, ranges != podCIDRs else { return notices }
        if !podCIDRs.isEmpty {
            notices.append(
                "podCIDRs of the Node were \(podCIDRs.text) and are \(ranges.text) now: pods that have addresses of the "
                    + "former are not reached any more and must be started again")
        }
        podCIDRs = ranges
        return notices
    }
}

extension [IPv6Prefix] {
    fileprivate var text: String { map(\.description).joined(separator: ", ") }
}

extension IPv6Prefix {
    /// Whether one node's pods can have it: no part of the world that others have their addresses in, and none that is not
    /// routed.
    fileprivate var canBeOfPods: Bool { address.isRoutable && length >= (ipv4 == nil ? 32 : 96 + 8) }
}
