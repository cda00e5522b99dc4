import Addressing
import OSPFPacket
import Timing

@testable import OSPF

/// A small area that changes at random. What its routers would originate (`intended()`) and what the database has (`area`)
/// differ: a change reaches the database LSA by LSA, so links that only one end has and references to missing LSAs are
/// frequent.
struct RandomArea {
    struct End { var router: RouterID, interface: UInt32, cost: UInt16 }
    struct Cable { var a: End, b: End, isUp = true }
    /// `designated` is the index of the designated router in `members`; `hasPrefix`: whether it announces a prefix for the
    /// segment.
    struct Segment { var members: [End], designated = 0, hasPrefix = true }

    var random: SplitMix64
    var area: Area
    let isBackbone: Bool
    let count: UInt32
    private(set) var cables: [Cable] = []
    private(set) var segments: [Segment] = []
    private var prefixes: [RouterID: Set<LSAPrefix>] = [:]
    /// The border and AS boundary flags of routers.
    private var flags: [RouterID: RouterLSA.Flags] = [:]
    private(set) var stubRouters: Set<RouterID> = []
    /// Routers that originate nothing.
    private(set) var downRouters: Set<RouterID> = []
    /// The inter-area and external LSAs. Some are of AS boundary routers, or lead to some, that are not in the area.
    private var otherLSAs: [LSAKey: LSABody] = [:]

    init(seed: UInt64, routers: UInt32, cables: Int, segments: Int) {
        random = SplitMix64(seed: seed)
        isBackbone = seed % 2 == 0
        area = Area(isBackbone: isBackbone)
        count = routers
        for index in 0..<cables {
            let a = router()
            let b = router()
            guard a != b else { continue }
            self.cables.append(
                Cable(
                    a: End(router: a, interface: UInt32(index) * 2 + 1, cost: cost()),
                    b: End(router: b, interface: UInt32(index) * 2 + 2, cost: cost())))
        }
        for index in 0..<segments {
            var members: [End] = []
            for router in 1...routers where below(3) == 0 {
                members.append(End(router: RouterID(router), interface: UInt32(1000 + index), cost: cost()))
            }
            guard !members.isEmpty else { continue }
            self.segments.append(Segment(members: members, designated: below(members.count)))
        }
        for router in 1...routers { prefixes[RouterID(router)] = [LSAPrefix(host(router))] }
    }

    /// A random number in 0..<bound.
    mutating func below(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }
    mutating func router() -> RouterID { RouterID(UInt32(below(Int(count))) + 1) }
    /// Mostly 0 to 3, so that many paths are equally long; one in 20 is any 16-bit number.
    private mutating func cost() -> UInt16 { below(20) == 0 ? UInt16(below(65536)) : UInt16(below(4)) }

    /// `fd00::NUMBER/128`.
    private func host(_ number: UInt32) -> IPv6Prefix {
        IPv6Prefix(host: IPv6Address(high: 0xfd00 << 48, low: UInt64(number)))
    }

    /// One of few prefixes, so that several routers announce the same, and nested, so that the longest match matters.
    private mutating func anyPrefix() -> IPv6Prefix {
        switch below(4) {
        case 0: .default
        case 1: IPv6Prefix(IPv6Address(high: 0xfd00 << 48, low: 0), length: [64, 96, 120, 125][below(4)])
        default: host(UInt32(1 + below(12)))
        }
    }

    /// Changes something at random. If not `topology`, then only flags, prefixes, and inter-area and external LSAs; links and
    /// routers stay.
    mutating func change(topology: Bool = true) {
        switch topology ? below(14) : 8 + below(6) {
        case 0...2 where !cables.isEmpty: cables[below(cables.count)].isUp.toggle()
        case 3 where !cables.isEmpty: cables[below(cables.count)].a.cost = cost()
        case 4 where !segments.isEmpty:
            let index = below(segments.count)
            segments[index].designated = below(segments[index].members.count)
        case 5 where !segments.isEmpty: segments[below(segments.count)].hasPrefix.toggle()
        case 6: stubRouters.formSymmetricDifference([router()])
        case 7: downRouters.formSymmetricDifference([router()])
        case 8: flags[router()] = [[], .border, .external, [.border, .external]][below(4)]
        case 9, 10:
            let entry = LSAPrefix(anyPrefix(), [0, 0, 1, 2, 0xffff][below(5)])
            prefixes[router()]!.formSymmetricDifference([entry])
        default: changeOtherLSA()
        }
    }

    /// Adds an inter-area or external LSA, or removes the one with the same key.
    private mutating func changeOtherLSA() {
        let linkStateID = UInt32(below(2))
        let router = router()
        let metric = [0, 1, 2, 3, 0xff_ffff][below(5)] as UInt32
        let key: LSAKey
        let body: LSABody
        switch below(3) {
        case 0:
            key = LSAKey(type: .interAreaPrefix, linkStateID: linkStateID, advertisingRouter: router)
            body = .interAreaPrefix(InterAreaPrefixLSA(metric: metric, prefix: LSAPrefix(anyPrefix())))
        case 1:
            key = LSAKey(type: .interAreaRouter, linkStateID: linkStateID, advertisingRouter: router)
            body = .interAreaRouter(
                InterAreaRouterLSA(
                    options: [.v6, .r], metric: metric, destination: RouterID(UInt32(below(Int(count) + 3)) + 1)))
        default:
            let announcer = RouterID(UInt32(below(Int(count) + 3)) + 1)
            key = LSAKey(type: .asExternal, linkStateID: linkStateID, advertisingRouter: announcer)
            body = .asExternal(
                ASExternalLSA(
                    isType2: below(2) == 0, metric: metric, prefix: LSAPrefix(anyPrefix()),
                    forwardingAddress: forwardingAddress()))
        }
        otherLSAs[key] = otherLSAs[key] == nil ? body : nil
    }

    /// An address of a router, one on a segment, or none.
    private mutating func forwardingAddress() -> IPv6Address? {
        switch below(6) {
        case 0, 1: host(UInt32(1 + below(12))).address
        case 2: IPv6Address(high: 0xfd01 << 48, low: UInt64(1000 + below(3)) << 32 | 9)
        default: nil
        }
    }

    /// The LSAs that the routers would originate now. The first router-LSA of a router has at most three links, and its first
    /// intra-area-prefix-LSA two prefixes; the others are in a second LSA.
    private mutating func intended() -> [LSAKey: LSABody] {
        var result = otherLSAs
        for number in 1...count where !downRouters.contains(RouterID(number)) {
            let router = RouterID(number)
            var links: [RouterLSA.Link] = []
            for cable in cables where cable.isUp {
                for (near, far) in [(cable.a, cable.b), (cable.b, cable.a)] where near.router == router {
                    links.append(OSPFTests.cable(near.interface, to: far.router, far.interface, cost: near.cost))
                }
            }
            for segment in segments {
                let designated = segment.members[segment.designated]
                for end in segment.members where end.router == router {
                    links.append(
                        transit(end.interface, designated: designated.router, designated.interface, cost: end.cost))
                }
                guard designated.router == router else { continue }
                result[LSAKey(type: .network, linkStateID: designated.interface, advertisingRouter: router)] =
                    .network(NetworkLSA(options: [.v6, .r], attachedRouters: segment.members.map(\.router)))
                guard segment.hasPrefix else { continue }
                result[LSAKey(type: .intraAreaPrefix, linkStateID: designated.interface, advertisingRouter: router)] =
                    .intraAreaPrefix(
                        IntraAreaPrefixLSA(
                            referencedType: .network, referencedLinkStateID: designated.interface,
                            referencedAdvertisingRouter: router,
                            prefixes: [
                                LSAPrefix(
                                    IPv6Prefix(
                                        IPv6Address(high: 0xfd01 << 48, low: UInt64(designated.interface) << 32),
                                        length: 96))
                            ]))
            }
            let options: OSPFOptions = stubRouters.contains(router) ? [.v6, .e] : [.v6, .r, .e]
            for (part, share) in [links.prefix(3), links.dropFirst(3)].enumerated() where part == 0 || !share.isEmpty {
                result[LSAKey(type: .router, linkStateID: UInt32(part), advertisingRouter: router)] =
                    .router(RouterLSA(flags: flags[router] ?? [], options: options, links: Array(share)))
            }
            let list = prefixes[router]!.sorted { ($0.prefix, $0.metric) < ($1.prefix, $1.metric) }
            for (part, share) in [list.prefix(2), list.dropFirst(2)].enumerated() where !share.isEmpty {
                result[LSAKey(type: .intraAreaPrefix, linkStateID: UInt32(part), advertisingRouter: router)] =
                    .intraAreaPrefix(
                        IntraAreaPrefixLSA(
                            referencedType: .router, referencedLinkStateID: 0, referencedAdvertisingRouter: router,
                            prefixes: Array(share)))
            }
        }
        return result
    }

    /// Brings three quarters of the changed LSAs, chosen at random, into the database, or all.
    mutating func flood(all: Bool = false) {
        let intended = intended()
        let keys = Set(intended.keys).union(area.bodies.keys).filter { intended[$0] != area.bodies[$0] }.sorted()
        for key in keys where all || below(4) != 0 { area.set(key, intended[key]) }
    }

    /// The neighbors of a router, whether or not the database has the links to them.
    func neighbors(of root: RouterID) -> [UsableNeighbor] {
        var result: [UsableNeighbor] = []
        for cable in cables where cable.isUp {
            for (near, far) in [(cable.a, cable.b), (cable.b, cable.a)] where near.router == root {
                result.append(neighbor(near.interface, far.router, far.interface))
            }
        }
        for segment in segments {
            guard let near = segment.members.first(where: { $0.router == root }) else { continue }
            for far in segment.members where far.router != root {
                result.append(neighbor(near.interface, far.router, far.interface))
            }
        }
        return result
    }
}
