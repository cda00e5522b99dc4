internal import Addressing

// The order of the members of a group. The kernel divides the range of hashes among the members in their order (hash-threshold,
// RFC 2992), so a member in another place means other flows: the same members in another order move nearly all.

extension FIB {
    /// The wanted members in an order that moves few flows of a group with the members `current`: those that stay keep their
    /// relative order, new ones take the places of those that go, further new ones are last, in the order of `wanted`. Neither
    /// list has duplicates.
    static func arranged(_ wanted: [NextHop], like current: [NextHop]) -> [NextHop] {
        if current.isEmpty || wanted == current { return wanted }
        let kept = Set(wanted).intersection(current)
        var new = wanted.filter { !kept.contains($0) }[...]
        var result: [NextHop] = []
        result.reserveCapacity(wanted.count)
        for member in current {
            if kept.contains(member) {
                result.append(member)
            } else if let next = new.popFirst() {
                result.append(next)
            }
        }
        return result + new
    }

    /// Whether two lists without duplicates have the same members, in any order.
    static func areSame(_ left: [NextHop], _ right: [NextHop]) -> Bool {
        left.count == right.count && (left == right || Set(left) == Set(right))
    }
}
