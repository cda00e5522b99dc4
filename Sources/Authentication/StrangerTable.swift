internal import Addressing
internal import Timing

/// The senders whose packets are refused.
struct StrangerTable: Sendable {
    /// In the order in which they were first heard.
    private(set) var all: [Stranger] = []

    /// The maximum number on all interfaces and on one, so that a flood of forged addresses on one hides nobody on another.
    static let most = 256
    static let mostOnAnInterface = 16
    /// A stranger that has not been heard for this time is forgotten: far more than the usual hello intervals.
    static let lifetime = Duration.seconds(120)
    /// A neighbor of whose packets fewer were refused is none: they were damaged on the way.
    static let fewestOfANeighbor: UInt64 = 3

    var isEmpty: Bool { all.isEmpty }

    /// Records a refused packet. `isNeighbor` is whether packets from the address are accepted, too. Returns whether people should know of
    /// it now, and did not before.
    mutating func note(
        _ interface: UInt32, _ address: IPv6Address, _ routerID: RouterID, keyID: UInt16?,
        _ refusal: AuthenticationRefusal, isNeighbor: Bool, at now: Instant
    ) -> Bool {
        // One that was quiet for long enough is another when it comes back.
        all.removeAll { $0.isForgotten(at: now) }
        let place: Int
        if let known = all.firstIndex(where: { $0.interface == interface && $0.address == address }) {
            place = known
        } else {
            // The first ones stay, so that a flood of forged addresses does not hide them.
            guard all.count < Self.most, all.count(where: { $0.interface == interface }) < Self.mostOnAnInterface
            else { return false }
            place = all.count
            all.append(Stranger(interface: interface, address: address, routerID: routerID, refusal: refusal, at: now))
        }
        let wasKnown = all[place].packets > 0 && all[place].isNotable
        all[place].routerID = routerID
        all[place].keyID = keyID
        all[place].refusal = refusal
        all[place].last = now
        all[place].packets += 1
        if isNeighbor { all[place].isAlsoNeighbor = true }
        all[place].quietTime = Self.lifetime
        return !wasKnown && all[place].isNotable
    }

    /// A packet from an address was accepted. It was a stranger that has the key now, and is forgotten after a dead interval; unless packets are
    /// refused and accepted by turns.
    mutating func noteAcceptance(on interface: UInt32, from address: IPv6Address, lifetime: Duration) {
        guard let place = all.firstIndex(where: { $0.interface == interface && $0.address == address }),
            !all[place].isAlsoNeighbor
        else { return }
        all[place].quietTime = lifetime
    }

    /// Those that were heard lately, and are no neighbors with a few damaged packets.
    func recent(at now: Instant) -> [Stranger] { all.filter { $0.isNotable && !$0.isForgotten(at: now) } }
}
