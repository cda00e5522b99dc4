internal import Addressing
public import Authentication
internal import MeshConfiguration
internal import OSPF
internal import Timing

/// Authentication of OSPF packets, between the ports and the router.
extension MeshNode {
    /// Whether packets on a port must be authentic.
    public func authenticationPolicy(on interface: UInt32) -> AuthenticationPolicy {
        // Without keys there is none, and nothing to look up for each packet.
        if authentication.chain.isEmpty { return .off }
        return interfaces.ports[interface]?.rule.authentication ?? configuration.authentication.policy
    }

    mutating func receive(
        _ octets: [UInt8], on interface: UInt32, from source: IPv6Address, to destination: IPv6Address, at now: Instant
    ) {
        let policy = authenticationPolicy(on: interface)
        let lifetime = policy == .off ? .zero : interfaces.ports[interface]?.rule.dead ?? .seconds(4)
        let opened = authentication.open(
            octets, policy: policy, on: interface, from: source, to: destination,
            lifetime: lifetime, at: now)
        if authentication.hasNews { tellAuthenticationNews(at: now) }
        guard let opened else { return }
        notifyRouter(.packet(interface: interface, source: source, destination: destination, octets: opened), at: now)
    }

    /// Sends a packet of the router.
    mutating func send(
        _ octets: [UInt8], on interface: UInt32, from source: IPv6Address, to destination: IPv6Address, at now: Instant
    ) {
        let policy = authenticationPolicy(on: interface)
        if let sealed = authentication.seal(
            octets, policy: policy, on: interface, from: source, to: destination, at: now)
        {
            packets.append(.send(interface: interface, source: source, destination: destination, octets: sealed))
        }
        guard policy != .off else { return }
        if authentication.needsReservation { mustSettle = true }
        if authentication.hasNews { tellAuthenticationNews(at: now) }
    }

    /// Has sequence numbers reserved on disk, if few are left.
    mutating func reserveSequenceNumbers() {
        if let end = authentication.takeReservation() { save(.authenticationSequence(end)) }
    }

    mutating func setClock(_ time: Duration, at now: Instant) {
        authentication.setClock(time, at: now)
        if authentication.hasNews { tellAuthenticationNews(at: now) }
    }

    mutating func tellAuthenticationNews(at now: Instant) {
        for news in authentication.takeNews() {
            switch news {
            case .keys(let added, let removed, let changed):
                let parts = [(added, "added"), (removed, "removed"), (changed, "changed")].filter { !$0.0.isEmpty }
                    .map { ids, what in ids.map { "key \($0) \(what)" }.joined(separator: ", ") }
                let file = configuration.authentication.keyFile.map { "key file \($0) read" } ?? "no key file any more"
                log(.info, "\(file): \(parts.joined(separator: ", "))")
            case .acceptance(let key, let isAccepted):
                log(
                    .info,
                    "\(key) is \(isAccepted ? "accepted from now on" : "no longer accepted")\(reason(key.acceptance, at: now))"
                )
            case .sending(let key, isValid: true):
                log(.info, "\(key) is now used to send OSPF packets\(reason(key.sending, at: now))")
            case .following(let key, let interface):
                log(
                    .info,
                    "\(key) is now used to send OSPF packets on \(name(ofInterface: interface)), as a neighbor does (the clock is not set)"
                )
            case .sending(let key, isValid: false):
                log(.warning, "no key is valid for sending; OSPF packets are still sent with \(key)")
            case .peer(let peer, let keyID, let before, let isNew):
                let who = "\(label(of: peer.router)) on \(name(ofInterface: peer.interface))"
                let with = keyID.map { "with key \($0)" } ?? "without a valid authentication trailer"
                let was = isNew ? "" : " (before: \(before.map { "with key \($0)" } ?? "without"))"
                log(isNew && keyID != nil ? .info : .notice, "packets of \(who) come \(with)\(was)")
            case .stranger: break
            }
        }
        problems.noteChange(at: now)
        mustSettle = true
    }

    /// What a period of a key has to do with a change of its use, in parentheses; empty if it has no end on that side.
    private func reason(_ period: AuthenticationKey.Validity, at now: Instant) -> String {
        guard let second = authentication.second(at: now) else {
            return period == .init() ? "" : " (the clock is not set)"
        }
        switch period.phase(at: second) {
        case .early: return period.from.map { " (valid from \(UTC.text($0)))" } ?? ""
        case .valid: return period.from.map { " (valid since \(UTC.text($0)))" } ?? ""
        case .over: return period.until.map { " (valid until \(UTC.text($0)))" } ?? ""
        }
    }

    // MARK: Problems

    /// Whether packets of a router on a port are refused, so that the port is not silent.
    func refusesRouter(on interface: UInt32, at now: Instant) -> Bool {
        authentication.recentStrangers(at: now).contains { $0.interface == interface }
    }

    func authenticationProblems(at now: Instant) -> [Problem] {
        guard configuration.authentication.keyFile != nil || !authentication.strangers.isEmpty else { return [] }
        var found: [Problem] = []
        if let (key, isValid) = authentication.sendingKey, !isValid {
            found.append(
                Problem(
                    .authenticationKey, "",
                    "no key of OSPF packets is valid for sending, \(key) is still used although its time is over or has not come",
                    remedy: "add a key to \(configuration.authentication.keyFile ?? "the key file") on all nodes"))
        }
        if authentication.lacksClock {
            found.append(
                Problem(
                    .clockNotSet, "",
                    "the clock is not set, so the times of keys cannot be judged: all keys are accepted, and packets are sent with those of the neighbors",
                    remedy: "set the clock (timedatectl, an NTP client, the battery of the mainboard)"))
        }
        let strangers = Dictionary(grouping: authentication.recentStrangers(at: now), by: \.interface)
        for (interface, all) in strangers.sorted(by: { $0.key < $1.key }) {
            found.append(problem(of: all, on: interface))
        }
        for (peer, state) in authentication.peers.sorted(by: { $0.key < $1.key })
        where state.keyID == nil && router?.hasNeighbor(peer.router, on: peer.interface) == true {
            let port = name(ofInterface: peer.interface)
            found.append(
                Problem(
                    .unauthenticRouter, "\(label(of: peer.router)) on \(port)",
                    "\(label(of: peer.router)) on \(port) comes without a valid key, and is accepted because auth.required is false",
                    remedy: "give it the key", since: state.since))
        }
        return found
    }

    /// The one problem of all strangers on a port.
    private func problem(of strangers: [Stranger], on interface: UInt32) -> Problem {
        let first = strangers[0]
        let port = name(ofInterface: interface)
        let more = strangers.count > 1 ? " and \(strangers.count - 1) more" : ""
        let who = label(of: first.routerID)
        let isNeighbor = first.isAlsoNeighbor && router?.hasNeighbor(first.routerID, on: interface) == true
        let remedy =
            switch first.refusal {
            case .noKeyHere:
                "this node does not: give it the key (auth.keys), and remove auth: off from the rule of \(port)"
            case .invalidKey: "compare the clocks of both nodes, and the times of the key; see meshctl auth"
            case .missing, .malformed, .type, .unknownKey, .digest, .replay:
                isNeighbor
                    ? "they were damaged on the way, or somebody else sends them, or it has other keys; see meshctl auth"
                    : "give it the key if it belongs to the mesh; see meshctl auth"
            }
        let text =
            isNeighbor
            ? "packets \(first.manner) from the address of the neighbor \(who) on \(port) are refused: \(first.address)"
            : "a router \(first.manner) on \(port) is refused: \(first.address), router ID \(who)"
        return Problem(.unauthenticRouter, port, text + more, remedy: remedy, since: first.first)
    }
}

extension Stranger {
    /// How its last packet came, as text.
    fileprivate var manner: String {
        switch refusal {
        case .missing: "without our key"
        case .malformed: "with a malformed authentication trailer"
        case .type: "with an unknown authentication type"
        case .unknownKey: "with key \(keyID ?? 0) (which we do not have)"
        case .invalidKey: "with key \(keyID ?? 0) (which is not valid now)"
        case .digest: "with a wrong key"
        case .replay: "that repeats old packets"
        case .noKeyHere: "that authenticates its packets"
        }
    }
}
