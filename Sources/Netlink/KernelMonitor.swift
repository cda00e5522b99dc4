internal import Addressing
internal import CNetlink
internal import Glibc
public import Links
public import Linux

/// Follows links and addresses. It has a socket of its own, apart from routes, so that floods of route changes never
/// delay the news that a link is down. To be used on one thread.
public final class KernelMonitor {
    /// The links, by index.
    public private(set) var links: [UInt32: Link] = [:]
    /// The addresses of both families; IPv4's in their mapped form.
    public var addresses: some Collection<InterfaceAddress> { addressTable.values }
    /// How often notifications were lost and everything was read again.
    public private(set) var overflows: UInt64 = 0
    /// The descriptor to watch; call ``read()`` when it is readable.
    public var descriptor: CInt { subscription.descriptor }

    private struct AddressKey: Hashable {
        var interface: UInt32
        var address: IPv6Address
    }

    private var addressTable: [AddressKey: InterfaceAddress] = [:]
    private let subscription: NetlinkSocket
    private let requests: NetlinkSocket

    /// The most datagrams read in one call.
    private static let datagramsPerRead = 64

    /// Subscribes, and reads what there is: ``links`` and ``addresses`` are complete from the start. In the calling
    /// thread's network namespace. A small `receiveBuffer` (octets) is for tests.
    public init(receiveBuffer: CInt = 4 << 20) throws(SystemError) {
        subscription = try NetlinkSocket(
            groups: [
                CInt(RTNLGRP_LINK.rawValue), CInt(RTNLGRP_IPV6_IFADDR.rawValue), CInt(RTNLGRP_IPV4_IFADDR.rawValue),
            ], receiveBuffer: receiveBuffer)
        requests = try NetlinkSocket()
        _ = try readEverything()
    }

    /// The events that wait, in order; a bounded number, after which the descriptor is still readable.
    public func read() throws(SystemError) -> [KernelEvent] {
        var events: [KernelEvent] = []
        for _ in 0..<Self.datagramsPerRead {
            switch try subscription.receive(wait: false) {
            case .nothing:
                return events
            case .octets(let count):
                subscription.forEachMessage(count) { take($0, &events) }
            case .overflow:
                overflows += 1
                events += try readEverything()
                events.append(.resynchronized)
            }
        }
        return events
    }

    private func take(_ message: MessageView, _ events: inout [KernelEvent]) {
        switch message.type {
        case Int(RTM_NEWLINK):
            guard let link = Link(message), links.updateValue(link, forKey: link.index) != link else { return }
            events.append(.link(link))
        case Int(RTM_DELLINK):
            guard let link = Link(message), links.removeValue(forKey: link.index) != nil else { return }
            events.append(.linkRemoved(link))
        case Int(RTM_NEWADDR):
            guard let address = InterfaceAddress(message) else { return }
            let key = AddressKey(interface: address.interface, address: address.address)
            if addressTable.updateValue(address, forKey: key) != address { events.append(.address(address)) }
        case Int(RTM_DELADDR):
            guard let address = InterfaceAddress(message) else { return }
            let key = AddressKey(interface: address.interface, address: address.address)
            // One put on a link that is down may never have been told of; it is gone all the same.
            events.append(.addressRemoved(addressTable.removeValue(forKey: key) ?? address))
        default:
            break
        }
    }

    /// Reads all links and addresses; the differences to what was known.
    private func readEverything() throws(SystemError) -> [KernelEvent] {
        var messages: [KernelEvent] = []
        var seenLinks: Set<UInt32> = []
        var seenAddresses: Set<AddressKey> = []
        try requests.dump(Int(RTM_GETLINK), ifinfomsg(), of: "links", restart: { seenLinks = [] }) { message in
            if let link = Link(message) { seenLinks.insert(link.index) }
            take(message, &messages)
        }
        let fixed = ifaddrmsg(ifa_family: UInt8(AF_UNSPEC), ifa_prefixlen: 0, ifa_flags: 0, ifa_scope: 0, ifa_index: 0)
        try requests.dump(Int(RTM_GETADDR), fixed, of: "addresses", restart: { seenAddresses = [] }) { message in
            if let address = InterfaceAddress(message) {
                seenAddresses.insert(AddressKey(interface: address.interface, address: address.address))
            }
            take(message, &messages)
        }
        for (key, address) in addressTable where !seenAddresses.contains(key) {
            addressTable[key] = nil
            messages.append(.addressRemoved(address))
        }
        for (index, link) in links where !seenLinks.contains(index) {
            links[index] = nil
            messages.append(.linkRemoved(link))
        }
        return messages
    }
}
