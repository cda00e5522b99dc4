internal import Authentication
internal import ControlAPI
internal import Node
internal import OSPF
internal import Timing

extension AgentSnapshot {
    /// The keys, the routers heard, and the senders refused; never a secret.
    var authenticationList: [ControlAPI.Authentication] {
        let authentication = node.authentication
        var list = authentication.keyStates(at: now).map { key, state in
            ControlAPI.Authentication(
                kind: "key", key: Int(key.id), algorithm: key.algorithm.rawValue, state: state.rawValue)
        }
        for (key, peer) in authentication.peers.sorted(by: { $0.key < $1.key })
        where router?.hasNeighbor(key.router, on: key.interface) == true {
            var item = ControlAPI.Authentication(
                kind: "neighbor", key: peer.keyID.map(Int.init), state: peer.keyID == nil ? "without" : "authentic")
            item.interface = node.name(ofInterface: key.interface)
            item.address = "\(peer.address)"
            item.routerID = "\(key.router)"
            item.node = router?.hostname(of: key.router)
            item.age = age(since: peer.since)
            list.append(item)
        }
        for stranger in authentication.recentStrangers(at: now) {
            var item = ControlAPI.Authentication(kind: "refused", state: stranger.refusal.rawValue)
            item.interface = node.name(ofInterface: stranger.interface)
            item.address = "\(stranger.address)"
            item.routerID = "\(stranger.routerID)"
            item.age = age(since: stranger.first)
            item.packets = Int(stranger.packets)
            list.append(item)
        }
        return list
    }
}
