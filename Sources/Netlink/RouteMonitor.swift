internal import Addressing
internal import CNetlink
internal import Glibc
public import Linux
public import Routing

/// Monitors changes of our routes and next-hop objects that other processes or the kernel make, and removals of other routes
/// with our metric, which may have blocked one of ours. A filter in the kernel drops nearly all else, above all the
/// notifications of our own changes: there may be ten thousand for one replaced group.
public final class RouteMonitor {
    private let socket: NetlinkSocket
    private let configuration: KernelFIBConfiguration

    /// The descriptor to watch; call ``read()`` when it is readable.
    public var descriptor: CInt { socket.descriptor }

    /// The maximum number of datagrams read in one call, so that a flood of notifications does not delay hellos.
    private static let datagramsPerRead = 256

    /// Subscribes in the calling thread's network namespace. `nextHopIDs` are the IDs that we allocate; `ownPort` is the
    /// netlink port of the socket through which we make changes. A small `receiveBuffer` (octets) is for tests.
    public init(
        configuration: KernelFIBConfiguration, nextHopIDs: ClosedRange<UInt32>, ownPort: UInt32,
        receiveBuffer: CInt = 4 << 20
    ) throws(SystemError) {
        self.configuration = configuration
        socket = try NetlinkSocket(
            groups: [
                CInt(RTNLGRP_IPV6_ROUTE.rawValue), CInt(RTNLGRP_IPV4_ROUTE.rawValue), CInt(RTNLGRP_NEXTHOP.rawValue),
            ], receiveBuffer: receiveBuffer)
        let filter = Self.filter(
            protocolNumber: configuration.protocolNumber, metric: configuration.metric, nextHopIDs: nextHopIDs,
            ownPort: ownPort)
        try filter.attach(to: socket.descriptor, "filter route notifications")
    }

    /// Reads pending events. The number of datagrams is limited; the descriptor stays readable if there are more.
    public func read() throws(SystemError) -> [RouteEvent] {
        var events: [RouteEvent] = []
        for _ in 0..<Self.datagramsPerRead {
            switch try socket.receive(wait: false) {
            case .nothing: return events
            case .octets(let count): socket.forEachMessage(count) { if let event = event($0) { events.append(event) } }
            case .overflow: events.append(.overflow)
            }
        }
        return events
    }

    /// What a notification that passed the filter means; `nil` if it is about a route with another table or metric than ours,
    /// or about a cached copy, which the filter does not exclude.
    private func event(_ message: MessageView) -> RouteEvent? {
        switch message.type {
        case Int(RTM_NEWROUTE), Int(RTM_DELROUTE):
            guard let route = KernelRoute(message), route.table == configuration.table, !route.isCached else {
                return nil
            }
            let isOurs = route.protocolNumber == configuration.protocolNumber
            if route.metric == KernelFIBConfiguration.serviceRouteMetric {
                if message.type == Int(RTM_NEWROUTE) { return .serviceRouteDeleted(route.prefix) }
                guard isOurs else { return nil }
                return message.port == 0 ? .serviceRouteLost(route.prefix) : .serviceRouteDeleted(route.prefix)
            }
            guard route.metric == configuration.metric else { return nil }
            // The filter accepts a new route only if it replaced another with its metric, which may have been ours.
            if message.type == Int(RTM_NEWROUTE) { return .routeDeleted(route.prefix) }
            guard isOurs else { return .foreignRouteRemoved(route.prefix) }
            // Port 0: the kernel removed it, for example because its interface went down.
            return message.port == 0 ? .routeLost(route.prefix) : .routeDeleted(route.prefix)
        case Int(RTM_NEWNEXTHOP), Int(RTM_DELNEXTHOP):
            return .nextHopsChanged
        default:
            return nil
        }
    }

    /// Of the changes that we did not make, accepts removals of routes with our protocol number or metric, replacements of any
    /// route, and changes of our next-hop objects. A next-hop object is ours by its protocol number or by its ID, because a
    /// program that replaces it changes the protocol number.
    private static func filter(
        protocolNumber: UInt8, metric: UInt32, nextHopIDs: ClosedRange<UInt32>, ownPort: UInt32
    ) -> SocketFilter {
        typealias Offset = SocketFilter.Offset
        var filter = SocketFilter()
        filter.load32(at: Offset.sender)
        filter.jump(ifEqual: ownPort.bigEndian, to: .drop)
        filter.load16(at: Offset.messageType)
        filter.jump(ifEqual: SocketFilter.inMemory(Int(RTM_DELROUTE)), to: .label("removed route"))
        filter.jump(ifEqual: SocketFilter.inMemory(Int(RTM_NEWROUTE)), to: .label("new route"))
        filter.jump(ifEqual: SocketFilter.inMemory(Int(RTM_NEWNEXTHOP)), to: .label("next hop"))
        filter.jump(ifEqual: SocketFilter.inMemory(Int(RTM_DELNEXTHOP)), to: .label("next hop"), else: .drop)

        filter.label("removed route")
        filter.loadOctet(at: Offset.body + 5)  // rtm_protocol
        filter.jump(ifEqual: UInt32(protocolNumber), to: .accept)
        filter.loadAttribute(Int(RTA_PRIORITY.rawValue), after: MemoryLayout<rtmsg>.size, absent: .drop)
        filter.jump(ifEqual: metric.bigEndian, to: .accept, else: .drop)

        // The message does not describe the replaced route, only that there was one.
        filter.label("new route")
        filter.load16(at: Offset.messageFlags)
        filter.jump(ifAnyBitOf: SocketFilter.inMemory(Flag.replace), to: .accept, else: .drop)

        filter.label("next hop")
        filter.loadOctet(at: Offset.body + 2)  // nh_protocol
        filter.jump(ifEqual: UInt32(protocolNumber), to: .accept)
        // The kernel puts the ID first. Should it ever not, an event too many does no harm.
        filter.load16(at: Offset.body + 10)  // the type of the first attribute
        filter.jump(ifEqual: SocketFilter.inMemory(Int(NHA_ID)), to: .next, else: .accept)
        filter.loadNumber(at: Offset.body + 12)
        filter.jump(ifLessThan: nextHopIDs.lowerBound, to: .drop)
        filter.jump(ifGreaterThan: nextHopIDs.upperBound, to: .drop, else: .accept)
        return filter
    }
}
