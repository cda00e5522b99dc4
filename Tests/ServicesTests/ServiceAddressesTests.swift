import Addressing
import OSPF
import Services
import Testing
import Timing

@testable import Services

struct ServiceAddressesTests {
    private let vip: IPv6Address = "2001:db8::1"
    private func at(_ seconds: Int64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }

    /// An address without demand is last resort for 5 s (`ServiceAddresses.linger`), then withdrawn.
    @Test func anAddressWithoutDemandIsLastResortBeforeItIsWithdrawn() {
        var vips = ServiceAddresses()
        #expect(vips.set(vip, nil, at: at(0)) == [] && vips.entries.isEmpty)
        #expect(vips.set(vip, .announce, services: ["default/web"], at: at(1)) == [.hold(vip)])
        #expect(vips.entries[vip]?.isLastResort == false && vips.nextDeadline == nil)
        #expect(vips.set(vip, nil, at: at(2)) == [])
        #expect(vips.entries[vip]?.isLastResort == true && vips.entries[vip]?.services == ["default/web"])
        #expect(vips.nextDeadline == at(2) + ServiceAddresses.linger)
        #expect(vips.set(vip, nil, at: at(4)) == [], "the withdrawal is not delayed")
        #expect(vips.nextDeadline == at(2) + ServiceAddresses.linger)
        #expect(vips.expire(at: at(6)) == [])
        #expect(vips.expire(at: at(7)) == [.release(vip)])
        #expect(vips.entries.isEmpty && vips.nextDeadline == nil)
    }

    /// New demand for an address that lingers ends the wait.
    @Test func anAddressThatIsDemandedAgainIsNotWithdrawn() {
        var vips = ServiceAddresses()
        _ = vips.set(vip, .lastResort, at: at(0))
        _ = vips.set(vip, nil, at: at(1))
        #expect(vips.set(vip, .announce, at: at(2)) == [])
        #expect(
            vips.nextDeadline == nil && vips.entries[vip]?.isLastResort == false && vips.entries[vip]?.since == at(2))
        #expect(vips.expire(at: at(100)) == [])
        #expect(vips.remove(vip) == [.release(vip)] && vips.remove(vip) == [] && vips.entries.isEmpty)
    }

    /// In each of 12 rounds the address is demanded, and then no longer or only as last resort: a flap. The first two have no
    /// consequence. After each later one, the address is last resort until 2 s after the flap, doubling to 20 s
    /// (`FlapDamping`). `dampingTimes` has these times in seconds.
    @Test func aFlappingAddressIsLastResortForDoublingTimes() throws {
        var vips = ServiceAddresses()
        var dampingTimes: [Double] = []
        var now = at(0)
        for round in 0..<12 {
            let actions = vips.set(vip, .announce, at: now)
            #expect(actions == (round == 0 ? [.hold(vip)] : []), "the address stays on the node")
            if case .flapping(let end)? = vips.entries[vip]?.state {
                #expect(vips.nextDeadline == end && vips.entries[vip]?.isLastResort == true)
                dampingTimes.append((end - (now - .milliseconds(500))) / .seconds(1))
                #expect(vips.set(vip, .announce, services: ["default/web"], at: now) == [])
                #expect(vips.nextDeadline == end, "a repeated demand does not change the end of the damping")
                // In every other round, the demand ends before the damping does. That is a flap as well.
                if round % 2 == 0 { now = end } else { now = now + .milliseconds(500) }
                #expect(vips.expire(at: now) == [])
            } else {
                dampingTimes.append(0)
            }
            #expect(vips.entries[vip]?.isLastResort == (round % 2 == 1 && round > 2))
            #expect(vips.set(vip, round % 3 == 0 ? nil : .lastResort, at: now) == [])
            #expect(
                vips.entries[vip]?.isLastResort == true, "an address that is no longer demanded is last resort at once")
            now = now + .milliseconds(500)
        }
        #expect(dampingTimes == [0, 0, 0, 2, 4, 8, 16, 20, 20, 20, 20, 20])
        _ = vips.set(vip, nil, at: now)
        #expect(vips.expire(at: now + ServiceAddresses.linger) == [.release(vip)])
        // The damping continues although the address was withdrawn meanwhile: 20 s after the last flap, which was half a second
        // before `now`.
        _ = vips.set(vip, .announce, at: now + .seconds(6))
        #expect(vips.entries[vip]?.state == .flapping(until: now + .milliseconds(19_500)))
        _ = vips.expire(at: now + .milliseconds(19_500))
        #expect(vips.entries[vip]?.state == .announced && vips.nextDeadline == nil)
        // After 30 s without a flap (`FlapDamping.memory`), the count starts again.
        _ = vips.set(vip, .lastResort, at: now + .seconds(60))
        _ = vips.set(vip, .announce, at: now + .seconds(61))
        #expect(vips.entries[vip]?.state == .announced)
    }
}
