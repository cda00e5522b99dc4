internal import Addressing
internal import OSPF
internal import OSPFPacket

extension MeshNode {
    /// What has changed in an LSA, as text: `router-LSA of n2: link to n4 gone`.
    func text(of change: DatabaseChange) -> String {
        let author = shortName(change.key.advertisingRouter)
        let what: [String]
        switch (change.key.type, try? change.old?.body(), try? change.new?.body()) {
        case (.router, let old, let new): what = routerText(old, new)
        case (.network, let old, let new): what = networkText(old, new)
        default: what = prefixText(try? change.old?.body(), try? change.new?.body())
        }
        let shown = what.prefix(3).joined(separator: ", ") + (what.count > 3 ? " and \(what.count - 3) more" : "")
        let state = change.new == nil ? "gone" : change.old == nil ? "new" : "changed"
        return "\(change.key.type.name)-LSA of \(author)" + (shown.isEmpty ? " \(state)" : ": \(shown)")
    }

    private func routerText(_ old: LSABody?, _ new: LSABody?) -> [String] {
        guard case .router(let after)? = new else { return [] }
        var before = RouterLSA(options: after.options, links: [])
        if case .router(let known)? = old { before = known }
        var texts: [String] = []
        if before.options.contains(.r) != after.options.contains(.r) {
            texts.append(after.options.contains(.r) ? "takes transit traffic again" : "others shall route around it")
        }
        struct Identity: Hashable {
            var router: RouterID
            var own: UInt32
            var theirs: UInt32
        }
        func links(_ body: RouterLSA) -> [Identity: UInt16] {
            Dictionary(
                body.links.map {
                    (
                        Identity(router: $0.neighborRouterID, own: $0.interfaceID, theirs: $0.neighborInterfaceID),
                        $0.metric
                    )
                }, uniquingKeysWith: { min($0, $1) })
        }
        let (one, other) = (links(before), links(after))
        func sorted(_ identities: some Sequence<Identity>) -> [Identity] {
            identities.sorted { ($0.router, $0.own, $0.theirs) < ($1.router, $1.own, $1.theirs) }
        }
        for link in sorted(one.keys) where other[link] == nil { texts.append("link to \(shortName(link.router)) gone") }
        for link in sorted(other.keys) where one[link] == nil { texts.append("link to \(shortName(link.router)) new") }
        // A stub router changes all its costs.
        guard texts.first?.contains("transit") != true, after.options.contains(.r) else { return texts }
        for link in sorted(other.keys) {
            guard let cost = one[link], cost != other[link]! else { continue }
            texts.append("cost of the link to \(shortName(link.router)) \(cost) → \(other[link]!)")
        }
        return texts
    }

    private func networkText(_ old: LSABody?, _ new: LSABody?) -> [String] {
        guard case .network(let after)? = new, case .network(let before)? = old else { return [] }
        let (one, other) = (Set(before.attachedRouters), Set(after.attachedRouters))
        return one.subtracting(other).sorted().map { "\(shortName($0)) gone" }
            + other.subtracting(one).sorted().map { "\(shortName($0)) new" }
    }

    private func prefixText(_ old: LSABody?, _ new: LSABody?) -> [String] {
        let (before, after) = (Self.prefixes(of: old), Self.prefixes(of: new))
        return before.keys.filter { after[$0] == nil }.sorted().map { "\($0) withdrawn" }
            + after.keys.filter { before[$0] == nil }.sorted().map { "\($0) announced" }
            + after.keys.filter { before[$0] != nil && before[$0] != after[$0] }.sorted().map {
                "metric of \($0) \(before[$0]!) → \(after[$0]!)"
            }
    }

    static func prefixes(of body: LSABody?) -> [IPv6Prefix: UInt32] {
        let list: [(IPv6Prefix, UInt32)]
        switch body {
        case .intraAreaPrefix(let body): list = body.prefixes.map { ($0.prefix, UInt32($0.metric)) }
        case .ipv4Prefix(let body): list = body.prefixes.map { ($0.prefix, UInt32($0.metric)) }
        case .asExternal(let body): list = [(body.prefix.prefix, body.metric)]
        case .interAreaPrefix(let body): list = [(body.prefix.prefix, body.metric)]
        default: list = []
        }
        return Dictionary(list, uniquingKeysWith: { min($0, $1) })
    }
}
