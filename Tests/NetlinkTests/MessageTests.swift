import Addressing
import CNetlink
import Links
import OSPF
import Routing
import Testing

@testable import Netlink

/// Messages are read safely whatever they contain.
@Suite struct MessageTests {
    /// Runs all readers over every message in a buffer. Returns the number of messages.
    private func readAll(_ octets: [UInt8]) -> Int {
        var count = 0
        octets.withUnsafeBytes { buffer in
            MessageView.forEach(in: buffer) { message in
                count += 1
                _ = Link(message)
                _ = InterfaceAddress(message)
                _ = NextHopObject(message)
                _ = KernelRoute(message)
                _ = message.answer
            }
        }
        return count
    }

    /// A route, a next-hop group, a link and an address, as the encoder writes them.
    private func samples() -> MessageEncoder {
        var encoder = MessageEncoder()
        var route = rtmsg()
        route.rtm_family = 10
        route.rtm_dst_len = 128
        encoder.message(Int(RTM_NEWROUTE), flags: 0, sequence: 1, route) {
            $0.attribute(Int(RTA_DST.rawValue), IPv6Address.loopback)
            $0.nested(Int(RTA_MULTIPATH.rawValue)) { list in
                list.append(rtnexthop(rtnh_len: 28, rtnh_flags: 0, rtnh_hops: 0, rtnh_ifindex: 3))
                list.attribute(Int(RTA_GATEWAY.rawValue), IPv6Address.loopback)
            }
        }
        encoder.message(Int(RTM_NEWNEXTHOP), flags: 0, sequence: 2, nhmsg()) {
            $0.attribute(Int(NHA_ID), UInt32(7))
            $0.nested(Int(NHA_GROUP)) { $0.append(nexthop_grp(id: 5, weight: 0, resvd1: 0, resvd2: 0)) }
        }
        var link = ifinfomsg()
        link.ifi_index = 3
        encoder.message(Int(RTM_NEWLINK), flags: 0, sequence: 3, link) {
            $0.attribute(Int(IFLA_IFNAME), string: "eth0")
            $0.attribute(Int(IFLA_MTU), UInt32(1500))
        }
        var address = ifaddrmsg()
        address.ifa_family = 10
        encoder.message(Int(RTM_NEWADDR), flags: 0, sequence: 4, address) {
            $0.attribute(Int(IFA_ADDRESS), IPv6Address.loopback)
        }
        return encoder
    }

    @Test func encodedMessagesAreReadBack() {
        var routes: [KernelRoute] = []
        var objects: [NextHopObject] = []
        var links: [Link] = []
        var addresses: [InterfaceAddress] = []
        samples().octets.withUnsafeBytes { buffer in
            MessageView.forEach(in: buffer) { message in
                switch message.type {
                case Int(RTM_NEWROUTE): routes += [KernelRoute(message)].compactMap { $0 }
                case Int(RTM_NEWNEXTHOP): objects += [NextHopObject(message)].compactMap { $0 }
                case Int(RTM_NEWLINK): links += [Link(message)].compactMap { $0 }
                default: addresses += [InterfaceAddress(message)].compactMap { $0 }
                }
            }
        }
        #expect(routes.map(\.prefix) == [IPv6Prefix(host: .loopback)])
        #expect(routes.map(\.target) == [.nextHops([NextHop(interface: 3, gateway: .loopback)])])
        #expect(objects.map(\.id.rawValue) == [7])
        #expect(objects.allSatisfy { if case .group([NextHopID(rawValue: 5)]) = $0.content { true } else { false } })
        #expect(links.map(\.name) == ["eth0"] && links.map(\.mtu) == [1500])
        #expect(addresses.map(\.address) == [.loopback])
    }

    @Test func noLengthIsTrusted() {
        let original = samples().octets
        #expect(readAll(original) == 4)
        for end in original.indices { #expect(readAll(Array(original[..<end])) <= 4) }
        var state: UInt64 = 1
        func random() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
        for _ in 0..<20_000 {
            var octets = original
            for _ in 0...random() % 6 {
                octets[Int(random() % UInt64(octets.count))] = UInt8(truncatingIfNeeded: random())
            }
            // A message is at least its header of 16 octets.
            #expect(readAll(octets) <= octets.count / 16)
        }
    }
}
