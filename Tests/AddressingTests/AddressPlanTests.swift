import Addressing
import Testing

@Suite struct AddressPlanTests {
    static let plan = AddressPlan(base: IPv6Prefix("2001:db8:1:2::/71")!)!

    /// A node's /119 is the base, then the hardware address shifted left by 9 bits. Its lower /120 is for the host, its upper
    /// one for pods.
    @Test func addressesAreThoseCalculatedByHand() {
        // 00:1b:21:0a:0f:ff is 0x1b210a0fff; shifted left by 9 bits it is 0x3642_141f_fe00.
        let mac = MACAddress("00:1b:21:0a:0f:ff")!
        #expect(Self.plan.nodePrefix(for: mac).description == "2001:db8:1:2:0:3642:141f:fe00/119")
        #expect(Self.plan.nodeAddress(for: mac).description == "2001:db8:1:2:0:3642:141f:fe00")
        #expect(Self.plan.hostPrefix(for: mac).description == "2001:db8:1:2:0:3642:141f:fe00/120")
        #expect(Self.plan.podPrefix(for: mac).description == "2001:db8:1:2:0:3642:141f:ff00/120")
        #expect(
            (0..<4).map { Self.plan.portPrefix(for: mac, port: $0).description }
                == ["10", "14", "18", "1c"].map { "2001:db8:1:2:0:3642:141f:fe\($0)/126" })
    }

    /// 71 bits of base, 48 of hardware address and 9 of the node's own make 128.
    @Test func theHighestHardwareAddressFitsTheBase() {
        let highest = MACAddress(rawValue: .max)
        #expect(highest.rawValue == 0xffff_ffff_ffff)
        #expect(Self.plan.nodePrefix(for: highest).description == "2001:db8:1:2:1ff:ffff:ffff:fe00/119")
        #expect(Self.plan.base.contains(Self.plan.nodePrefix(for: highest)))
        #expect(Self.plan.podPrefix(for: MACAddress(rawValue: 0)).description == "2001:db8:1:2::100/120")
        #expect(AddressPlan(base: IPv6Prefix("2001:db8::/72")!) == nil)
        #expect(AddressPlan(base: IPv6Prefix("2001:db8::/32")!) != nil)
    }

    /// For hardware addresses with one bit set each: no two nodes, and no two parts of a node, overlap.
    @Test func prefixesOfNodesAndTheirPartsDoNotOverlap() {
        let macs = (0..<48).map { MACAddress(rawValue: 1 << $0) }
        for mac in macs {
            let node = Self.plan.nodePrefix(for: mac)
            let (host, pods) = (Self.plan.hostPrefix(for: mac), Self.plan.podPrefix(for: mac))
            #expect(Self.plan.base.contains(node) && node.contains(host) && node.contains(pods))
            #expect(!host.contains(pods.address) && !pods.contains(host.address))
            #expect(host.contains(Self.plan.nodeAddress(for: mac)))
            for port in 0..<4 {
                let cable = Self.plan.portPrefix(for: mac, port: port)
                #expect(host.contains(cable) && !cable.contains(Self.plan.nodeAddress(for: mac)))
            }
        }
        #expect(Set(macs.map { Self.plan.nodePrefix(for: $0) }).count == macs.count)
    }

    /// Physical ports come first, then universally administered addresses, then the lowest. Zero and multicast addresses are
    /// not used.
    @Test func theHardwareAddressOfANodeIsThatOfItsLowestPhysicalPort() {
        func port(_ mac: String, physical: Bool) -> AddressPlan.Port {
            AddressPlan.Port(mac: MACAddress(mac)!, isPhysical: physical)
        }
        let virtual = port("00:00:00:00:00:01", physical: false)
        let local = port("02:00:00:00:00:01", physical: true)
        let high = port("00:50:00:00:00:09", physical: true)
        let low = port("00:50:00:00:00:08", physical: true)
        let unusable = [port("00:00:00:00:00:00", physical: true), port("01:00:00:00:00:00", physical: true)]
        #expect(AddressPlan.nodeMAC(among: unusable + [high, virtual, local, low]) == low.mac)
        #expect(AddressPlan.nodeMAC(among: unusable + [virtual, local]) == local.mac)
        #expect(AddressPlan.nodeMAC(among: unusable + [virtual]) == virtual.mac)
        #expect(AddressPlan.nodeMAC(among: unusable) == nil)
    }

    @Test func nextHopsSortByInterfaceThenGateway() {
        let hops = [(1, "fe80::2"), (2, "fe80::1"), (2, "fe80::3")].map {
            NextHop(interface: $0.0, gateway: IPv6Address($0.1)!)
        }
        #expect(hops.reversed().sorted() == hops)
    }
}
