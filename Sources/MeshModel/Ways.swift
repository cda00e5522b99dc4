public import Addressing
internal import OSPF

/// Where packets go.
public enum Target: Hashable, Sendable {
    case router(RouterID)
    /// An address, as a prefix of its whole length, or a prefix. IPv4 is IPv4-mapped.
    case prefix(IPv6Prefix)
}

/// All ways that packets from a router to a target may take, each router deciding for itself.
public struct Ways: Sendable {
    /// A step from one router to the next.
    public struct Hop: Hashable, Sendable {
        /// The port that the packet leaves by, and its cost.
        public var port: PortID
        public var cost: UInt16
        /// The port at which it arrives.
        public var next: PortID
    }

    /// What a router does with the packet.
    public enum Step: Hashable, Sendable {
        /// It sends the packet on, by one of these; never empty.
        case forward([Hop])
        /// It delivers the packet: the target itself, or the announcer of this prefix.
        case deliver(IPv6Prefix?)
        /// The target is on a link of this interface.
        case onLink(IPv6Prefix?, interfaceID: UInt32)
        /// It has no route.
        case noRoute
    }

    public var start: RouterID
    public var target: Target
    /// The prefix whose route the first router uses, if the target is no router.
    public var prefix: IPv6Prefix?
    /// The cost from the first router to the end; `nil` without a route.
    public var cost: UInt32?
    /// What each router on any of the ways does.
    public var steps: [RouterID: Step]

    /// The number of different ways, at most `UInt32.max`; 0 if the target is not reached from the start.
    public var count: UInt32 {
        var known: [RouterID: UInt32] = [:]
        func count(_ router: RouterID, _ depth: Int) -> UInt32 {
            if let number = known[router] { return number }
            // Routers that disagree could send packets in a circle.
            guard depth <= steps.count else { return 0 }
            var number: UInt32 = 0
            switch steps[router] {
            case .deliver, .onLink: number = 1
            case .noRoute, nil: number = 0
            case .forward(let hops):
                for hop in hops {
                    let (sum, overflow) = number.addingReportingOverflow(count(hop.next.router, depth + 1))
                    number = overflow ? .max : sum
                }
            }
            known[router] = number
            return number
        }
        return count(start, 0)
    }

    /// The routers at which packets may end.
    public var ends: [RouterID] {
        steps.filter {
            switch $0.value {
            case .deliver, .onLink: true
            case .forward, .noRoute: false
            }
        }.keys.sorted()
    }
}

extension MeshModel {
    /// All ways from a router to a target.
    public mutating func ways(from start: RouterID, to target: Target) -> Ways {
        var ways = Ways(start: start, target: target, prefix: nil, cost: nil, steps: [:])
        var waiting = [start]
        while let router = waiting.popLast() {
            guard ways.steps[router] == nil else { continue }
            let (step, prefix, cost) = step(of: router, to: target)
            ways.steps[router] = step
            if router == start { (ways.prefix, ways.cost) = (prefix, cost) }
            if case .forward(let hops) = step { waiting += hops.map(\.next.router) }
        }
        return ways
    }

    private mutating func step(of router: RouterID, to target: Target) -> (Ways.Step, IPv6Prefix?, UInt32?) {
        calculate(as: router)
        let hops: [NextHop]
        let prefix: IPv6Prefix?
        let cost: UInt32?
        switch target {
        case .router(router): return (.deliver(nil), nil, 0)
        case .router(let other):
            hops = calculation.nextHops(to: other)
            (prefix, cost) = (nil, calculation.distance(to: other))
        case .prefix(let wanted):
            switch calculation.lookUp(wanted) {
            case .own(let own): return (.deliver(own), own, 0)
            case .routed(let found, let destination):
                hops = destination.nextHops
                (prefix, cost) = (found, destination.metric)
            case nil: return (.noRoute, nil, nil)
            }
        }
        guard let first = hops.first else { return (.noRoute, prefix, nil) }
        // The destination, or a gateway outside of the mesh (RFC 2328 §16.4 (3)), is on a link of the router.
        if first.isOnLink || !first.gateway.isLinkLocal {
            return (.onLink(prefix, interfaceID: first.interface), prefix, cost)
        }
        let links = links(of: router)
        return (
            .forward(
                hops.map { hop in
                    Ways.Hop(
                        port: PortID(router: router, interfaceID: hop.interface),
                        cost: links.first { $0.interfaceID == hop.interface }?.cost ?? 0, next: PortID(hop.gateway))
                }), prefix, cost
        )
    }
}
