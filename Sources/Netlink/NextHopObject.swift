internal import Addressing
internal import CNetlink
internal import Routing

/// A next-hop object as the kernel describes it.
struct NextHopObject {
    enum Content {
        case single(NextHop)
        case group([NextHopID])
        /// A group whose members have different weights, which we never make but can replace.
        case weightedGroup
        /// Something else that we do not make, such as a blackhole, an IPv4 next hop without a gateway, or a resilient group.
        case other
    }

    var id: NextHopID
    var protocolNumber: UInt8
    var content: Content
    var isGroup: Bool
    /// The outgoing interface of a single next hop, also if ``content`` is ``Content/other``.
    var interface: UInt32?
    /// The members of a group, also if it is weighted or ``content`` is ``Content/other``.
    var memberIDs: [NextHopID] = []

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
                // Only the ratio counts: zebra may rewrite our groups, with the weight 256 for every member. The message
                // has the weight minus 1; `resvd1` is its upper octet since Linux 6.12.
                isWeighted = entries.contains { $0.weight != entries[0].weight || $0.resvd1 != entries[0].resvd1 }
                members = entries.map { NextHopID(rawValue: $0.id) }
            // 0 is a plain multipath group; other types are resilient.
            case Int(NHA_GROUP_TYPE): if attribute.value(UInt16.self) != 0 { isPlain = false }
            case Int(NHA_BLACKHOLE), Int(NHA_ENCAP), Int(NHA_FDB): isPlain = false
            default: break
            }
        }
        guard let id, id != 0 else { return nil }
        self.id = NextHopID(rawValue: id)
        protocolNumber = fixed.nh_protocol
        isGroup = members != nil
        self.interface = interface
        memberIDs = members ?? []
        if !isPlain {
            content = .other
        } else if isWeighted {
            content = .weightedGroup
        } else if let members {
            content = .group(members)
        } else if let interface, gateway != nil || fixed.nh_family == UInt8(AF_INET6) {
            content = .single(NextHop(interface: interface, gateway: gateway ?? .unspecified))
        } else {
            content = .other
        }
    }
}
