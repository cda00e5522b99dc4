internal import Addressing
internal import CNetlink
internal import Glibc
internal import Routing

/// A route as the kernel describes it.
struct KernelRoute {
    var family: IPFamily
    var prefix: IPv6Prefix
    var table: UInt32
    var protocolNumber: UInt8
    var metric: UInt32 = 0
    var preferredSource: IPv6Address?
    /// What it points at; `nil` if no route of ours could: it has no next hop, or one with another weight than 1.
    var target: RouteTarget?
    var isUnicast: Bool
    /// Whether its type is `anycast`.
    var isAnycast: Bool
    /// Whether it is a copy that the kernel made for one destination, for example because of a smaller path MTU.
    var isCached: Bool
    /// The next hops, sorted independently of the kernel's order. Of a route with a next-hop object, the kernel reports them
    /// only with `nexthop_compat_mode`.
    var hops: [Hop] = []
    /// The interfaces of dead next hops, for example those whose interface is down. Empty for a route with one next hop.
    var deadInterfaces: Set<UInt32> = []
    /// The type of service (`rtm_tos`) to which it is limited; 0 for all.
    var typeOfService: UInt8

    /// One next hop of a route: an interface and, unless every destination is on its link, a gateway.
    struct Hop: Hashable {
        var interface: UInt32
        var gateway: IPv6Address?
        /// The weight minus one, as in the kernel's message.
        var weight: UInt8 = 0
    }

    /// The kernel's protocol number for routes from router advertisements (RTPROT_RA).
    static let advertisement: UInt8 = 9
    /// The kernel's protocol number for routes that it makes for connected subnets (RTPROT_KERNEL).
    static let connected: UInt8 = 2

    /// Whether it is for all destinations of its family. An IPv4 prefix is in mapped form: 96 bits precede it.
    var isDefault: Bool { prefix.length == (family == .ipv6 ? 0 : 96) }

    /// Whether it leads through `lo` as our service routes do, whatever its source.
    var isServiceRoute: Bool {
        target == .nextHops([NextHop(onLink: KernelAddresses.loopback)]) && (family == .ipv4 ? isAnycast : isUnicast)
    }

    init?(_ message: MessageView) {
        guard message.type == Int(RTM_NEWROUTE) || message.type == Int(RTM_DELROUTE),
            let fixed = message.fixed(rtmsg.self)
        else { return nil }
        let precedingBits: Int
        var destination: IPv6Address
        switch CInt(fixed.rtm_family) {
        case AF_INET6: (family, precedingBits, destination) = (.ipv6, 0, .unspecified)
        case AF_INET: (family, precedingBits, destination) = (.ipv4, 96, IPv6Address(IPv4Address(0)))
        default: return nil
        }
        guard precedingBits + Int(fixed.rtm_dst_len) <= 128 else { return nil }
        table = UInt32(fixed.rtm_table)
        protocolNumber = fixed.rtm_protocol
        typeOfService = fixed.rtm_tos
        isUnicast = fixed.rtm_type == UInt8(RTN_UNICAST)
        isAnycast = fixed.rtm_type == UInt8(RTN_ANYCAST)
        let cloned: UInt32 = 0x200  // RTM_F_CLONED
        isCached = fixed.rtm_flags & cloned != 0
        prefix = .default
        var group: NextHopID?
        var gateway: IPv6Address?
        var interface: UInt32?
        var route = self
        message.forEachAttribute(after: rtmsg.self) { attribute in
            switch attribute.type {
            case Int(RTA_DST.rawValue): destination = attribute.address ?? destination
            case Int(RTA_TABLE.rawValue): route.table = attribute.value() ?? route.table
            case Int(RTA_PRIORITY.rawValue): route.metric = attribute.value() ?? 0
            case Int(RTA_PREFSRC.rawValue): route.preferredSource = attribute.address
            case Int(RTA_NH_ID.rawValue): group = attribute.value(UInt32.self).map(NextHopID.init)
            case Int(RTA_OIF.rawValue): interface = attribute.value()
            case Int(RTA_GATEWAY.rawValue): gateway = attribute.address
            case Int(RTA_VIA.rawValue): gateway = attribute.gatewayOfOtherFamily
            case Int(RTA_MULTIPATH.rawValue): route.readNextHops(attribute.payload)
            default: break
            }
        }
        route.prefix = IPv6Prefix(destination, length: precedingBits + Int(fixed.rtm_dst_len))
        if route.hops.isEmpty, let interface { route.hops = [Hop(interface: interface, gateway: gateway)] }
        route.hops.sort { ($0.interface, $0.gateway ?? .unspecified) < ($1.interface, $1.gateway ?? .unspecified) }
        if let group {
            route.target = .group(group)
        } else if !route.hops.isEmpty {
            let nextHops = route.hops.compactMap { hop in
                // We set no weights.
                hop.weight == 0 ? NextHop(interface: hop.interface, gateway: hop.gateway ?? .unspecified) : nil
            }
            if nextHops.count == route.hops.count { route.target = .nextHops(nextHops.sorted()) }
        }
        self = route
    }

    private mutating func readNextHops(_ list: UnsafeRawBufferPointer) {
        let headerSize = MemoryLayout<rtnexthop>.size
        var offset = 0
        while list.count - offset >= headerSize {
            let header = list.loadUnaligned(fromByteOffset: offset, as: rtnexthop.self)
            let length = Int(header.rtnh_len)
            guard length >= headerSize, length <= list.count - offset else { break }
            var gateway: IPv6Address?
            AttributeView.forEach(in: UnsafeRawBufferPointer(rebasing: list[(offset + headerSize)..<(offset + length)]))
            {
                if $0.type == Int(RTA_GATEWAY.rawValue) { gateway = $0.address }
                if $0.type == Int(RTA_VIA.rawValue) { gateway = $0.gatewayOfOtherFamily }
            }
            let interface = UInt32(bitPattern: header.rtnh_ifindex)
            if Int(header.rtnh_flags) & Int(RTNH_F_DEAD) != 0 { deadInterfaces.insert(interface) }
            hops.append(Hop(interface: interface, gateway: gateway, weight: header.rtnh_hops))
            offset += (length + 3) & ~3
        }
    }
}
