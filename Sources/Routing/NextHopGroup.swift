/// What a next-hop group consists of.
public struct NextHopGroup: Hashable, Sendable, ExpressibleByArrayLiteral {
    /// The next-hop objects among which flows are divided, in the kernel's order.
    public var members: [NextHopID]
    /// The object that gets all flows when the only member goes (RFC 5286). Linux has no such thing: it is one more member,
    /// whose weight is 1 beside 65,535. So a flow in 65,536 takes it always.
    public var backup: NextHopID?
    /// Whether the kernel remembers the member of each flow, so that only flows of a member that goes move. A group cannot
    /// become resilient or stop being it.
    public var isResilient: Bool

    /// All objects in the group.
    public var objects: [NextHopID] { members + (backup.map { [$0] } ?? []) }

    public init(_ members: [NextHopID], backup: NextHopID? = nil, isResilient: Bool = false) {
        self.members = members
        self.backup = backup
        self.isResilient = isResilient
    }

    /// Makes a plain group without a backup.
    public init(arrayLiteral members: NextHopID...) { self.init(members) }
}
