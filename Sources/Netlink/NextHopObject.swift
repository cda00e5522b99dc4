internal import Addressing
internal import CNetlink
internal import Routing

/// A next-hop object as the kernel describes it.
struct NextHopObject {
    enum Content {
        case single(NextHop)
        case group(NextHopGroup)
        /// A group with other weights than those of a member and its backup, which we never make but can replace.
        case weightedGroup(isResilient: Bool)
        /// Something else that we do not make, such as a blackhole or an IPv4 next hop without a gateway.
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
    /// The weights of the members of a group, each 1–65,536.
    var weights: [Int] = []
    /// Whether it is a resilient group.
    var isResilient = false

    init?(_ message: MessageView) {
        guard message.type == Int(RTM_NEWNEXTHOP) || message.type == Int(RTM_DELNEXTHOP),
            let fixed = message.fixed(nhmsg.self)
        else { return nil }
        var id: UInt32?
        var interface: UInt32?
        var gateway: IPv6Address?
        var members: [nexthop_grp]?
        var isPlain = true
        var isResilient = false
        message.forEachAttribute(after: nhmsg.self) { attribute in
            switch attribute.type {
            case Int(NHA_ID): id = attribute.value()
            case Int(NHA_OIF): interface = attribute.value()
            case Int(NHA_GATEWAY): gateway = attribute.address
            case Int(NHA_GROUP):
                let size = MemoryLayout<nexthop_grp>.size
                members = stride(from: 0, to: attribute.payload.count - attribute.payload.count % size, by: size)
                    .map { attribute.payload.loadUnaligned(fromByteOffset: $0, as: nexthop_grp.self) }
            case Int(NHA_GROUP_TYPE):
                // 0 is a plain multipath group.
                let type = attribute.value(UInt16.self)
                isResilient = type == ResilientGroup.type
                if type != 0, !isResilient { isPlain = false }
            case Int(NHA_BLACKHOLE), Int(NHA_ENCAP), Int(NHA_FDB): isPlain = false
            default: break
            }
        }
        guard let id, id != 0 else { return nil }
        self.id = NextHopID(rawValue: id)
        protocolNumber = fixed.nh_protocol
        isGroup = members != nil
        self.interface = interface
        self.isResilient = isResilient
        memberIDs = members?.map { NextHopID(rawValue: $0.id) } ?? []
        weights = members?.map(\.totalWeight) ?? []
        if !isPlain {
            content = .other
        } else if isGroup {
            content = Self.group(memberIDs, weights, isResilient: isResilient)
        } else if let interface, gateway != nil || fixed.nh_family == UInt8(AF_INET6) {
            content = .single(NextHop(interface: interface, gateway: gateway ?? .unspecified))
        } else {
            content = .other
        }
    }

    /// A group with these members. Only the ratio of weights counts: zebra may rewrite our groups, with the weight 256 for every
    /// member.
    private static func group(_ members: [NextHopID], _ weights: [Int], isResilient: Bool) -> Content {
        if weights.allSatisfy({ $0 == weights[0] }) { return .group(NextHopGroup(members, isResilient: isResilient)) }
        guard weights == [Int(GroupWeight.beforeBackup), 1] else { return .weightedGroup(isResilient: isResilient) }
        return .group(NextHopGroup([members[0]], backup: members[1], isResilient: isResilient))
    }
}
