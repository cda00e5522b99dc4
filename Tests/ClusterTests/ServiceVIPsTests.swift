import Addressing
import OSPF
import Testing

@testable import Cluster

struct ServiceVIPsTests {
    private let vip: IPv6Address = "2001:db8::1"
    private func at(_ seconds: Int64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }

    @Test func anAddressCostsOutBeforeItGoes() {
        var vips = ServiceVIPs()
        #expect(vips.set(vip, nil, at: at(0)) == [] && vips.entries.isEmpty)
        #expect(vips.set(vip, .announce, services: ["default/web"], at: at(1)) == [.hold(vip)])
        #expect(vips.entries[vip]?.wish == .announce && vips.nextDeadline == nil)
        #expect(vips.set(vip, nil, at: at(2)) == [])
        #expect(vips.entries[vip]?.wish == .lastResort && vips.entries[vip]?.services == ["default/web"])
        #expect(vips.nextDeadline == at(2) + ServiceVIPs.linger)
        #expect(vips.set(vip, nil, at: at(4)) == [], "the end is not put off")
        #expect(vips.nextDeadline == at(2) + ServiceVIPs.linger)
        #expect(vips.expire(at: at(6)) == [])
        #expect(vips.expire(at: at(7)) == [.release(vip)])
        #expect(vips.entries.isEmpty && vips.nextDeadline == nil)
    }

    @Test func whoIsWantedAgainStays() {
        var vips = ServiceVIPs()
        _ = vips.set(vip, .lastResort, at: at(0))
        _ = vips.set(vip, nil, at: at(1))
        #expect(vips.set(vip, .announce, at: at(2)) == [])
        #expect(vips.nextDeadline == nil && vips.entries[vip]?.wish == .announce && vips.entries[vip]?.since == at(2))
        #expect(vips.expire(at: at(100)) == [])
        #expect(vips.removeAll() == [.release(vip)] && vips.entries.isEmpty)
    }
}
