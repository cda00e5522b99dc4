internal import Addressing
internal import CLinux
internal import CNetlink
internal import Glibc
public import Linux
public import Routing

/// Hears when our routes and next-hop objects are changed by somebody else. A filter in the kernel lets nothing else
/// through, least of all the echo of what we do ourselves, which may be ten thousand notifications for one replaced group.
public final class RouteMonitor {
    private let socket: NetlinkSocket
    private let configuration: KernelFIBConfiguration

    /// The descriptor to watch; call ``read()`` when it is readable.
    public var descriptor: CInt { socket.descriptor }

    private static let datagramsPerRead = 256

    /// `ownPort` is the address of the socket through which we make changes.
    public init(
        configuration: KernelFIBConfiguration, ownPort: UInt32, receiveBuffer: CInt = 4 << 20
    ) throws(SystemError) {
        self.configuration = configuration
        socket = try NetlinkSocket(
            groups: [
                CInt(RTNLGRP_IPV6_ROUTE.rawValue), CInt(RTNLGRP_IPV4_ROUTE.rawValue), CInt(RTNLGRP_NEXTHOP.rawValue),
            ], receiveBuffer: receiveBuffer)
        let filter = Self.filter(protocolNumber: configuration.protocolNumber, ownPort: ownPort)
        let result = filter.withUnsafeBufferPointer {
            clinux_attach_filter(socket.descriptor, $0.baseAddress, UInt16($0.count))
        }
        guard result == 0 else { throw .last("filter route notifications") }
    }

    /// The events that wait; a bounded number.
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

    private func event(_ message: MessageView) -> RouteEvent? {
        switch message.type {
        case Int(RTM_NEWROUTE), Int(RTM_DELROUTE):
            guard let route = KernelRoute(message), route.table == configuration.table,
                route.metric == configuration.metric, !route.isCached
            else { return nil }
            let isOurs = route.protocolNumber == configuration.protocolNumber
            if message.type == Int(RTM_NEWROUTE) { return .routeDeleted(route.prefix) }
            guard isOurs else { return nil }
            return message.port == 0 ? .routeLost(route.prefix) : .routeDeleted(route.prefix)
        case Int(RTM_NEWNEXTHOP), Int(RTM_DELNEXTHOP):
            return .nextHopsChanged
        default:
            return nil
        }
    }

    /// A classic socket filter over the first notification in a datagram; the kernel sends one in each.
    private static func filter(protocolNumber: UInt8, ownPort: UInt32) -> [clinux_filter_instruction] {
        // Loads are in network order, netlink headers in the machine's.
        func load16(_ offset: UInt32) -> clinux_filter_instruction { instruction(0x28, offset) }
        func load32(_ offset: UInt32) -> clinux_filter_instruction { instruction(0x20, offset) }
        func load8(_ offset: UInt32) -> clinux_filter_instruction { instruction(0x30, offset) }
        func instruction(_ code: UInt16, _ operand: UInt32, _ yes: UInt8 = 0, _ no: UInt8 = 0)
            -> clinux_filter_instruction
        {
            clinux_filter_instruction(code: code, jump_true: yes, jump_false: no, operand: operand)
        }
        func ifEqual(_ value: UInt32, _ yes: UInt8, _ no: UInt8) -> clinux_filter_instruction {
            instruction(0x15, value, yes, no)
        }
        func type(_ value: Int) -> UInt32 { UInt32(UInt16(value).bigEndian) }
        let replaceFlag = UInt32(UInt16(Flag.replace).bigEndian)
        return [
            load32(12),  // 0: nlmsg_pid
            ifEqual(ownPort.bigEndian, 12, 0),  // 1
            load16(4),  // 2: nlmsg_type
            ifEqual(type(Int(RTM_DELROUTE)), 3, 0),  // 3
            ifEqual(type(Int(RTM_NEWROUTE)), 4, 0),  // 4
            ifEqual(type(Int(RTM_NEWNEXTHOP)), 5, 0),  // 5
            ifEqual(type(Int(RTM_DELNEXTHOP)), 4, 7),  // 6
            load8(21),  // 7: rtm_protocol
            ifEqual(UInt32(protocolNumber), 4, 5),  // 8
            load16(6),  // 9: nlmsg_flags
            instruction(0x45, replaceFlag, 2, 3),  // 10
            load8(18),  // 11: nh_protocol
            ifEqual(UInt32(protocolNumber), 0, 1),  // 12
            instruction(0x06, 0x40000),  // 13: take it
            instruction(0x06, 0),  // 14: leave it
        ]
    }
}
