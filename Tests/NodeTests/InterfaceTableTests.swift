import Addressing
import Links
import MeshConfiguration
import OSPF
import Testing

@testable import Node

@Suite struct InterfaceTableTests {
    private func link(
        _ index: UInt32 = 5, isUp: Bool = true, hasCarrier: Bool = true, mtu: Int = 1500, name: String = "p1",
        isMulticastCapable: Bool = true
    ) -> Link {
        Link(
            index: index, name: name, isUp: isUp, hasCarrier: hasCarrier, isLoopback: false,
            isMulticastCapable: isMulticastCapable,
            mtu: mtu,
            macAddress: MACAddress(rawValue: 0x02_0000_0000 + UInt64(index)), permanentMACAddress: nil, kind: "veth",
            master: nil,
            isPhysical: false, linkNamespaceID: 1)
    }

    private func address(_ text: String, index: UInt32 = 5, tentative: Bool = false, length: Int = 64)
        -> InterfaceAddress
    {
        InterfaceAddress(
            interface: index, address: IPv6Address(text)!, prefixLength: length, isTentative: tentative,
            isDuplicate: false,
            origin: 0)
    }

    @Test func aPortIsUpWithCarrierAndALinkLocalAddress() {
        var table = InterfaceTable()
        let configuration = Configuration()
        #expect(table.update(link(), addresses: [], configuration: configuration) == nil)
        #expect(
            table.update(link(), addresses: [address("fe80::1", tentative: true)], configuration: configuration) == nil)
        let change = table.update(link(), addresses: [address("fe80::1")], configuration: configuration)
        let expected = InterfaceConfiguration(
            index: 5, name: "p1", mtu: 1500, linkLocalAddress: IPv6Address("fe80::1")!)
        #expect(change == .up(expected))
        #expect(table.activePorts == [5])
        #expect(
            table.update(link(), addresses: [address("fe80::1")], configuration: configuration) == nil,
            "an update without a difference is no change")
    }

    /// The port matches a rule, so it is listed as unusable (a problem), not as unused.
    @Test func aPortWithoutMulticastIsUnusable() {
        var table = InterfaceTable()
        _ = table.update(link(), addresses: [address("fe80::1")], configuration: Configuration())
        let change = table.update(
            link(isMulticastCapable: false), addresses: [address("fe80::1")], configuration: Configuration())
        #expect(
            change
                == .down(index: 5, name: "p1", reason: "multicast is off; turn it on with: ip link set p1 multicast on")
        )
        #expect(table.unusable.map(\.name) == ["p1"])
    }

    /// IPv6 needs an MTU of at least 1280.
    @Test(arguments: [
        (false, true, 1500, "the link is down"), (true, false, 1500, "no carrier"), (true, true, 1200, "MTU 1200"),
    ])
    func aPortThatGoesDownHasAReason(isUp: Bool, hasCarrier: Bool, mtu: Int, reason: String) throws {
        var table = InterfaceTable()
        _ = table.update(link(), addresses: [address("fe80::1")], configuration: Configuration())
        let change = table.update(
            link(isUp: isUp, hasCarrier: hasCarrier, mtu: mtu), addresses: [address("fe80::1")],
            configuration: Configuration())
        guard case .down(5, "p1", let text)? = change else {
            Issue.record("the port did not go down: \(String(describing: change))")
            return
        }
        #expect(text.contains(reason))
        guard case .down? = table.ports[5]?.state else {
            Issue.record("the port is not in the table as down")
            return
        }
    }

    /// Of several link-local addresses the one in use is kept, as a change would restart adjacencies.
    @Test func theLinkLocalAddressInUseIsKept() {
        var table = InterfaceTable()
        _ = table.update(link(), addresses: [address("fe80::5")], configuration: Configuration())
        let both = [address("fe80::1"), address("fe80::5")]
        #expect(table.update(link(), addresses: both, configuration: Configuration()) == nil)
        guard case .changed(let new, _)? = table.update(link(), addresses: [both[0]], configuration: Configuration())
        else {
            Issue.record("the port did not change to its other address")
            return
        }
        #expect(new.linkLocalAddress == IPv6Address("fe80::1"))
    }

    @Test func changedRulesApplyToAPortThatIsUp() throws {
        var table = InterfaceTable()
        var configuration = Configuration()
        let addresses = [address("fe80::1")]
        _ = table.update(link(), addresses: addresses, configuration: configuration)
        configuration.interfaces[0].cost = 77
        guard
            case .changed(let changed, _)? = table.update(link(), addresses: addresses, configuration: configuration)
        else {
            Issue.record("a new cost did not change the port")
            return
        }
        #expect(changed.cost == 77)
        configuration.interfaces = []
        guard case .down? = table.update(link(), addresses: addresses, configuration: configuration) else {
            Issue.record("a port without a rule did not go down")
            return
        }
        #expect(table.ports.isEmpty)
    }

    /// Link-local and tentative addresses give no prefix; two addresses in one subnet give one.
    @Test func passivePortsAnnounceTheirPrefixes() {
        var table = InterfaceTable()
        var configuration = Configuration()
        configuration.interfaces[0].role = .passive
        configuration.interfaces[0].cost = 3
        let addresses = [
            address("fe80::1"), address("2001:db8::1"), address("2001:db8::2"),
            address("2001:db8:1::1", tentative: true),
        ]
        guard case .up(let port)? = table.update(link(), addresses: addresses, configuration: configuration) else {
            Issue.record("a passive port did not come up")
            return
        }
        #expect(port.isPassive)
        #expect(table.activePorts.isEmpty)
        #expect(table.passivePrefixes == [AdvertisedPrefix(prefix: IPv6Prefix("2001:db8::/64")!, metric: 3)])
        _ = table.update(link(hasCarrier: false), addresses: addresses, configuration: configuration)
        #expect(table.passivePrefixes.isEmpty)
    }
}
