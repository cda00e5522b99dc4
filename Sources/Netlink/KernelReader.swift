public import Addressing
internal import CNetlink
internal import Glibc
public import Links
public import Linux

/// An entry of the kernel's neighbor table (ARP or NDP), which is not an OSPF neighbor: an address of another machine.
public struct KnownNeighbor: Hashable, Sendable {
    /// The address; an IPv4 address in its mapped form.
    public var address: IPv6Address
    /// The interface over which the kernel reaches it.
    public var interface: UInt32
    /// Its hardware address, where there is a 48-bit one.
    public var macAddress: MACAddress?
    /// Whether the kernel has not confirmed its reachability recently (`NUD_STALE`), so that it may be gone.
    public var isStale: Bool

    public init(address: IPv6Address, interface: UInt32, macAddress: MACAddress? = nil, isStale: Bool = false) {
        self.address = address
        self.interface = interface
        self.macAddress = macAddress
        self.isStale = isStale
    }
}

/// Reads routes of others and the neighbor table, to check that an address or a range is not in use elsewhere before we use it.
/// Each such read goes through a whole table of the kernel, so it is not for polling. To be used on one thread.
public final class KernelReader {
    private let socket: NetlinkSocket
    private let configuration: KernelFIBConfiguration

    /// Opens a socket in the calling thread's network namespace.
    public init(configuration: KernelFIBConfiguration = KernelFIBConfiguration()) throws(SystemError) {
        self.configuration = configuration
        socket = try NetlinkSocket()
    }

    /// The routes of others in the main table and in ours whose prefix contains `prefix` or is contained in it, including those
    /// of connected subnets; the first `limit` in the kernel's order. Default routes are not included.
    public func foreignRoutes(overlapping prefix: IPv6Prefix, limit: Int = 16) throws(SystemError) -> [ForeignRoute] {
        var result: [ForeignRoute] = []
        for table in Set([UInt32(RT_TABLE_MAIN.rawValue), configuration.table]).sorted() {
            result += try foreignRoutes(overlapping: prefix, in: table, limit: limit - result.count)
        }
        return result
    }

    private func foreignRoutes(
        overlapping prefix: IPv6Prefix, in table: UInt32, limit: Int
    ) throws(SystemError) -> [ForeignRoute] {
        var result: [ForeignRoute] = []
        var fixed = rtmsg()
        fixed.rtm_family = UInt8(prefix.ipv4 == nil ? AF_INET6 : AF_INET)
        do {
            try socket.dump(
                Int(RTM_GETROUTE), fixed, of: "routes", { $0.attribute(Int(RTA_TABLE.rawValue), table) },
                restart: { result = [] }
            ) { message in
                guard result.count < limit, let route = KernelRoute(message), route.table == table,
                    route.protocolNumber != configuration.protocolNumber, !route.isDefault, !route.isCached,
                    route.prefix.contains(prefix) || prefix.contains(route.prefix)
                else { return }
                result.append(ForeignRoute(route))
            }
        } catch let error {
            // The table does not exist until the first route is added to it.
            guard error.code == ENOENT else { throw error }
        }
        return result
    }

    /// Which of `addresses` belong to another machine according to the kernel's neighbor table: the kernel has heard from
    /// the address, or the entry is permanent. Check this before an address is added to this machine.
    public func neighbors(among addresses: Set<IPv6Address>) throws(SystemError) -> [IPv6Address: KnownNeighbor] {
        var result: [IPv6Address: KnownNeighbor] = [:]
        for family in [AF_INET, AF_INET6]
        where addresses.contains(where: { ($0.ipv4 == nil) == (family == AF_INET6) }) {
            var found: [IPv6Address: KnownNeighbor] = [:]
            var fixed = ndmsg()
            fixed.ndm_family = UInt8(family)
            try socket.dump(Int(RTM_GETNEIGH), fixed, of: "neighbors", restart: { found = [:] }) { message in
                guard let neighbor = KnownNeighbor(message), addresses.contains(neighbor.address) else { return }
                found[neighbor.address] = neighbor
            }
            result.merge(found) { $1 }
        }
        return result
    }

    /// Makes the kernel probe a neighbor. If the neighbor does not answer within a few seconds, ``neighbors(among:)`` no
    /// longer returns it. Without a probe, a stale entry would stay. A neighbor that is gone already is no error.
    public func probe(_ neighbor: KnownNeighbor) throws(SystemError) {
        var fixed = ndmsg()
        fixed.ndm_family = UInt8(neighbor.address.ipv4 == nil ? AF_INET6 : AF_INET)
        fixed.ndm_ifindex = Int32(neighbor.interface)
        fixed.ndm_state = UInt16(NUD_PROBE)
        let refusal = try socket.request(Int(RTM_NEWNEIGH), flags: Flag.replace, fixed) {
            $0.attribute(Int(NDA_DST), neighbor.address)
        }
        // The neighbor may have been removed meanwhile, with its interface or without.
        guard let refusal, refusal.code != ENOENT, refusal.code != ENODEV else { return }
        throw SystemError("probe the neighbor \(neighbor.address)", code: refusal.code)
    }
}

extension ForeignRoute {
    init(_ route: KernelRoute) {
        let gateway = route.hops.lazy.compactMap(\.gateway).first
        self.init(
            prefix: route.prefix, interfaces: route.isUnicast ? Set(route.hops.map(\.interface)).sorted() : [],
            gateway: gateway, protocolNumber: route.protocolNumber,
            isConnected: route.protocolNumber == KernelRoute.connected && gateway == nil)
    }
}

extension KnownNeighbor {
    /// Reads a neighbor message; `nil` for entries that are incomplete, have failed, need no resolution (`NUD_NOARP`) or are
    /// proxies, and for other messages.
    init?(_ message: MessageView) {
        let known = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT
        guard message.type == Int(RTM_NEWNEIGH), let fixed = message.fixed(ndmsg.self), fixed.ndm_ifindex > 0,
            CInt(fixed.ndm_state) & known != 0, CInt(fixed.ndm_flags) & NTF_PROXY == 0
        else { return nil }
        var address: IPv6Address?
        var macAddress: MACAddress?
        message.forEachAttribute(after: ndmsg.self) { attribute in
            switch attribute.type {
            case Int(NDA_DST): address = attribute.address
            case Int(NDA_LLADDR): macAddress = attribute.macAddress
            default: break
            }
        }
        guard let address else { return nil }
        self.init(
            address: address, interface: UInt32(fixed.ndm_ifindex), macAddress: macAddress,
            isStale: CInt(fixed.ndm_state) & NUD_STALE != 0)
    }
}
