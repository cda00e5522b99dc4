import Addressing
import ShortestPath

/// One way a prefix is announced: by whom, how, and at which metric.
struct Candidate: Hashable, Comparable, Sendable {
    /// Which kind of path it would be.
    var kind: PathKind
    /// The router or network the prefix hangs on, the area border router, or the AS boundary router.
    var announcer: Vertex
    /// The announced metric; inter-area and external ones are below LSInfinity.
    var metric: UInt32
    /// Where an external prefix is to be sent instead of to the announcer; `::` for nowhere else.
    var forwardingAddress = IPv6Address.unspecified

    /// By kind first, so that the preferred kinds are looked at first.
    static func < (left: Candidate, right: Candidate) -> Bool {
        if left.kind != right.kind { return left.kind < right.kind }
        if left.announcer != right.announcer { return left.announcer < right.announcer }
        if left.metric != right.metric { return left.metric < right.metric }
        return left.forwardingAddress < right.forwardingAddress
    }
}

/// All candidates of a prefix, sorted, no two alike. What would take a walk through all of them is kept: the hash, and how
/// many have a forwarding address.
struct CandidateList: Hashable, Sendable {
    private(set) var candidates: [Candidate] = []
    private var sum = 0
    private var forwardedCount = 0

    /// Whether an external prefix among them is to be sent elsewhere than to its announcer.
    var hasForwardingAddress: Bool { forwardedCount > 0 }

    /// Whether several announce it as their own.
    var isShared: Bool {
        guard let first = candidates.first, first.kind == .intraArea else { return false }
        return candidates.contains { $0.kind == .intraArea && $0.announcer != first.announcer }
    }

    /// Whether the best of them may be another now. External ones depend on more vertices than their announcers.
    func depends(onChangesIn paths: ShortestPaths) -> Bool {
        candidates.contains { $0.kind > .interArea || paths.hasChanged($0.announcer) }
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

    /// Takes `candidate` out, which must be in it.
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
