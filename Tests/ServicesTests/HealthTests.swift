import Addressing
import OSPF
import Services
import TestSupport
import Testing
import Timing

@Suite struct HealthTests {
    /// The health after these outcomes: `+` is a success, any other character a failure.
    private func health(_ outcomes: String, rise: Int = 2, fall: Int = 3, from start: Health = .unknown) -> Health {
        var health = start
        for outcome in outcomes { health.record(outcome == "+" ? .success : .failure("no"), rise: rise, fall: fall) }
        return health
    }

    /// With rise 2 and fall 3. The first outcome decides at once.
    @Test(arguments: [
        ("", Health.unknown), ("+", .healthy(failures: 0)), ("-", .unhealthy(successes: 0)),
        ("+--", .healthy(failures: 2)),
        ("+--+--", .healthy(failures: 2)), ("+---", .unhealthy(successes: 0)), ("-+", .unhealthy(successes: 1)),
        ("-+-+", .unhealthy(successes: 1)), ("-++", .healthy(failures: 0)),
    ])
    func healthChangesAfterSeveralOutcomesInARow(outcomes: String, expected: Health) {
        #expect(health(outcomes) == expected)
    }

    /// With rise and fall 1, each outcome decides. After a stall, rise counts.
    @Test func withRiseAndFallOfOneEachOutcomeDecides() {
        #expect(health("+-", rise: 1, fall: 1) == .unhealthy(successes: 0))
        #expect(health("-+", rise: 1, fall: 1) == .healthy(failures: 0))
        #expect(health("+", rise: 1, from: .stalled) == .healthy(failures: 0))
        #expect(health("+", from: .stalled) == .unhealthy(successes: 1))
    }
}

@Suite struct VIPTableTests {
    static let check = HealthCheck(
        probe: .tcp([Endpoint("[::1]:1")!]), interval: .seconds(1), timeout: .seconds(1), rise: 2, fall: 2)
    let plain = VIP(name: "dns", address: "fd00::d")
    let checked = VIP(name: "api", address: "fd00::a", check: check)

    private func at(_ seconds: Int) -> Instant { .zero + .seconds(seconds) }

    /// The ID in the first action that starts a checker.
    private func checkID(in actions: [VIPTable.Action]) throws -> VIPTable.CheckID {
        try #require(actions.lazy.compactMap { if case .startChecking(let id, _) = $0 { id } else { nil } }.first)
    }

    @Test func aVIPWithoutCheckIsAlwaysAnnounced() {
        var table = VIPTable()
        #expect(table.configure([plain], at: at(0)) == [.announce(plain)])
        #expect(table.announced == [plain.address])
        #expect(table.configure([plain], at: at(1)) == [])
        #expect(table.configure([], at: at(2)) == [.withdraw(plain, reason: "no longer configured")])
        #expect(table.announced.isEmpty && table.nextDeadline == nil)
    }

    /// With rise 2 and fall 2; only the first outcome decides alone.
    @Test func aCheckedVIPIsAnnouncedWhileItsCheckPasses() throws {
        var table = VIPTable()
        let id = try checkID(in: table.configure([checked], at: at(0)))
        #expect(table.announced.isEmpty)
        #expect(table.handle(.checked(id, .success), at: at(1)) == [.announce(checked)])
        #expect(table.handle(.checked(id, .failure("refused")), at: at(2)) == [])
        #expect(table.announced == [checked.address])
        #expect(table.handle(.checked(id, .failure("refused")), at: at(3)) == [.withdraw(checked, reason: "refused")])
        #expect(table.handle(.checked(id, .success), at: at(4)) == [])
        #expect(table.handle(.checked(id, .success), at: at(5)) == [.announce(checked)])
        #expect(table.entries[0].checks == 5 && table.entries[0].failures == 2)
        #expect(table.entries[0].since == at(5) && table.entries[0].lastError == nil)
    }

    /// An outcome is valid for `HealthCheck.lifetime`. After that, the table waits once more, for `VIPTable.grace`, because the
    /// next outcome may be late.
    @Test func anAnnouncementEndsWhenTheCheckerStalls() throws {
        var table = VIPTable()
        let id = try checkID(in: table.configure([checked], at: at(0)))
        _ = table.handle(.checked(id, .success), at: at(1))
        let deadline = try #require(table.nextDeadline)
        #expect(deadline == at(1) + Self.check.lifetime)
        #expect(table.handle(.timer, at: Instant(nanoseconds: deadline.nanoseconds - 1)) == [])
        // An outcome may still arrive within the grace.
        #expect(table.handle(.timer, at: deadline) == [] && table.nextDeadline == deadline + VIPTable.grace)
        #expect(table.handle(.checked(id, .success), at: deadline + VIPTable.grace) == [])
        let next = try #require(table.nextDeadline)
        #expect(next == deadline + VIPTable.grace + Self.check.lifetime)
        #expect(table.handle(.timer, at: next) == [])
        #expect(
            table.handle(.timer, at: next + VIPTable.grace) == [
                .withdraw(checked, reason: "its checker does not report")
            ])
        #expect(table.entries[0].health == .stalled && table.nextDeadline == nil)
        #expect(table.handle(.checked(id, .success), at: at(20)) == [])
        #expect(table.handle(.checked(id, .success), at: at(21)) == [.announce(checked)])
    }

    /// About as many VIPs as fit a configuration file (1 MiB). When each of them examined all others, this took a minute.
    @Test func theWorkForThousandsOfVIPsIsProportional() throws {
        let vips = (1...20_000).map { number in
            VIP(
                name: "v\(number)", address: IPv6Address(high: 1, low: UInt64(number)),
                check: number % 2 == 0 ? Self.check : nil)
        }
        var table = VIPTable()
        let spent = processorTime {
            var ids: [VIPTable.CheckID] = []
            for case .startChecking(let id, _) in table.configure(vips, at: at(0)) { ids.append(id) }
            #expect(ids.count == 10_000)
            for (number, id) in ids.enumerated() {
                let actions = table.handle(.checked(id, .success), at: .zero + .milliseconds(number / 10))
                #expect(actions.count == 1)
            }
            #expect(table.configure(vips.reversed(), at: at(1)) == [])
            #expect(table.nextDeadline == at(0) + Self.check.lifetime)
            // The lifetime is 6 s: (1 s + 1 s) × (fall + 1).
            #expect(table.handle(.timer, at: at(7)).isEmpty)
            #expect(table.handle(.timer, at: at(8)).count == 10_000, "all checkers have stalled")
            #expect(table.nextDeadline == nil)
            #expect(table.configure([], at: at(9)).count == 10_000 + 10_000)
        }
        #expect(spent < .seconds(8))
    }

    /// However often outcomes change single deadlines, the next one of the table is the earliest.
    @Test func theNextDeadlineIsTheEarliest() throws {
        var random = SplitMix64(seed: 5)
        let vips = (1...5).map { number in
            VIP(
                name: "v\(number)", address: IPv6Address(high: 1, low: UInt64(number)),
                check: HealthCheck(
                    probe: .tcp([Endpoint("[::1]:1")!]), interval: .milliseconds(10 * number),
                    timeout: .milliseconds(10), fall: number % 2 + 1))
        }
        var table = VIPTable()
        var ids: [VIPTable.CheckID] = []
        for case .startChecking(let id, _) in table.configure(vips, at: at(0)) { ids.append(id) }
        var reported = [Instant](repeating: .zero, count: 5)
        var now = at(0)
        for _ in 0..<2000 {
            now = now + random.duration(below: .milliseconds(40))
            let index = Int(random.next() % 5)
            _ = table.handle(.checked(ids[index], .success), at: now)
            reported[index] = now
            #expect(table.nextDeadline == zip(vips, reported).map { $1 + $0.check!.lifetime }.min())
        }
    }

    /// A first failure withdraws an address that may still be announced since an earlier run.
    @Test func aFirstFailureCausesAWithdrawal() throws {
        var table = VIPTable()
        let id = try checkID(in: table.configure([checked], at: at(0)))
        #expect(!table.isDecided)
        #expect(table.handle(.checked(id, .failure("refused")), at: at(1)) == [.withdraw(checked, reason: "refused")])
        #expect(table.isDecided)
        #expect(table.handle(.checked(id, .failure("refused")), at: at(2)) == [])
    }

    @Test func aCheckerThatNeverReportsHasStalled() throws {
        var table = VIPTable()
        _ = table.configure([checked], at: at(0))
        #expect(table.handle(.timer, at: try #require(table.nextDeadline)) == [])
        let deadline = try #require(table.nextDeadline)
        #expect(table.handle(.timer, at: deadline) == [.withdraw(checked, reason: "its checker does not report")])
    }

    /// A VIP that is announced stays so until the first outcome of its changed check.
    @Test func anAddressStaysAnnouncedUntilTheFirstOutcomeOfItsChangedCheck() throws {
        var table = VIPTable()
        let old = try checkID(in: table.configure([checked], at: at(0)))
        _ = table.handle(.checked(old, .success), at: at(1))
        var changed = checked
        changed.name = "apiserver"
        changed.check?.fall = 1
        let actions = table.configure([changed], at: at(2))
        let new = try checkID(in: actions)
        #expect(actions == [.stopChecking(old), .startChecking(new, changed.check!)])
        #expect(table.announced == [checked.address] && table.entries[0].since == at(1))
        #expect(
            table.handle(.checked(old, .failure("no")), at: at(3)) == [], "an outcome of the earlier check is ignored")
        #expect(table.handle(.checked(new, .failure("no")), at: at(3)) == [.withdraw(changed, reason: "no")])
    }

    /// A VIP whose check is removed is announced; with a new check, it stays announced until the first outcome.
    @Test func aVIPIsAnnouncedWhenItsCheckIsRemovedAndStaysSoWithANewOne() throws {
        var table = VIPTable()
        let id = try checkID(in: table.configure([checked], at: at(0)))
        var unchecked = checked
        unchecked.check = nil
        #expect(table.configure([unchecked], at: at(1)) == [.stopChecking(id), .announce(unchecked)])
        #expect(table.nextDeadline == nil)
        let again = table.configure([checked], at: at(2))
        #expect(again == [.startChecking(try checkID(in: again), Self.check)])
        #expect(table.announced == [checked.address])
    }

    /// The VIP of a gateway: the default route is announced while the VIP's address is.
    @Test func prefixesOfAVIPAreAnnouncedWhileItsAddressIs() throws {
        let everything = AdvertisedPrefix(prefix: IPv6Prefix(.unspecified, length: 0))
        var gateway = checked
        gateway.prefixes = [everything]
        var table = VIPTable()
        let id = try checkID(in: table.configure([plain, gateway], at: at(0)))
        #expect(table.announcedPrefixes.isEmpty)
        #expect(table.handle(.checked(id, .success), at: at(1)) == [.announce(gateway)])
        #expect(table.announcedPrefixes == [everything])
        for second in 2...3 { _ = table.handle(.checked(id, .failure("refused")), at: at(second)) }
        #expect(table.announcedPrefixes.isEmpty)
    }

    @Test func aVIPWithAnotherAddressReplacesTheEarlierOne() throws {
        var table = VIPTable()
        _ = table.configure([plain], at: at(0))
        let moved = VIP(name: plain.name, address: "fd00::e")
        #expect(
            table.configure([moved], at: at(1)) == [
                .withdraw(plain, reason: "no longer configured"), .announce(moved),
            ])
        #expect(table.announced == [moved.address])
    }
}
