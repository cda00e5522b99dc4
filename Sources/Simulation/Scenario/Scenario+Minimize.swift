internal import Addressing
internal import OSPF

extension Scenario {
    /// A scenario that still fails with fewer steps: leaves steps out, many at a time first, as long as `stillFails` is true.
    ///
    /// - Parameter attempts: how many runs it may take, at most.
    public func minimized(attempts: Int = 400, stillFails: (Scenario) -> Bool) -> Scenario {
        var best = self
        var remaining = attempts
        var size = max(1, script.count / 2)
        while size >= 1, remaining > 0 {
            var start = 0
            var hasShrunk = false
            while start < best.script.count, remaining > 0 {
                var candidate = best
                candidate.script.removeSubrange(start..<min(best.script.count, start + size))
                remaining -= 1
                if stillFails(candidate) {
                    best = candidate
                    hasShrunk = true
                } else {
                    start += size
                }
            }
            if size == 1, !hasShrunk { break }
            size = max(1, size / 2)
        }
        return best
    }
}

extension Scenario: CustomStringConvertible {
    /// Title, network and script, for people.
    public var description: String {
        var lines = [
            "seed \(seed): \(title): \(plan.nodes.count) nodes, \(plan.links.count) links, \(script.count) steps"
        ]
        for (index, node) in plan.nodes.enumerated() {
            lines.append("  n\(index) \(node.routerID) \(node.prefixes.map(\.prefix.description).prefix(4))")
        }
        for (index, link) in plan.links.enumerated() {
            let ends = link.ends.map { "n\($0.node)/\($0.kind.rawValue)/\($0.cost)/\($0.priority)" }
            lines.append("  link \(index) \(link.isSegment ? "segment" : "cable") \(ends) \(link.quality)")
        }
        for step in script { lines.append("  \(step.time) \(step.action.summary)") }
        return lines.joined(separator: "\n")
    }
}

extension Action {
    /// The action; of more than two prefixes, their number and the first.
    var summary: String {
        switch self {
        case .announce(let node, let prefixes) where prefixes.count > 2:
            "announce(node: \(node), \(prefixes.count) prefixes from \(prefixes[0].prefix))"
        case .withdraw(let node, let prefixes) where prefixes.count > 2:
            "withdraw(node: \(node), \(prefixes.count) prefixes from \(prefixes[0]))"
        case .announce(let node, let prefixes):
            "announce(node: \(node), \(prefixes.map { "\($0.prefix) metric \($0.metric)" }))"
        case .withdraw(let node, let prefixes): "withdraw(node: \(node), \(prefixes.map(\.description)))"
        default: "\(self)"
        }
    }
}
