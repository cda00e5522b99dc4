import Addressing
import Links
import Linux
import Netlink
import TestSupport
import Testing

@Suite(.serialized, .needsRoot) struct KernelAddressesTests {
    /// The host may have the address of a VIP with another prefix length. The kernel then takes an IPv4 address as a second
    /// one, and refuses an IPv6 address. Only ours may be removed.
    @Test(arguments: ["10.50.0.1/24", "2001:db8:50::1/64"]) func theHostsOwnAddressStays(own: String) throws {
        let fixture = try MachineFixture(cables: 1)
        try fixture.ip("addr add \(own) dev lo")
        let text = String(own.prefix { $0 != "/" })
        let host = try #require(IPv6Address(text) ?? IPv4Address(text).map { IPv6Address($0) })
        let wasAdded = try fixture.machine.run { try KernelAddresses().add(host) }
        try fixture.machine.run { _ = try KernelAddresses().remove(host) }
        let shown = try fixture.output("ip addr show dev lo")
        #expect(shown.contains(own))
        #expect(!wasAdded || !shown.contains(text + "/32") && !shown.contains(text + "/128"))
    }

    /// A batch of removals has more notifications than one read takes in. Read later, they would look like removals by another
    /// program of addresses that were added again meanwhile. On a busy machine, duplicate address detection of the addresses
    /// ends after the monitor has subscribed: other notifications wait before those of the removals.
    @Test func notificationsOfOwnRemovalsAreReadAtOnce() throws {
        let fixture = try MachineFixture(cables: 1)
        let hosts = (0..<300 as Range<UInt64>).map { IPv6Address(high: 0x2001_0db8_0050_0000, low: $0) }
        try fixture.machine.run {
            let addresses = try KernelAddresses()
            for host in hosts { _ = try addresses.add(host) }
            let monitor = try KernelMonitor()
            func removals(_ events: [KernelEvent]) -> Int {
                events.count { if case .addressRemoved = $0 { true } else { false } }
            }
            // Notifications of other changes, which wait before those of the removals.
            let others = (0..<600 as Range<UInt64>).map { IPv6Address(high: 0x2001_0db8_0050_0001, low: $0) }
            for other in others { _ = try addresses.add(other) }
            for host in hosts { try addresses.remove(host) }
            #expect(removals(try monitor.read(through: hosts.count)) == hosts.count)
            for host in hosts { _ = try addresses.add(host) }
            for host in hosts { try addresses.remove(host) }
            #expect(
                removals(try monitor.read()) < hosts.count, "without a count, one read takes in fewer notifications")
        }
    }

    @Test func forwardingOfAPortIsSwitchedOnAgain() throws {
        let fixture = try MachineFixture(cables: 1)
        _ = try fixture.output("sysctl -w net.ipv4.conf.c0.forwarding=0")
        let outcome = try fixture.machine.run { KernelSettings.applyForwarding(on: "c0") }
        #expect(outcome.description == "net.ipv4.conf.c0.forwarding = 1 (was 0)")
        #expect(try fixture.output("cat /proc/sys/net/ipv4/conf/c0/forwarding") == "1\n")
    }

    @Test func aPortAcceptsRouterAdvertisementsAgain() throws {
        let fixture = try MachineFixture(cables: 1)
        let unneeded = try fixture.machine.run { KernelSettings.acceptRouterAdvertisements(on: "c0")?.description }
        #expect(unneeded == nil)
        _ = try fixture.machine.run { KernelSettings.setRouterAdvertisements(accepted: false, on: "c0") }
        let outcome = try fixture.machine.run { KernelSettings.acceptRouterAdvertisements(on: "c0") }
        #expect(outcome?.description == "net.ipv6.conf.c0.accept_ra = 2 (was 0)")
    }
}
