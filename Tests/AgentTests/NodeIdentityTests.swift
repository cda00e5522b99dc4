import Addressing
import Glibc
import Linux
import MeshConfiguration
import Testing

@testable import Agent

@Suite struct NodeIdentityTests {
    let card = AddressPlan.Port(mac: MACAddress("00:1b:21:00:00:05")!, isPhysical: true)
    let veth = AddressPlan.Port(mac: MACAddress("00:00:5e:00:00:01")!, isPhysical: false)

    private func make(
        _ ports: [AddressPlan.Port], _ configuration: Configuration = Configuration(), saved: RouterID? = nil
    ) -> NodeIdentity? {
        NodeIdentity(configuration: configuration, hostName: "host", ports: ports, nonce: 7) { _ in saved }
    }

    @Test func itComesFromTheHardware() throws {
        let identity = try #require(make([veth, card]))
        let plan = Configuration().addressing.plan
        #expect(identity.name == "host")
        #expect(identity.address == plan.nodeAddress(for: card.mac))
        #expect(identity.podPrefixes == [plan.podPrefix(for: card.mac)])
        #expect(identity.routerIDIsDerived && identity.routerID == NodeIdentity.routerID(for: card.mac))
        #expect(identity == make([card, veth]), "the order of ports does not matter")
    }

    @Test func withoutAPortThereIsNoneUnlessItIsGiven() throws {
        #expect(make([]) == nil)
        var configuration = Configuration()
        configuration.node.routerID = RouterID("10.0.0.1")
        #expect(make([], configuration) == nil)
        configuration.addressing.prefix = IPv6Prefix("2001:db8::100/120")
        let identity = try #require(make([], configuration))
        #expect(identity.address == IPv6Address("2001:db8::100") && identity.podPrefixes == [])
        #expect(!identity.routerIDIsDerived)
    }

    @Test func aKeptRouterIDIsUsed() throws {
        let identity = try #require(make([card], saved: RouterID("1.2.3.4")))
        #expect(identity.routerID == RouterID("1.2.3.4"))
        #expect(identity.derivedRouterID == NodeIdentity.routerID(for: card.mac))
    }

    @Test func routerIDsAreSpreadAndNeverReserved() {
        var seen: Set<RouterID> = []
        for number in UInt64(0)..<20_000 {
            let id = NodeIdentity.routerID(for: MACAddress(rawValue: 0x001b_2100_0000 | number))
            #expect(id != .none && id.rawValue != .max)
            seen.insert(id)
        }
        // Two of 20,000 random 32-bit numbers are equal with a probability of 5%.
        #expect(seen.count >= 19_998)
    }

    @Test func fingerprintsDifferByHardwareAndByMachine() {
        let one = NodeIdentity.fingerprint(of: [card.mac, veth.mac], nonce: 1)
        #expect(one.count == 32)
        #expect(one == NodeIdentity.fingerprint(of: [veth.mac, card.mac], nonce: 1))
        #expect(one != NodeIdentity.fingerprint(of: [card.mac], nonce: 1))
        #expect(one != NodeIdentity.fingerprint(of: [card.mac, veth.mac], nonce: 2))
    }
}

@Suite struct StateDirectoryTests {
    @Test func whatWasSavedIsFoundForTheSameHardwareOnly() throws {
        let directory = try TemporaryDirectory()
        let state = StateDirectory(besideSocket: directory.path + "/deep/er/meshd.sock")
        try state.create()
        try state.create()
        let (derived, other) = (RouterID("1.1.1.1")!, RouterID("2.2.2.2")!)
        #expect(state.savedRouterID(insteadOf: derived) == nil)
        try state.save(other, insteadOf: derived)
        #expect(state.savedRouterID(insteadOf: derived) == other)
        #expect(state.savedRouterID(insteadOf: other) == nil)
        let nonce = state.nonce()
        #expect(state.nonce() == nonce)
    }

    @Test func aRelativePlaceIsBelowTheWorkingDirectory() {
        #expect(StateDirectory(path: "a/b//c").chain == ["a", "a/b", "a/b/c"])
        #expect(StateDirectory(path: "/a/b").chain == ["/a", "/a/b"])
        #expect(StateDirectory(path: "/").chain == [] && StateDirectory(path: ".").chain == ["."])
    }

    /// Whatever lies where a file should, nobody waits for it, and nobody loses it.
    @Test func whatIsNoRegularFileIsNeitherReadNorReplaced() throws {
        let directory = try TemporaryDirectory()
        let state = StateDirectory(path: directory.path)
        for name in ["router-id", "fingerprint", "ipv4-pods", "ipv4-address.new"] {
            #expect(mkfifo("\(directory.path)/\(name)", 0o644) == 0)
        }
        #expect(state.savedRouterID(insteadOf: RouterID(1)) == nil)
        #expect(state.savedRange(for: "ipv4-pods") == nil)
        #expect(state.nonce() != state.nonce())
        let range = IPv4Prefix("172.31.0.0/24")!
        #expect(throws: (any Error).self) { try state.save(range, for: "ipv4-pods") }
        #expect(SmallFile.isSpecial("\(directory.path)/ipv4-pods"), "the pipe is still there")
        try state.save(range, for: "ipv4-address")
        #expect(state.savedRange(for: "ipv4-address") == range)
    }

    @Test func anUnwritablePlaceIsNoReasonToFail() {
        let state = StateDirectory(besideSocket: "/proc/nowhere/meshd.sock")
        #expect(state.savedRouterID(insteadOf: RouterID(1)) == nil)
        #expect(state.nonce() != state.nonce(), "without a place to keep it, it is new each time")
        #expect(throws: (any Error).self) { try state.save(RouterID(2), insteadOf: RouterID(1)) }
    }
}
