internal import Addressing
internal import CNetlink
internal import Glibc
public import Links
public import Linux

/// Monitors links, addresses, the default routes of others, routers that advertise prefixes, and the settings of forwarding
/// and `rp_filter`. It has its own socket, separate from the one that changes our routes, and a filter that passes no routes
/// but default routes, so that floods of route changes never delay the notification that a link is down.
/// To be used on one thread.
public final class KernelMonitor {
    /// The links, by index.
    public private(set) var links: [UInt32: Link] = [:]
    /// The addresses of both families; IPv4 addresses in their mapped form.
    public var addresses: some Collection<InterfaceAddress> { addressTable.values }
    /// The default routes, in the main table and in ours, that are not ours.
    public internal(set) var defaultRoutes: Set<DefaultRoute> = []
    /// How many times the kernel dropped notifications, so that everything had to be read again.
    public private(set) var overflows: UInt64 = 0
    /// The descriptor to watch; call ``read(through:)`` when it is readable.
    public var descriptor: CInt { subscription.descriptor }

    private struct AddressKey: Hashable {
        var interface: UInt32
        var address: IPv6Address
    }

    let configuration: KernelFIBConfiguration
    private var addressTable: [AddressKey: InterfaceAddress] = [:]
    var defaultRouteTable = DefaultRouteTable()
    /// Whether ``defaultRouteTable`` may be wrong, so that the routes must be read again.
    var mustReadDefaultRoutes = false
    /// Whether ``read(through:)`` must still report `.settingsChanged`.
    private var settingsHaveChanged = false
    /// Whether notifications were lost, so that everything must be read again.
    private var mustReadEverything = false
    /// The interfaces of those ``events`` that report router advertisements.
    private var advertisedInterfaces: Set<UInt32> = []
    /// The events that ``read(through:)`` has not returned yet.
    private var events: [KernelEvent] = []
    /// Receives notifications.
    private let subscription: NetlinkSocket
    /// Requests dumps and next-hop objects; no notification comes between its answers.
    let requests: NetlinkSocket

    /// The maximum number of datagrams read in one call, so that a flood of notifications does not delay hellos.
    private static let datagramsPerRead = 64
    /// The maximum number of datagrams read in search of the caller's own removals: more than a receive buffer usually holds.
    private static let datagramsPerSearch = 32_768
    /// The mark (`IFA_PROTO`) on addresses that the kernel made from router advertisements (IFAPROT_KERNEL_RA, Linux 5.18 and
    /// later).
    private static let advertisedOrigin: UInt8 = 2

    /// Subscribes in the calling thread's network namespace, and reads the current state: ``links``, ``addresses`` and
    /// ``defaultRoutes`` are complete from the start. A small `receiveBuffer` (octets) is for tests.
    public init(
        configuration: KernelFIBConfiguration = KernelFIBConfiguration(), receiveBuffer: CInt = 4 << 20
    ) throws(SystemError) {
        self.configuration = configuration
        subscription = try NetlinkSocket(receiveBuffer: receiveBuffer)
        // The filter is attached first, so that no route is queued before it.
        try Self.filter(protocolNumber: configuration.protocolNumber)
            .attach(to: subscription.descriptor, "filter notifications of the kernel")
        for group in [
            RTNLGRP_LINK, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_ROUTE,
            RTNLGRP_IPV6_PREFIX, RTNLGRP_IPV6_NETCONF, RTNLGRP_IPV4_NETCONF,
        ] {
            try subscription.join(CInt(group.rawValue))
        }
        requests = try NetlinkSocket()
        try readEverything()
        // The initial state is not reported as events.
        events = []
        advertisedInterfaces = []
    }

    /// Whether ``read(through:)`` has failed and must be called again, although the descriptor may not be readable.
    public private(set) var mustRetry = false

    /// Reads pending events: those of links, addresses and router advertisements in order, then default routes, then settings.
    /// The number of datagrams is limited; the descriptor stays readable if there are more. After the caller has removed
    /// `removals` addresses, reading goes on, up to a higher limit, until as many removals were read: other notifications may
    /// wait before them, for example that the kernel has finished duplicate address detection. If this throws, no event is
    /// lost: the next call returns all (``mustRetry``).
    public func read(through removals: Int = 0) throws(SystemError) -> [KernelEvent] {
        mustRetry = true
        try readNotifications(through: removals)
        if mustReadEverything {
            try readEverything()
            mustReadEverything = false
            events += [.settingsChanged, .resynchronized]
            settingsHaveChanged = false
        }
        if mustReadDefaultRoutes { try readDefaultRoutes() }
        events += defaultRouteEvents()
        if settingsHaveChanged { events.append(.settingsChanged) }
        settingsHaveChanged = false
        mustRetry = false
        advertisedInterfaces = []
        defer { events = [] }
        return events
    }

    private func readNotifications(through removals: Int) throws(SystemError) {
        var removalsLeft = removals
        var datagrams = 0
        reading: while datagrams < (removalsLeft > 0 ? Self.datagramsPerSearch : Self.datagramsPerRead) {
            datagrams += 1
            switch try subscription.receive(wait: false) {
            case .nothing:
                break reading
            case .octets(let count):
                // Routes are processed after the other messages, because the next-hop object of a route may have to be
                // requested, which can fail.
                var routes: [(KernelRoute, isNew: Bool, replaces: Bool)] = []
                subscription.forEachMessage(count) { message in
                    if message.type == Int(RTM_DELADDR) { removalsLeft -= 1 }
                    if let route = KernelRoute(message) {
                        routes.append(
                            (route, message.type == Int(RTM_NEWROUTE), message.flags & Flag.replace != 0))
                    } else {
                        process(message, &events)
                    }
                }
                for (route, isNew, replaces) in routes {
                    do throws(SystemError) { try process(route, isNew: isNew, replaces: replaces) } catch {
                        mustReadDefaultRoutes = true
                    }
                }
            case .overflow:
                overflows += 1
                mustReadEverything = true
            }
        }
    }

    /// Applies a notification, or a message of a dump, to the tables. Appends the event that follows from it, if any.
    private func process(_ message: MessageView, _ events: inout [KernelEvent]) {
        switch message.type {
        case Int(RTM_NEWLINK):
            guard let link = Link(message), links.updateValue(link, forKey: link.index) != link else { return }
            if link.isUp {
                defaultRouteTable.restoreNextHops(over: link.index)
            } else {
                forgetDefaultRoutes(over: link.index)
            }
            events.append(.link(link))
        case Int(RTM_DELLINK):
            guard let link = Link(message), links.removeValue(forKey: link.index) != nil else { return }
            forget(link, &events)
        case Int(RTM_NEWADDR):
            guard let address = InterfaceAddress(message) else { return }
            let key = AddressKey(interface: address.interface, address: address.address)
            if addressTable.updateValue(address, forKey: key) != address { events.append(.address(address)) }
            // When an interface gets an IPv4 address, the kernel revives its dead IPv4 next hops.
            if address.address.ipv4 != nil { defaultRouteTable.restoreNextHops(over: address.interface) }
            if address.origin == Self.advertisedOrigin { noteAdvertisement(on: address.interface, &events) }
        case Int(RTM_DELADDR):
            guard let address = InterfaceAddress(message) else { return }
            let key = AddressKey(interface: address.interface, address: address.address)
            // For an address that was added while the link was down there may have been no notification.
            forget(addressTable.removeValue(forKey: key) ?? address, &events)
        case Int(RTM_NEWPREFIX):
            guard let fixed = message.fixed(prefixmsg.self), fixed.prefix_ifindex > 0 else { return }
            noteAdvertisement(on: UInt32(fixed.prefix_ifindex), &events)
        case Int(RTM_NEWNETCONF):
            message.forEachAttribute(after: netconfmsg.self) {
                if [NETCONFA_FORWARDING, NETCONFA_RP_FILTER].contains($0.type) { settingsHaveChanged = true }
            }
        default:
            break
        }
    }

    /// Reports a link that is gone. Its default routes are gone with it.
    private func forget(_ link: Link, _ events: inout [KernelEvent]) {
        forgetDefaultRoutes(over: link.index, isGone: true)
        events.append(.linkRemoved(link))
    }

    /// Reports an address that is gone.
    private func forget(_ address: InterfaceAddress, _ events: inout [KernelEvent]) {
        // The kernel does not notify the removal of IPv4 routes that depend on an address.
        if address.address.ipv4 != nil {
            if !defaultRouteTable.removeRoutes(from: address.address) { mustReadDefaultRoutes = true }
            let isLast = !addressTable.values.contains { $0.interface == address.interface && $0.address.ipv4 != nil }
            if isLast { forgetDefaultRoutes(over: address.interface, of: .ipv4) }
        }
        events.append(.addressRemoved(address))
    }

    /// Reports a router advertisement, once per ``read(through:)`` and interface.
    private func noteAdvertisement(on interface: UInt32, _ events: inout [KernelEvent]) {
        guard links[interface] != nil, advertisedInterfaces.insert(interface).inserted else { return }
        events.append(.routerAdvertised(interface: interface))
    }

    /// Reads all links, addresses and default routes. The differences from the previous state become events.
    private func readEverything() throws(SystemError) {
        var seenLinks: Set<UInt32> = []
        var seenAddresses: Set<AddressKey> = []
        try requests.dump(Int(RTM_GETLINK), ifinfomsg(), of: "links", restart: { seenLinks = [] }) { message in
            if let link = Link(message) { seenLinks.insert(link.index) }
            process(message, &events)
        }
        let fixed = ifaddrmsg(ifa_family: UInt8(AF_UNSPEC), ifa_prefixlen: 0, ifa_flags: 0, ifa_scope: 0, ifa_index: 0)
        try requests.dump(Int(RTM_GETADDR), fixed, of: "addresses", restart: { seenAddresses = [] }) { message in
            if let address = InterfaceAddress(message) {
                seenAddresses.insert(AddressKey(interface: address.interface, address: address.address))
            }
            process(message, &events)
        }
        for (key, address) in addressTable where !seenAddresses.contains(key) {
            addressTable[key] = nil
            forget(address, &events)
        }
        for (index, link) in links where !seenLinks.contains(index) {
            links[index] = nil
            forget(link, &events)
        }
        try readDefaultRoutes()
        events += defaultRouteEvents()
    }
}
