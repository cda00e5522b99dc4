internal import Addressing
internal import CNetlink
internal import Glibc
internal import Routing

// Encoding of changes as netlink messages.

extension KernelFIB {
    /// Appends the message that makes a change.
    func encode(_ change: FIBChange, sequence: UInt32, into batch: inout MessageEncoder) {
        switch change {
        case .addNextHop(let id, let nextHop):
            let fixed = nextHopHeader(family: AF_INET6, flags: nextHop.needsOnLinkFlag ? UInt32(RTNH_F_ONLINK) : 0)
            batch.message(Int(RTM_NEWNEXTHOP), flags: Flag.create | Flag.exclusive, sequence: sequence, fixed) {
                $0.attribute(Int(NHA_ID), id.rawValue)
                $0.attribute(Int(NHA_OIF), nextHop.interface)
                if !nextHop.isOnLink { $0.attribute(Int(NHA_GATEWAY), nextHop.gateway) }
            }
        case .addGroup(let id, let group):
            encodeGroup(id, group, flags: Flag.create | Flag.exclusive, sequence: sequence, into: &batch)
        case .replaceGroup(let id, let group):
            encodeGroup(id, group, flags: Flag.replace, sequence: sequence, into: &batch)
        case .addRoute(let prefix, let target):
            encodeRoute(prefix, target, flags: Flag.create | Flag.exclusive, sequence: sequence, into: &batch)
        case .replaceRoute(let prefix, let target):
            encodeRoute(prefix, target, flags: Flag.replace, sequence: sequence, into: &batch)
        case .removeRoute(let prefix):
            // With the protocol number in the header, the kernel removes only a route of ours, and none of another program.
            batch.message(Int(RTM_DELROUTE), flags: 0, sequence: sequence, routeHeader(prefix)) {
                encodeKey(prefix, into: &$0)
            }
        case .addServiceRoute(let prefix):
            encodeServiceRoute(prefix, flags: Flag.create | Flag.exclusive, sequence: sequence, into: &batch)
        case .replaceServiceRoute(let prefix):
            encodeServiceRoute(prefix, flags: Flag.replace, sequence: sequence, into: &batch)
        case .removeServiceRoute(let prefix):
            var header = routeHeader(prefix)
            // Of any type and scope, should another program have changed it.
            header.rtm_type = 0
            header.rtm_scope = UInt8(RT_SCOPE_NOWHERE.rawValue)
            batch.message(Int(RTM_DELROUTE), flags: 0, sequence: sequence, header) {
                encodeKey(prefix, metric: KernelFIBConfiguration.serviceRouteMetric, into: &$0)
            }
        case .removeGroup(let id), .removeNextHop(let id):
            batch.message(Int(RTM_DELNEXTHOP), flags: 0, sequence: sequence, nhmsg()) {
                $0.attribute(Int(NHA_ID), id.rawValue)
            }
        }
    }

    private func encodeGroup(
        _ id: NextHopID, _ group: NextHopGroup, flags: Int, sequence: UInt32, into batch: inout MessageEncoder
    ) {
        batch.message(Int(RTM_NEWNEXTHOP), flags: flags, sequence: sequence, nextHopHeader(family: AF_UNSPEC)) {
            $0.attribute(Int(NHA_ID), id.rawValue)
            $0.nested(Int(NHA_GROUP)) { list in
                for member in group.members {
                    list.append(nexthop_grp(member, weight: group.backup == nil ? 1 : GroupWeight.beforeBackup))
                }
                if let backup = group.backup { list.append(nexthop_grp(backup, weight: 1)) }
            }
            if group.isResilient { ResilientGroup.encode(into: &$0) }
        }
    }

    private func encodeRoute(
        _ prefix: IPv6Prefix, _ target: RouteTarget, flags: Int, sequence: UInt32, into batch: inout MessageEncoder
    ) {
        var header = routeHeader(prefix)
        if case .nextHops(let nextHops) = target, nextHops.count == 1, nextHops[0].needsOnLinkFlag {
            header.rtm_flags |= UInt32(RTNH_F_ONLINK)
        }
        batch.message(Int(RTM_NEWROUTE), flags: flags, sequence: sequence, header) {
            encodeKey(prefix, into: &$0)
            if let source = preferredSource(for: prefix) { $0.attribute(Int(RTA_PREFSRC.rawValue), source) }
            switch target {
            case .group(let id): $0.attribute(Int(RTA_NH_ID.rawValue), id.rawValue)
            case .nextHops(let nextHops): encodeNextHops(nextHops, of: prefix, into: &$0)
            }
        }
    }

    /// A route through `lo`. For IPv4 its type is `anycast`: the kernel treats that like `unicast` for packets of this machine,
    /// and does not forward packets of others over it, which would pass through `lo` until their TTL is over.
    private func encodeServiceRoute(
        _ prefix: IPv6Prefix, flags: Int, sequence: UInt32, into batch: inout MessageEncoder
    ) {
        var header = routeHeader(prefix)
        if prefix.ipv4 != nil {
            header.rtm_type = UInt8(RTN_ANYCAST)
            header.rtm_scope = UInt8(RT_SCOPE_LINK.rawValue)
        }
        batch.message(Int(RTM_NEWROUTE), flags: flags, sequence: sequence, header) {
            encodeKey(prefix, metric: KernelFIBConfiguration.serviceRouteMetric, into: &$0)
            if let source = preferredSource(for: prefix) { $0.attribute(Int(RTA_PREFSRC.rawValue), source) }
            $0.attribute(Int(RTA_OIF.rawValue), KernelAddresses.loopback)
        }
    }

    private func encodeNextHops(_ nextHops: [NextHop], of prefix: IPv6Prefix, into batch: inout MessageEncoder) {
        if nextHops.count == 1 {
            batch.attribute(Int(RTA_OIF.rawValue), nextHops[0].interface)
            if !nextHops[0].isOnLink { encodeGateway(nextHops[0].gateway, of: prefix, into: &batch) }
            return
        }
        batch.nested(Int(RTA_MULTIPATH.rawValue)) { list in
            for nextHop in nextHops {
                let start = list.position
                let flags = nextHop.needsOnLinkFlag ? UInt8(RTNH_F_ONLINK) : 0
                list.append(
                    rtnexthop(rtnh_len: 0, rtnh_flags: flags, rtnh_hops: 0, rtnh_ifindex: CInt(nextHop.interface)))
                if !nextHop.isOnLink { encodeGateway(nextHop.gateway, of: prefix, into: &list) }
                list.setLength(UInt16(list.position - start), at: start)
            }
        }
    }

    /// Encodes the gateway of a route. An IPv4 route can have an IPv6 gateway, in an attribute of its own (`RTA_VIA`).
    private func encodeGateway(_ gateway: IPv6Address, of prefix: IPv6Prefix, into batch: inout MessageEncoder) {
        guard prefix.ipv4 != nil else { return batch.attribute(Int(RTA_GATEWAY.rawValue), gateway) }
        batch.attribute(
            Int(RTA_VIA.rawValue), octets: withUnsafeBytes(of: UInt16(AF_INET6), Array.init) + gateway.octets)
    }

    func nextHopHeader(family: CInt, flags: UInt32 = 0) -> nhmsg {
        nhmsg(
            nh_family: UInt8(family), nh_scope: 0, nh_protocol: configuration.protocolNumber, resvd: 0, nh_flags: flags)
    }

    /// The preferred source of routes of the family of `prefix`; `nil` leaves it to the kernel.
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
        // Table numbers above 255 are in the attribute only.
        fixed.rtm_table = configuration.table < 256 ? UInt8(configuration.table) : 0
        return fixed
    }

    /// The key of a route: prefix, metric and table.
    private func encodeKey(_ prefix: IPv6Prefix, metric: UInt32? = nil, into batch: inout MessageEncoder) {
        if !prefix.isDefault { batch.attribute(Int(RTA_DST.rawValue), prefix.address) }
        batch.attribute(Int(RTA_PRIORITY.rawValue), metric ?? configuration.metric)
        if configuration.table >= 256 { batch.attribute(Int(RTA_TABLE.rawValue), configuration.table) }
    }
}

extension NextHop {
    /// Whether the next hop gets the on-link flag, because the kernel may have no route to the gateway.
    fileprivate var needsOnLinkFlag: Bool { !isOnLink && !gateway.isLinkLocal }
}
