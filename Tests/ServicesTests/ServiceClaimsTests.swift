import Addressing
import Services
import Testing

@testable import Services

struct ServiceClaimsTests {
    private let vip: IPv6Address = "2001:db8:aa::1"
    private let node: IPv6Address = "2001:db8::1"

    /// A demand of services in the namespace `default`.
    private func entry(_ level: AnnouncementLevel = .announce, _ names: String...) -> ServiceDemand {
        ServiceDemand(
            level: level, services: (names.isEmpty ? ["web"] : names).map { "default/\($0)" })
    }

    /// Verdicts as text: the address, and the granted level, `end` or `revoke`.
    private func described(_ verdicts: [(IPv6Address, ServiceClaims.Verdict)]) -> [String] {
        verdicts.map { address, verdict in
            switch verdict {
            case .grant(let entry): "\(address) \(entry.level)"
            case .end: "\(address) end"
            case .revoke: "\(address) revoke"
            }
        }
    }

    /// Services want the address of a node: they do not get it, and that is a problem.
    @Test func aServiceDoesNotGetTheAddressOfANode() {
        var claims = ServiceClaims()
        #expect(claims.reserve([node], configured: []).isEmpty)
        #expect(
            described(claims.apply([vip: entry(), node: entry(.announce, "thief", "other")])) == ["\(vip) announce"])
        #expect(
            claims.problems == [
                "default/thief and 1 more: 2001:db8::1 is the address of a node or of the API server and "
                    + "cannot be that of a service; the address is not announced"
            ])
        #expect(described(claims.apply([vip: entry(.lastResort)])) == ["\(vip) lastResort"])
        // When the address belongs to no node any more, the service gets it.
        #expect(described(claims.reserve([], configured: [])) == ["\(node) announce"])
        #expect(claims.problems.isEmpty)
        #expect(described(claims.apply([node: nil, vip: nil])) == ["\(node) end", "\(vip) end"])
        #expect(!claims.hasAny)
    }

    /// An address is withdrawn at once when it turns out to be that of a node.
    @Test func anAddressIsRevokedWhenItTurnsOutToBeThatOfANode() {
        var claims = ServiceClaims()
        _ = claims.apply([node: entry()])
        #expect(described(claims.reserve([node], configured: [])) == ["\(node) revoke"])
        #expect(claims.reserve([node], configured: []).isEmpty)
        #expect(claims.apply([node: nil]).isEmpty)
        #expect(claims.problems.isEmpty)
        #expect(claims.reserve([], configured: []).isEmpty, "no service demands the address any more")
    }

    /// The address beyond the limit turns out to be that of a node: it takes no place, and the next one gets the free place.
    @Test func anAddressBeyondTheLimitThatIsRefusedTakesNoPlace() {
        let later: IPv6Address = "2001:db8:aa::2"
        var claims = ServiceClaims(limit: 1)
        _ = claims.apply([vip: entry()])
        _ = claims.apply([node: entry(), later: entry()])
        #expect(claims.reserve([node], configured: []).isEmpty)
        #expect(described(claims.apply([vip: nil])) == ["\(vip) end", "\(later) announce"])
        #expect(claims.problems.count == 1, "only that of the address of the node")
    }

    /// An address that is also a VIP of the configuration is announced for that VIP only.
    @Test func anAddressThatIsAConfiguredVIPIsRevokedFromItsService() {
        var claims = ServiceClaims()
        _ = claims.apply([vip: entry()])
        #expect(described(claims.reserve([], configured: [vip])) == ["\(vip) revoke"])
        #expect(claims.problems.isEmpty, "a configured VIP is no problem")
        #expect(described(claims.reserve([], configured: [])) == ["\(vip) announce"])
    }

    /// With a limit of 2, the lowest addresses are granted first, others as places become free. A granted address keeps its
    /// place.
    @Test func theNumberOfServiceAddressesIsLimited() {
        var claims = ServiceClaims(limit: 2)
        let addresses = (1...4).map { IPv6Address(high: 0x2001_0db8_00aa_0000, low: $0) }
        let all = Dictionary(uniqueKeysWithValues: addresses.map { ($0, Optional(entry())) })
        #expect(described(claims.apply(all)) == ["\(addresses[0]) announce", "\(addresses[1]) announce"])
        let problems = ["services have more than the 2 addresses that a node announces; some are not announced"]
        #expect(claims.problems == problems)
        #expect(claims.apply([addresses[3]: entry(.lastResort)]).isEmpty)
        #expect(described(claims.apply([addresses[0]: entry(.lastResort)])) == ["\(addresses[0]) lastResort"])
        #expect(described(claims.apply([addresses[0]: nil])) == ["\(addresses[0]) end", "\(addresses[2]) announce"])
        #expect(
            described(claims.reserve([addresses[1]], configured: []))
                == ["\(addresses[1]) revoke", "\(addresses[3]) lastResort"])
        #expect(claims.problems.count == 1)
    }
}
