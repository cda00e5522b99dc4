internal import Addressing
internal import Timing

/// The senders whose packets are refused.
struct StrangerTable: Sendable {
    /// In the order in which they were first heard.
    private(set) var all: [Stranger] = []

    static let most = 32
    /// Strangers that have not been heard for this time are forgotten.
    static let lifetime = Duration.seconds(60)

    var isEmpty: Bool { all.isEmpty }

    /// Records a refused packet. Returns whether its sender is new.
    mutating func note(
        _ interface: UInt32, _ address: IPv6Address, _ routerID: RouterID, keyID: UInt16?,
        _ refusal: AuthenticationRefusal, at now: Instant
    ) -> Bool {
        var isNew = false
        let place: Int
        if let known = all.firstIndex(where: { $0.interface == interface && $0.address == address }) {
            place = known
        } else {
            all.removeAll { now - $0.last >= Self.lifetime }
            // The first ones stay, so that a flood of forged addresses does not hide them.
            guard all.count < Self.most else { return false }
            isNew = true
            place = all.count
            all.append(Stranger(interface: interface, address: address, routerID: routerID, refusal: refusal, at: now))
        }
        all[place].routerID = routerID
        all[place].keyID = keyID
        all[place].refusal = refusal
        all[place].last = now
        all[place].packets += 1
        return isNew
    }

    /// A packet from an address was accepted: it is no stranger.
    mutating func noteAcceptance(on interface: UInt32, from address: IPv6Address) {
        all.removeAll { $0.interface == interface && $0.address == address }
    }

    /// Those that were heard lately.
    func recent(at now: Instant) -> [Stranger] { all.filter { now - $0.last < Self.lifetime } }
}
