internal import Addressing
internal import CNetlink
internal import Glibc
internal import Links

extension Link {
    /// Reads a link message; `nil` if it is not about a network device (bridges report their ports in link messages), or has
    /// no name.
    init?(_ message: MessageView) {
        guard let fixed = message.fixed(ifinfomsg.self), fixed.ifi_family == UInt8(AF_UNSPEC), fixed.ifi_index > 0
        else {
            return nil
        }
        // IFF_RUNNING and IFF_LOWER_UP; below, 0x1 is IFF_UP, 0x8 IFF_LOOPBACK and 0x1000 IFF_MULTICAST.
        let flags = fixed.ifi_flags
        let running: UInt32 = 0x40
        let lowerUp: UInt32 = 0x1_0000
        var link = Link(
            index: UInt32(fixed.ifi_index), name: "", isUp: flags & 0x1 != 0,
            hasCarrier: flags & running != 0 && flags & lowerUp != 0, isLoopback: flags & 0x8 != 0,
            isMulticastCapable: flags & 0x1000 != 0, mtu: 0, isPhysical: false)
        var hasParent = false
        message.forEachAttribute(after: ifinfomsg.self) { attribute in
            switch attribute.type {
            case Int(IFLA_IFNAME): link.name = attribute.string
            case Int(IFLA_MTU): link.mtu = attribute.value(UInt32.self).map(Int.init) ?? 0
            case Int(IFLA_ADDRESS): link.macAddress = attribute.macAddress
            case Int(IFLA_PERM_ADDRESS): link.permanentMACAddress = attribute.macAddress
            case Int(IFLA_MASTER): link.master = attribute.value()
            case Int(IFLA_LINK_NETNSID): link.linkNamespaceID = attribute.value()
            case Int(IFLA_PARENT_DEV_NAME): hasParent = true
            case Int(IFLA_LINKINFO):
                attribute.forEachNested { if $0.type == Int(IFLA_INFO_KIND) { link.kind = $0.string } }
            default: break
            }
        }
        // Wireless drivers send events in link messages without a name.
        guard !link.name.isEmpty else { return nil }
        // Kernels before 5.14 do not report the parent; /sys does, but only for the namespace in which it was mounted.
        link.isPhysical =
            link.kind == nil && !link.isLoopback
            && (hasParent || access("/sys/class/net/\(link.name)/device", F_OK) == 0)
        self = link
    }
}

extension InterfaceAddress {
    /// Reads an address message; `nil` if it is not about IPv6 or IPv4, or has no address.
    init?(_ message: MessageView) {
        guard let fixed = message.fixed(ifaddrmsg.self), [AF_INET6, AF_INET].contains(CInt(fixed.ifa_family))
        else { return nil }
        var local: IPv6Address?
        var peer: IPv6Address?
        var flags = UInt32(fixed.ifa_flags)
        var origin: UInt8 = 0
        message.forEachAttribute(after: ifaddrmsg.self) { attribute in
            switch attribute.type {
            case Int(IFA_LOCAL): local = attribute.address
            case Int(IFA_ADDRESS): peer = attribute.address
            case Int(IFA_FLAGS): flags = attribute.value() ?? flags
            case Int(IFA_PROTO): origin = attribute.value() ?? 0
            default: break
            }
        }
        guard let address = local ?? peer else { return nil }
        // An optimistic address can be used before duplicate address detection has ended (IFA_F_OPTIMISTIC, RFC 4429).
        let optimistic: UInt32 = 0x04
        self.init(
            interface: fixed.ifa_index, address: address,
            prefixLength: Int(fixed.ifa_prefixlen) + (address.ipv4 == nil ? 0 : 96),
            isTentative: flags & UInt32(IFA_F_TENTATIVE) != 0 && flags & optimistic == 0,
            isDuplicate: flags & UInt32(IFA_F_DADFAILED) != 0, origin: origin)
    }
}
