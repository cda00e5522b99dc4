internal import Addressing
internal import Authentication
internal import BFD
internal import ControlAPI
internal import MeshConfiguration
internal import Node
internal import OSPF
internal import Timing

extension AgentSnapshot {
    /// The policies, the keys, the routers heard, the senders refused, and the keys of BFD; never a secret.
    var authenticationList: [ControlAPI.Authentication] {
        authenticationPolicies + authenticationKeys + authenticatedNeighbors + refusedSenders + sessionKeys
    }

    /// The policy of the node, and those of ports that have another one.
    private var authenticationPolicies: [ControlAPI.Authentication] {
        let general = configuration.authentication.policy
        var first = ControlAPI.Authentication(kind: "policy", state: general.rawValue)
        first.file = configuration.authentication.keyFile
        return [first]
            + interfaces.activePorts.sorted().compactMap { index in
                let policy = node.authenticationPolicy(on: index)
                guard policy != general else { return nil }
                var item = ControlAPI.Authentication(kind: "policy", state: policy.rawValue)
                item.interface = name(ofInterface: index)
                return item
            }
    }

    private var authenticationKeys: [ControlAPI.Authentication] {
        let second = node.authentication.second(at: now)
        return node.authentication.keyStates(at: now).map { key, state in
            var item = ControlAPI.Authentication(
                kind: "key", key: Int(key.id), algorithm: key.algorithm.rawValue, state: state.rawValue)
            item.file = configuration.authentication.keyFile
            item.send = key.sending.described(at: second)
            item.accept = key.acceptance.described(at: second)
            return item
        }
    }

    private var authenticatedNeighbors: [ControlAPI.Authentication] {
        let authentication = node.authentication
        return authentication.peers.sorted { $0.key < $1.key }.compactMap { key, peer in
            guard router?.hasNeighbor(key.router, on: key.interface) == true else { return nil }
            var item = ControlAPI.Authentication(
                kind: "neighbor", key: peer.keyID.map(Int.init),
                algorithm: authentication.chain.keys.first { $0.id == peer.keyID }?.algorithm.rawValue,
                state: peer.keyID == nil ? "without" : "authentic")
            item.interface = name(ofInterface: key.interface)
            item.address = "\(peer.address)"
            item.routerID = "\(key.router)"
            item.node = name(of: key.router)
            item.age = age(since: peer.since)
            return item
        }
    }

    private var refusedSenders: [ControlAPI.Authentication] {
        node.authentication.recentStrangers(at: now).map { stranger in
            var item = ControlAPI.Authentication(
                kind: "refused", key: stranger.keyID.map(Int.init), state: stranger.refusal.rawValue)
            item.interface = name(ofInterface: stranger.interface)
            item.address = "\(stranger.address)"
            item.routerID = "\(stranger.routerID)"
            item.node = name(of: stranger.routerID)
            item.age = age(since: stranger.first)
            item.lastHeard = age(since: stranger.last)
            item.packets = Int(clamping: stranger.packets)
            return item
        }
    }

    /// The keys of BFD, by neighbor.
    private var sessionKeys: [ControlAPI.Authentication] {
        (router?.neighborSnapshots ?? []).compactMap { neighbor in
            guard let rule = interfaces.ports[neighbor.interface]?.rule.bfd?.authentication else { return nil }
            var item = ControlAPI.Authentication(
                kind: "bfd", key: Int(rule.id), algorithm: rule.type.text,
                state: session(of: neighbor)?.state ?? "no session")
            item.file = rule.keyFile
            item.interface = name(ofInterface: neighbor.interface)
            item.address = "\(neighbor.address)"
            item.routerID = "\(neighbor.routerID)"
            item.node = name(of: neighbor.routerID)
            return item
        }
    }
}

extension AuthenticationKey.Validity {
    /// The period for the API, at a second of the wall clock, which is `nil` if the clock is not set.
    fileprivate func described(at second: Int64?) -> ControlAPI.Authentication.Period {
        var period = ControlAPI.Authentication.Period(
            from: from.map(UTC.text), until: until.map(UTC.text), state: "valid", seconds: nil)
        guard from != nil || until != nil else { return period }
        switch second.map(phase(at:)) {
        case .early(let seconds): (period.state, period.seconds) = ("early", Double(seconds))
        case .valid(let seconds): period.seconds = seconds.map(Double.init)
        case .over(let seconds): (period.state, period.seconds) = ("over", Double(seconds))
        case nil: period.state = "unknown"
        }
        return period
    }
}
