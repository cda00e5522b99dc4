import Addressing
import ShortestPath

/// One announcement of a prefix: its kind, announcer and metric.
struct Candidate: Hashable, Comparable, Sendable {
    /// The kind of a path to the prefix through the announcer.
    var kind: PathKind
    /// The router or network that the prefix belongs to (intra-area), the area border router (inter-area), or the AS boundary
    /// router (external).
    var announcer: Vertex
    /// The announced metric; inter-area and external ones are below LSInfinity.
    var metric: UInt32
    /// The address to which packets are sent instead of to the announcer, for external prefixes only; `::` for none.
    var forwardingAddress = IPv6Address.unspecified

    /// By kind first, so that the preferred kinds come first.
    static func < (left: Candidate, right: Candidate) -> Bool {
        if left.kind != right.kind { return left.kind < right.kind }
        if left.announcer != right.announcer { return left.announcer < right.announcer }
        if left.metric != right.metric { return left.metric < right.metric }
        return left.forwardingAddress < right.forwardingAddress
    }
}

/// All candidates of a prefix, sorted, without duplicates. A list can have thousands of candidates and changes by one at a
/// time, so its hash and ``hasForwardingAddress`` are updated rather than found by a pass over all candidates.
struct CandidateList: Hashable, Sendable {
    private(set) var candidates: [Candidate] = []
    /// The sum of the candidates' hashes, as the hash of the list.
    private var sum = 0
    /// The number of candidates with a forwarding address.
    private var forwardedCount = 0

    /// Whether an external candidate has a forwarding address.
    var hasForwardingAddress: Bool { forwardedCount > 0 }

    /// Whether several routers or networks announce the prefix as an intra-area prefix.
    var isShared: Bool {
        guard let first = candidates.first, first.kind == .intraArea else { return false }
        return candidates.contains { $0.kind == .intraArea && $0.announcer != first.announcer }
    }

    /// Whether the best path may have changed with the distances and first hops of vertices. External candidates depend on
    /// more vertices than their announcers (forwarding addresses, border routers), so they always count as changed.
    func depends(onChangesIn paths: ShortestPaths, _ distances: DistanceTable) -> Bool {
        candidates.contains {
            $0.kind > .interArea || paths.hasChanged($0.announcer) || distances.hasChanged($0.announcer)
        }
    }

    func contains(_ candidate: Candidate) -> Bool {
        let place = place(of: candidate)
        return place < candidates.count && candidates[place] == candidate
    }

    /// Adds `candidate`, which must not be in it yet.
    mutating func add(_ candidate: Candidate) {
        candidates.insert(candidate, at: place(of: candidate))
        sum &+= candidate.hashValue
        if !candidate.forwardingAddress.isUnspecified { forwardedCount += 1 }
    }

    /// Removes `candidate`, which must be in it.
    mutating func remove(_ candidate: Candidate) {
        precondition(contains(candidate), "no such candidate")
        candidates.remove(at: place(of: candidate))
        sum &-= candidate.hashValue
        if !candidate.forwardingAddress.isUnspecified { forwardedCount -= 1 }
    }

    /// The list with `candidate`, which must not be in it yet.
    func adding(_ candidate: Candidate) -> CandidateList {
        var result = self
        result.add(candidate)
        return result
    }

    /// The list without `candidate`, which must be in it.
    func removing(_ candidate: Candidate) -> CandidateList {
        var result = self
        result.remove(candidate)
        return result
    }

    private func place(of candidate: Candidate) -> Int { candidates.partitioningIndex { !($0 < candidate) } }

    static func == (left: CandidateList, right: CandidateList) -> Bool {
        left.sum == right.sum && left.candidates == right.candidates
    }

    func hash(into hasher: inout Hasher) { hasher.combine(sum) }
}
