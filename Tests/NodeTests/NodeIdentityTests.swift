import Addressing
import MeshConfiguration
import Testing

@testable import Node

@Suite struct NodeIdentityTests {
    let card = AddressPlan.Port(mac: MACAddress("00:1b:21:00:00:05")!, isPhysical: true)
    let other = AddressPlan.Port(mac: MACAddress("00:1b:21:00:00:01")!, isPhysical: true)
    let veth = AddressPlan.Port(mac: MACAddress("00:00:5e:00:00:01")!, isPhysical: false)

    private func make(
        _ ports: [AddressPlan.Port], _ configuration: Configuration = Configuration(), saved: SavedIdentity? = nil,
        machine: UInt64? = 1, nonce: UInt64 = 7
    ) -> NodeIdentity? {
        NodeIdentity(
            configuration: configuration, hostName: "host",
            hardware: NodeIdentity.Hardware(ports: ports, machine: machine, nonce: nonce), saved: saved)
    }

    @Test func theIdentityComesFromTheHardwareAddress() throws {
        let identity = try #require(make([veth, card]))
        let plan = Configuration().addressing.plan
        #expect(identity.name == "host")
        #expect(identity.address == plan.nodeAddress(for: card.mac))
        #expect(identity.podPrefixes == [plan.podPrefix(for: card.mac)])
        #expect(identity.routerIDIsDerived && identity.routerID == NodeIdentity.routerID(for: card.mac))
        #expect(identity == make([card, veth]), "the order of ports does not matter")
        #expect(identity.saved == SavedIdentity(mac: card.mac, nonce: 7, machine: 1))
    }

    /// Without a port, router ID and prefix must be configured, or an identity saved.
    @Test func withoutAPortTheIdentityMustBeConfiguredOrSaved() throws {
        #expect(make([]) == nil)
        var configuration = Configuration()
        configuration.node.routerID = RouterID("10.0.0.1")
        #expect(make([], configuration) == nil)
        configuration.addressing.prefix = IPv6Prefix("2001:db8::100/120")
        let identity = try #require(make([], configuration))
        #expect(identity.address == IPv6Address("2001:db8::100") && identity.podPrefixes == [])
        #expect(!identity.routerIDIsDerived)
        #expect(make([], saved: SavedIdentity(mac: card.mac, nonce: 7)) != nil)
    }

    @Test func aSavedIdentityStaysWhenPortsChange() throws {
        let first = try #require(make([card]))
        for ports in [[], [other], [card, other], [veth]] {
            #expect(make(ports, saved: first.saved, nonce: 8) == first)
        }
    }

    @Test func aSavedIdentityIsNotUsedOnAnotherMachine() throws {
        let first = try #require(make([card], machine: 1))
        let copy = try #require(make([other], saved: first.saved, machine: 2, nonce: 8))
        #expect(copy.address != first.address && copy.routerID != first.routerID)
        #expect(copy.hardwareFingerprint != first.hardwareFingerprint)
        // If the machine has no number, the saved identity is used.
        #expect(make([other], saved: first.saved, machine: nil, nonce: 8) == first)
    }

    @Test func aSavedRouterIDIsUsed() throws {
        let saved = SavedIdentity(mac: card.mac, routerID: RouterID("1.2.3.4"), nonce: 7, machine: 1)
        #expect(try #require(make([card], saved: saved)).routerID == RouterID("1.2.3.4"))
    }

    @Test func derivedRouterIDsAreSpreadAndNeverReserved() {
        var seen: Set<RouterID> = []
        for number in UInt64(0)..<20_000 {
            let id = NodeIdentity.routerID(for: MACAddress(rawValue: 0x001b_2100_0000 | number))
            #expect(id != .none && id.rawValue != .max)
            seen.insert(id)
        }
        // 20,000 random 32-bit numbers contain an equal pair with a probability of 5%. Two pairs are allowed.
        #expect(seen.count >= 19_998)
    }

    @Test func fingerprintsDifferByNodeAndByMachine() {
        let one = NodeIdentity.fingerprint(nonce: 1, machine: 1)
        #expect(one.count == 32)
        #expect(one != NodeIdentity.fingerprint(nonce: 2, machine: 1))
        #expect(one != NodeIdentity.fingerprint(nonce: 1, machine: 2))
    }
}
