internal import Addressing
internal import CNetlink
internal import Glibc
internal import Routing

// How changes look to the kernel.

extension KernelFIB {
    /// Appends the message that makes a change.
    func encode(_ change: FIBChange, sequence: UInt32, into batch: inout MessageEncoder) {
        switch change {
        case .addNextHop(let id, let nextHop):
            let fixed = nextHopHeader(family: AF_INET6)
            batch.message(Int(RTM_NEWNEXTHOP), flags: Flag.create | Flag.exclusive, sequence: sequence, fixed) {
                $0.attribute(Int(NHA_ID), id.rawValue)
                $0.attribute(Int(NHA_OIF), nextHop.interface)
                $0.attribute(Int(NHA_GATEWAY), nextHop.gateway)
            }
        case .addGroup(let id, let members):
            encodeGroup(id, members, flags: Flag.create | Flag.exclusive, sequence: sequence, into: &batch)
        case .replaceGroup(let id, let members):
            encodeGroup(id, members, flags: Flag.replace, sequence: sequence, into: &batch)
        case .addRoute(let prefix, let target):
            encodeRoute(prefix, target, flags: Flag.create | Flag.exclusive, sequence: sequence, into: &batch)
        case .replaceRoute(let prefix, let target):
            encodeRoute(prefix, target, flags: Flag.replace, sequence: sequence, into: &batch)
        case .removeRoute(let prefix):
            // The protocol number in it makes the kernel pass over routes of others.
            batch.message(Int(RTM_DELROUTE), flags: 0, sequence: sequence, routeHeader(prefix)) {
                encodeKey(prefix, into: &$0)
            }
        case .removeGroup(let id), .removeNextHop(let id):
            batch.message(Int(RTM_DELNEXTHOP), flags: 0, sequence: sequence, nhmsg()) {
                $0.attribute(Int(NHA_ID), id.rawValue)
            }
        }
    }

    private func encodeGroup(
        _ id: NextHopID, _ members: [NextHopID], flags: Int, sequence: UInt32, into batch: inout MessageEncoder
    ) {
        batch.message(Int(RTM_NEWNEXTHOP), flags: flags, sequence: sequence, nextHopHeader(family: AF_UNSPEC)) {
            $0.attribute(Int(NHA_ID), id.rawValue)
            $0.nested(Int(NHA_GROUP)) { group in
                // The kernel adds one to the weight.
                for member in members {
                    group.append(nexthop_grp(id: member.rawValue, weight: 0, resvd1: 0, resvd2: 0))
                }
            }
        }
    }

    private func encodeRoute(
        _ prefix: IPv6Prefix, _ target: RouteTarget, flags: Int, sequence: UInt32, into batch: inout MessageEncoder
    ) {
        batch.message(Int(RTM_NEWROUTE), flags: flags, sequence: sequence, routeHeader(prefix)) {
            encodeKey(prefix, into: &$0)
            if let source = preferredSource(for: prefix) { $0.attribute(Int(RTA_PREFSRC.rawValue), source) }
            switch target {
            case .group(let id): $0.attribute(Int(RTA_NH_ID.rawValue), id.rawValue)
            case .nextHops(let nextHops): encodeNextHops(nextHops, of: prefix, into: &$0)
            }
        }
    }

    private func encodeNextHops(_ nextHops: [NextHop], of prefix: IPv6Prefix, into batch: inout MessageEncoder) {
        if nextHops.count == 1 {
            batch.attribute(Int(RTA_OIF.rawValue), nextHops[0].interface)
            encodeGateway(nextHops[0].gateway, of: prefix, into: &batch)
            return
        }
        batch.nested(Int(RTA_MULTIPATH.rawValue)) { list in
            for nextHop in nextHops {
                let start = list.position
                list.append(rtnexthop(rtnh_len: 0, rtnh_flags: 0, rtnh_hops: 0, rtnh_ifindex: CInt(nextHop.interface)))
                encodeGateway(nextHop.gateway, of: prefix, into: &list)
                list.setLength(UInt16(list.position - start), at: start)
            }
        }
    }

    /// An IPv4 route goes by way of an IPv6 neighbour as well as any; it only has to be said (`RTA_VIA`).
    private func encodeGateway(_ gateway: IPv6Address, of prefix: IPv6Prefix, into batch: inout MessageEncoder) {
        guard prefix.ipv4 != nil else { return batch.attribute(Int(RTA_GATEWAY.rawValue), gateway) }
        batch.attribute(
            Int(RTA_VIA.rawValue), octets: withUnsafeBytes(of: UInt16(AF_INET6), Array.init) + gateway.octets)
    }

    private func nextHopHeader(family: CInt) -> nhmsg {
        nhmsg(
            nh_family: UInt8(family), nh_scope: 0, nh_protocol: configuration.protocolNumber, resvd: 0, nh_flags: 0)
    }

    /// The source of packets over a route to `prefix` that do not say.
    func preferredSource(for prefix: IPv6Prefix) -> IPv6Address? {
        prefix.ipv4 == nil ? configuration.preferredSource : configuration.preferredSourceIPv4.map { IPv6Address($0) }
    }

    private func routeHeader(_ prefix: IPv6Prefix) -> rtmsg {
        var fixed = rtmsg()
        let ipv4 = prefix.ipv4
        fixed.rtm_family = UInt8(ipv4 == nil ? AF_INET6 : AF_INET)
        fixed.rtm_dst_len = UInt8(ipv4?.length ?? prefix.length)
        fixed.rtm_protocol = configuration.protocolNumber
        fixed.rtm_type = UInt8(RTN_UNICAST)
        // Numbers past 255 stand in the attribute only.
        fixed.rtm_table = configuration.table < 256 ? UInt8(configuration.table) : 0
        return fixed
    }

    /// What tells one route from another: prefix, metric and table.
    private func encodeKey(_ prefix: IPv6Prefix, into batch: inout MessageEncoder) {
        if !prefix.isDefault { batch.attribute(Int(RTA_DST.rawValue), prefix.address) }
        batch.attribute(Int(RTA_PRIORITY.rawValue), configuration.metric)
        if configuration.table >= 256 { batch.attribute(Int(RTA_TABLE.rawValue), configuration.table) }
    }
}

/// A next-hop object as the kernel describes it.
struct NextHopObject {
    enum Content {
        case single(NextHop)
        case group([NextHopID])
        /// A group whose members have different weights, which we never make but can replace.
        case weightedGroup
        /// Something we do not make: a blackhole, an IPv4 gateway, a resilient group.
        case other
    }

    var id: NextHopID
    var protocolNumber: UInt8
    var content: Content
    var isGroup: Bool

    init?(_ message: MessageView) {
        guard message.type == Int(RTM_NEWNEXTHOP) || message.type == Int(RTM_DELNEXTHOP),
            let fixed = message.fixed(nhmsg.self)
        else { return nil }
        var id: UInt32?
        var interface: UInt32?
        var gateway: IPv6Address?
        var members: [NextHopID]?
        var isPlain = true
        var isWeighted = false
        message.forEachAttribute(after: nhmsg.self) { attribute in
            switch attribute.type {
            case Int(NHA_ID): id = attribute.value()
            case Int(NHA_OIF): interface = attribute.value()
            case Int(NHA_GATEWAY): gateway = attribute.address
            case Int(NHA_GROUP):
                let size = MemoryLayout<nexthop_grp>.size
                let entries = stride(from: 0, to: attribute.payload.count - attribute.payload.count % size, by: size)
                    .map { attribute.payload.loadUnaligned(fromByteOffset: $0, as: nexthop_grp.self) }
                // Only the ratio counts: zebra rewrites groups with a weight of 256 for every member. The third octet
                // is the upper half of the weight since Linux 6.12.
                isWeighted = entries.contains { $0.weight != entries[0].weight || $0.resvd1 != entries[0].resvd1 }
                members = entries.map { NextHopID(rawValue: $0.id) }
            case Int(NHA_GROUP_TYPE): if attribute.value(UInt16.self) != 0 { isPlain = false }
            case Int(NHA_BLACKHOLE), Int(NHA_ENCAP), Int(NHA_FDB): isPlain = false
            default: break
            }
        }
        guard let id, id != 0 else { return nil }
        self.id = NextHopID(rawValue: id)
        protocolNumber = fixed.nh_protocol
        isGroup = members != nil
        if !isPlain {
            content = .other
        } else if isWeighted {
            content = .weightedGroup
        } else if let members {
            content = .group(members)
        } else if let interface, let gateway {
            content = .single(NextHop(interface: interface, gateway: gateway))
        } else {
            content = .other
        }
    }
}

/// A route as the kernel describes it.
struct KernelRoute {
    var prefix: IPv6Prefix
    var table: UInt32
    var protocolNumber: UInt8
    var metric: UInt32 = 0
    var preferredSource: IPv6Address?
    var target: RouteTarget?
    var isUnicast: Bool
    /// A copy the kernel made for one destination, such as for a smaller path MTU.
    var isCached: Bool
    /// The outgoing interface, where the route has just one of its own.
    var interface: UInt32?

    init?(_ message: MessageView) {
        guard message.type == Int(RTM_NEWROUTE) || message.type == Int(RTM_DELROUTE),
            let fixed = message.fixed(rtmsg.self)
        else { return nil }
        let unmapped: Int
        var destination: IPv6Address
        switch CInt(fixed.rtm_family) {
        case AF_INET6: (unmapped, destination) = (0, .unspecified)
        case AF_INET: (unmapped, destination) = (96, IPv6Address(IPv4Address(0)))
        default: return nil
        }
        guard unmapped + Int(fixed.rtm_dst_len) <= 128 else { return nil }
        table = UInt32(fixed.rtm_table)
        protocolNumber = fixed.rtm_protocol
        isUnicast = fixed.rtm_type == UInt8(RTN_UNICAST)
        let cloned: UInt32 = 0x200
        isCached = fixed.rtm_flags & cloned != 0
        prefix = .default
        var group: NextHopID?
        var gateway: IPv6Address?
        var nextHops: [NextHop]?
        var route = self
        message.forEachAttribute(after: rtmsg.self) { attribute in
            switch attribute.type {
            case Int(RTA_DST.rawValue): destination = attribute.address ?? destination
            case Int(RTA_TABLE.rawValue): route.table = attribute.value() ?? route.table
            case Int(RTA_PRIORITY.rawValue): route.metric = attribute.value() ?? 0
            case Int(RTA_PREFSRC.rawValue): route.preferredSource = attribute.address
            case Int(RTA_NH_ID.rawValue): group = attribute.value(UInt32.self).map(NextHopID.init)
            case Int(RTA_OIF.rawValue): route.interface = attribute.value()
            case Int(RTA_GATEWAY.rawValue): gateway = attribute.address
            case Int(RTA_VIA.rawValue): gateway = attribute.gatewayOfOtherFamily
            case Int(RTA_MULTIPATH.rawValue): nextHops = Self.nextHops(attribute.payload)
            default: break
            }
        }
        route.prefix = IPv6Prefix(destination, length: unmapped + Int(fixed.rtm_dst_len))
        if let group {
            route.target = .group(group)
        } else if let nextHops {
            route.target = .nextHops(nextHops.sorted())
        } else if let interface = route.interface, let gateway {
            route.target = .nextHops([NextHop(interface: interface, gateway: gateway)])
        }
        self = route
    }

    private static func nextHops(_ list: UnsafeRawBufferPointer) -> [NextHop]? {
        let headerSize = MemoryLayout<rtnexthop>.size
        var result: [NextHop] = []
        var offset = 0
        while list.count - offset >= headerSize {
            let header = list.loadUnaligned(fromByteOffset: offset, as: rtnexthop.self)
            let length = Int(header.rtnh_len)
            guard length >= headerSize, length <= list.count - offset else { return nil }
            var gateway: IPv6Address?
            AttributeView.forEach(in: UnsafeRawBufferPointer(rebasing: list[(offset + headerSize)..<(offset + length)]))
            {
                if $0.type == Int(RTA_GATEWAY.rawValue) { gateway = $0.address }
                if $0.type == Int(RTA_VIA.rawValue) { gateway = $0.gatewayOfOtherFamily }
            }
            guard let gateway, header.rtnh_hops == 0 else { return nil }
            result.append(NextHop(interface: UInt32(bitPattern: header.rtnh_ifindex), gateway: gateway))
            offset += (length + 3) & ~3
        }
        return result
    }
}
