import OSPF
import Testing
import Timing

@testable import Kubernetes

/// A reflector in virtual time, and the actions that it returned.
private struct ReflectorFixture {
    var reflector: Reflector<Node>
    var random = FixedRandom()
    var now = Instant.at(100)
    var actions: [ReflectorAction] = []

    init(_ limits: WatchLimits = WatchLimits(), known: [Node] = []) {
        reflector = Reflector(limits: limits, known: known)
        step(.start)
    }

    @discardableResult
    mutating func step(_ event: ReflectorEvent<Node>) -> ReflectorAction? {
        let action = reflector.handle(event, at: now, random: &random)
        if let action { actions.append(action) }
        return action
    }

    /// Answers with a page; `next` is the continue token, empty on the last page.
    mutating func page(_ nodes: [Node], version: String = "10", next: String = "") -> ReflectorAction? {
        step(.page(ListPage(resourceVersion: version, continuation: next, items: nodes), octets: 1000))
    }

    /// Answers with a complete list and opens the watch.
    mutating func sync(_ nodes: [Node], version: String = "10") {
        _ = page(nodes, version: version)
        step(.opened)
    }

    /// Moves on to the next deadline.
    @discardableResult
    mutating func advanceToDeadline() -> ReflectorAction? {
        now = max(now, reflector.deadline ?? now)
        return step(.clock)
    }

    /// Moves on to the next deadline, at which the version of the server is requested, and answers that. Returns the next
    /// action; `nil` if the version was not requested.
    mutating func resume(serverAt version: String = "1000") -> ReflectorAction? {
        guard isList(advanceToDeadline(), limit: 1) else { return nil }
        return page([], version: version, next: "more")
    }

    mutating func advance(_ seconds: Int) { now = now + .seconds(seconds) }
}

private func isWatch(_ action: ReflectorAction?, from version: String) -> Bool {
    if case .watch(version, _) = action { true } else { false }
}

private func isList(_ action: ReflectorAction?, limit: Int = 500) -> Bool {
    action == .list(limit: limit, continuation: "")
}

struct ReflectorTests {
    @Test func aListInPagesIsFollowedByAWatchFromItsVersion() throws {
        var fixture = ReflectorFixture()
        #expect(isList(fixture.actions.last))
        #expect(
            fixture.page([try typedNode("a", version: "3")], next: "more") == .list(limit: 500, continuation: "more"))
        #expect(!fixture.reflector.state.isSynced, "an incomplete list is not synced")
        #expect(!fixture.reflector.hasChanges)
        let action = fixture.page([try typedNode("b", version: "4")], version: "10")
        #expect(isWatch(action, from: "10"))
        #expect(fixture.reflector.takeChanges().updated.map(\.metadata.name).sorted() == ["a", "b"])
        #expect(fixture.reflector.state.isSynced)
        guard case .watch(_, let seconds) = action else { return }
        #expect((600...1200).contains(seconds))
    }

    @Test func anEndedWatchContinuesFromItsLastVersion() throws {
        var fixture = ReflectorFixture()
        fixture.sync([try typedNode("a", version: "3")])
        _ = fixture.reflector.takeChanges()
        fixture.step(.watched(.present(try typedNode("b", version: "11")), octets: 100))
        fixture.step(.watched(.gone(try typedNode("a", version: "12")), octets: 100))
        fixture.step(.watched(.bookmark(resourceVersion: "20"), octets: 100))
        let changes = fixture.reflector.takeChanges()
        #expect(changes.updated.map(\.metadata.name) == ["b"])
        #expect(changes.deleted.map(\.metadata.name) == ["a"])
        fixture.advance(10)
        #expect(isWatch(fixture.step(.ended), from: "20"), "a watch that ends regularly continues at once")
    }

    @Test func aLostConnectionKeepsAllObjectsAndTheVersion() throws {
        var fixture = ReflectorFixture()
        fixture.sync([try typedNode("a", version: "3")])
        fixture.advance(10)
        fixture.step(.watched(.bookmark(resourceVersion: "15"), octets: 100))
        _ = fixture.reflector.takeChanges()
        #expect(fixture.step(.failed(.unreachable("reset"))) == nil)
        #expect(fixture.reflector.state.connectedSince == nil)
        for _ in 0..<200 {
            #expect(isList(fixture.advanceToDeadline(), limit: 1))
            #expect(fixture.step(.failed(.unreachable("connection refused"))) == nil)
        }
        #expect(!fixture.reflector.hasChanges)
        #expect(fixture.reflector.objects.count == 1)
        #expect(fixture.reflector.takeNotices().count == 1, "one outage is reported once")
        #expect(isWatch(fixture.resume(), from: "15"))
        fixture.step(.opened)
        #expect(fixture.reflector.state.connectedSince == fixture.now)
        #expect(fixture.reflector.takeNotices() == ["nodes: the API server answers again"])
    }

    /// The delay is random from zero to a bound that begins with 0.8 s and doubles up to 30 s.
    @Test func theBackoffGrowsUpToABound() throws {
        var fixture = ReflectorFixture()
        var longest = Duration.zero
        for attempt in 0..<60 {
            fixture.step(.failed(.unreachable("connection refused")))
            let delay = try #require(fixture.reflector.deadline) - fixture.now
            #expect(delay <= min(.milliseconds(800 << min(attempt, 10)), .seconds(30)))
            longest = max(longest, delay)
            #expect(isList(fixture.advanceToDeadline()))
        }
        #expect(longest > .seconds(20))
        fixture.sync([])
        fixture.advance(6)
        fixture.step(.failed(.unreachable("reset")))
        #expect(
            try #require(fixture.reflector.deadline) - fixture.now <= .milliseconds(800), "a success resets the backoff"
        )
    }

    @Test(arguments: [true, false]) func anExpiredVersionLeadsToANewListAndItsDifferences(isInStream: Bool) throws {
        var fixture = ReflectorFixture()
        fixture.sync([
            try typedNode("a", version: "3"), try typedNode("b", version: "4"), try typedNode("c", version: "5"),
        ])
        _ = fixture.reflector.takeChanges()
        let expired = Status(code: 410, reason: "Expired", message: "too old")
        if isInStream {
            #expect(fixture.step(.watched(.failed(expired), octets: 100)) == .cut)
        } else {
            fixture.step(.failed(.refused(expired)))
        }
        #expect(
            try #require(fixture.reflector.deadline) - fixture.now <= .milliseconds(300),
            "a new list follows soon, because only a list helps")
        #expect(isList(fixture.advanceToDeadline()))
        #expect(fixture.reflector.takeNotices().isEmpty, "an expired version is not reported")
        fixture.sync(
            [
                try typedNode("a", version: "3"), try typedNode("b", version: "30", uid: "2"),
                try typedNode("d", version: "31"),
            ])
        let changes = fixture.reflector.takeChanges()
        #expect(changes.updated.map(\.metadata.name).sorted() == ["b", "d"])
        #expect(changes.deleted.map(\.metadata.name).sorted() == ["b", "c"], "b is a new object with the same name")
    }

    @Test func anExpiredContinueTokenLeadsToANewList() throws {
        var fixture = ReflectorFixture()
        _ = fixture.page([try typedNode("a", version: "3")], next: "more")
        fixture.step(.failed(.refused(Status(code: 410, reason: "Expired"))))
        #expect(isList(fixture.advanceToDeadline()))
        fixture.sync([try typedNode("b", version: "9")])
        #expect(fixture.reflector.takeChanges().updated.map(\.metadata.name) == ["b"])
    }

    /// A server that was restored from a backup accepts the watch and sends nothing until it reaches the old version.
    @Test func aSilentWatchIsEndedAndFollowedByANewList() throws {
        var fixture = ReflectorFixture()
        fixture.sync([])
        let opened = fixture.now
        #expect(fixture.advanceToDeadline() == nil)
        #expect(fixture.now - opened == .seconds(75) && fixture.reflector.state.silentSince == opened)
        fixture.step(.watched(.bookmark(resourceVersion: "12"), octets: 10))
        #expect(fixture.reflector.state.silentSince == nil)
        fixture.advanceToDeadline()
        #expect(fixture.advanceToDeadline() == .cut)
        #expect(fixture.now - opened == .seconds(75 + 180))
        #expect(
            isList(fixture.advanceToDeadline()),
            "a silent watch leads to a new list, because the server may have been restored")
    }

    /// A watch that gets bookmarks but never ends is cut 20 s after its requested time, which is at most 1200 s.
    @Test func aWatchThatOutlastsItsRequestedTimeIsEnded() throws {
        var fixture = ReflectorFixture()
        fixture.sync([])
        let opened = fixture.now
        while fixture.now - opened < .seconds(3600) {
            fixture.step(.watched(.bookmark(resourceVersion: "12"), octets: 10))
            guard let deadline = fixture.reflector.deadline, deadline - fixture.now > .seconds(60) else { break }
            fixture.advance(60)
        }
        #expect(fixture.advanceToDeadline() == .cut)
        #expect(fixture.now - opened <= .seconds(1220))
        #expect(isWatch(fixture.advanceToDeadline(), from: "12"))
        #expect(fixture.reflector.state.failures.isEmpty)
    }

    @Test func aWatchWithoutAnAnswerTimesOut() throws {
        var fixture = ReflectorFixture()
        _ = fixture.page([])
        #expect(fixture.advanceToDeadline() == .cut)
        #expect(isWatch(fixture.resume(), from: "10"))
        #expect(fixture.reflector.state.failures == [.unreachable: 1])
    }

    @Test func watchesThatEndAtOnceAreRetriedWithBackoff() throws {
        var fixture = ReflectorFixture()
        let begin = fixture.now
        _ = fixture.page([])
        for _ in 0..<40 {
            fixture.step(.opened)
            #expect(fixture.step(.ended) == nil)
            #expect(isWatch(fixture.resume(), from: "10"))
        }
        #expect(fixture.now - begin > .seconds(200))
    }

    @Test func retryAfterIsRespectedUpToABound() throws {
        var fixture = ReflectorFixture()
        fixture.step(.failed(.refused(Status(code: 429, retryAfterSeconds: 45))))
        #expect(try #require(fixture.reflector.deadline) - fixture.now == .seconds(45))
        fixture.advanceToDeadline()
        fixture.step(.failed(.refused(Status(code: 429, retryAfterSeconds: .max))))
        #expect(
            try #require(fixture.reflector.deadline) - fixture.now == .seconds(3600), "the delay is at most an hour")
    }

    @Test func aForbiddenRequestIsRetriedRarelyAndReportedOnce() throws {
        var fixture = ReflectorFixture()
        var notices: [String] = []
        var delays: [Duration] = []
        for _ in 0..<20 {
            fixture.step(.failed(.refused(Status(code: 403, reason: "Forbidden", message: "no"))))
            delays.append(try #require(fixture.reflector.deadline) - fixture.now)
            fixture.advanceToDeadline()
            notices += fixture.reflector.takeNotices()
        }
        let rare = delays.drop { $0 < .seconds(30) }
        #expect(rare.count > 10 && rare.allSatisfy { (Duration.seconds(30) ... .seconds(60)).contains($0) })
        #expect(
            notices == ["nodes: the API server refused the request (403 Forbidden): no (a ClusterRole must allow it)"])
    }

    /// Objects that are known stay, and nothing is reported as a failure.
    @Test func anOptionalKindThatIsMissingIsLookedForRarely() throws {
        var limits = WatchLimits()
        limits.isOptional = true
        var fixture = ReflectorFixture(limits, known: [try typedNode("a", version: "3")])
        for _ in 0..<3 {
            fixture.step(.failed(.refused(Status(code: 404, reason: "NotFound", message: "no such kind"))))
            let state = fixture.reflector.state
            #expect(state.isMissing && state.lastError == nil && state.connectedSince == nil && state.objects == 1)
            #expect(
                (Duration.seconds(600) ... .seconds(1200)).contains(
                    try #require(fixture.reflector.deadline) - fixture.now))
            let next = fixture.advanceToDeadline()
            #expect(isList(next))
        }
        let notices = fixture.reflector.takeNotices()
        #expect(notices == [])
        // A denied request is a failure also of an optional kind.
        fixture.step(.failed(.refused(Status(code: 403, reason: "Forbidden", message: "no"))))
        #expect(!fixture.reflector.state.isMissing && fixture.reflector.state.lastError != nil)
        fixture.advanceToDeadline()
        // The server was replaced by a newer one.
        fixture.sync([])
        #expect(!fixture.reflector.state.isMissing && fixture.reflector.state.connectedSince != nil)
        #expect(fixture.reflector.state.objects == 0)
    }

    @Test func anInvalidLineOfAWatchLeadsToANewList() throws {
        var fixture = ReflectorFixture()
        fixture.sync([try typedNode("a", version: "3")])
        fixture.advance(20)
        fixture.step(.failed(.unexpected("a line that is not a watch event")))
        #expect(isList(fixture.advanceToDeadline()))
        #expect(fixture.reflector.objects.count == 1)
        _ = fixture.page([], version: "")
        #expect(isList(fixture.advanceToDeadline()), "a list without a version is refused")
        #expect(fixture.reflector.objects.count == 1)
    }

    /// That is the meaning of status 504 with this message. After 503 the watch continues from its version.
    @Test func aVersionTheServerHasNotReachedLeadsToANewList() throws {
        var fixture = ReflectorFixture()
        fixture.sync([])
        fixture.step(.failed(.refused(Status(code: 504, reason: "Timeout", message: "Too large resource version: 10"))))
        #expect(isList(fixture.advanceToDeadline()))
        fixture.sync([])
        fixture.step(.failed(.refused(Status(code: 503))))
        #expect(isWatch(fixture.resume(), from: "10"))
    }

    /// A server that was restored from a backup, or whose etcd is empty, accepts a watch from a later version.
    @Test func aServerThatWasSetBackIsListedAtOnce() throws {
        var fixture = ReflectorFixture()
        fixture.sync([try typedNode("a", version: "3")], version: "500")
        fixture.advance(60)
        fixture.step(.failed(.unreachable("reset")))
        #expect(isList(fixture.resume(serverAt: "499")))
        fixture.sync([], version: "499")
        #expect(fixture.reflector.objects.isEmpty)
        fixture.advance(60)
        fixture.step(.failed(.unreachable("reset")))
        #expect(isWatch(fixture.resume(serverAt: "499"), from: "499"))
    }

    /// The first time in a row, after 300 ms at most; then with backoff, because listing has not helped.
    @Test func repeatedExpirationsAreRetriedWithBackoff() throws {
        var fixture = ReflectorFixture()
        // An outage before has no influence on the first delays: the server may have restarted twice.
        fixture.sync([])
        for _ in 0..<20 {
            fixture.step(.failed(.unreachable("connection refused")))
            fixture.advanceToDeadline()
        }
        #expect(isWatch(fixture.page([], version: "1000"), from: "10"))
        var delays: [Duration] = []
        for _ in 0..<20 {
            fixture.step(.failed(.refused(Status(code: 410, reason: "Expired"))))
            delays.append(try #require(fixture.reflector.deadline) - fixture.now)
            #expect(isList(fixture.advanceToDeadline()))
            fixture.sync([])
        }
        #expect(delays[0] <= .milliseconds(300) && delays[1] <= .milliseconds(800))
        #expect(delays.suffix(10).max()! > .seconds(5))
        // No longer in a row.
        fixture.advance(6)
        fixture.step(.failed(.refused(Status(code: 410, reason: "Expired"))))
        #expect(try #require(fixture.reflector.deadline) - fixture.now <= .milliseconds(300))
    }

    /// A server that has just started may deny what it will grant a moment later. That is so after an outage, whose failures do
    /// not count, and for an agent that has started before it.
    @Test(arguments: [false, true]) func aDenialCountsAfterFiveSeconds(isSynced: Bool) throws {
        var fixture = ReflectorFixture()
        if isSynced { fixture.sync([]) }
        for _ in 0..<20 {
            fixture.step(.failed(.unreachable("connection refused")))
            fixture.advanceToDeadline()
        }
        let denial = RequestFailure.refused(Status(code: 403, reason: "Forbidden", message: "no"))
        _ = fixture.reflector.takeNotices()
        fixture.step(.failed(denial))
        let begin = fixture.now
        #expect(try #require(fixture.reflector.deadline) - begin <= .milliseconds(800))
        var requests = 1
        while fixture.now < begin + .seconds(5) {
            #expect(!fixture.reflector.state.isDenied)
            #expect(fixture.reflector.takeNotices() == [])
            fixture.advanceToDeadline()
            fixture.step(.failed(denial))
            requests += 1
        }
        #expect(fixture.now == begin + .seconds(5) && requests < 20)
        #expect(fixture.reflector.state.isDenied)
        #expect(fixture.reflector.takeNotices().count == 1)
        #expect(try #require(fixture.reflector.deadline) - fixture.now >= .seconds(30))
    }

    /// During an outage the delay is random up to 30 s. Once another request is answered, at most 300 ms of it are left.
    @Test func anAnswerToAnotherRequestEndsTheWait() throws {
        var fixture = ReflectorFixture()
        fixture.sync([])
        for _ in 0..<20 {
            fixture.step(.failed(.unreachable("connection refused")))
            fixture.advanceToDeadline()
        }
        fixture.step(.failed(.unreachable("connection refused")))
        fixture.step(.serverAnswers)
        #expect(try #require(fixture.reflector.deadline) - fixture.now <= .milliseconds(300))
        #expect(isWatch(fixture.resume(), from: "10"))
        // The same after a denial, which ends when the server has read the roles.
        let denial = RequestFailure.refused(Status(code: 403, reason: "Forbidden", message: "no"))
        fixture.step(.failed(denial))
        fixture.advance(60)
        fixture.step(.clock)
        fixture.step(.failed(denial))
        #expect(try #require(fixture.reflector.deadline) - fixture.now >= .seconds(30))
        fixture.step(.serverAnswers)
        #expect(try #require(fixture.reflector.deadline) - fixture.now <= .milliseconds(300))
        // No other failure is an outage.
        _ = fixture.advanceToDeadline()
        fixture.step(.failed(.refused(Status(code: 429, retryAfterSeconds: 60))))
        let deadline = fixture.reflector.deadline
        fixture.step(.serverAnswers)
        #expect(fixture.reflector.deadline == deadline)
    }

    @Test func aPageThatIsTooLargeIsRequestedWithHalfTheLimit() throws {
        var fixture = ReflectorFixture()
        for limit in [250, 125, 62, 31, 15, 7, 3, 1, 1] {
            fixture.step(.failed(.tooLarge("16 MB")))
            #expect(isList(fixture.advanceToDeadline(), limit: limit))
        }
    }

    @Test func aListWithoutEndIsRefused() throws {
        var limits = WatchLimits()
        limits.objects = 100
        var fixture = ReflectorFixture(limits)
        #expect(fixture.page([], next: "more") == nil)
        #expect(isList(fixture.advanceToDeadline()))
        #expect(fixture.page([try typedNode("a", version: "3")], next: "x") != nil)
        #expect(fixture.page([try typedNode("a", version: "3")], next: "x") == nil, "a repeated page is refused")
        fixture.advanceToDeadline()
        let many = try (0..<60).map { try typedNode("\($0)", version: "1") }
        #expect(fixture.page(many, next: "x") != nil)
        #expect(fixture.page(many, next: "y") == nil)
        #expect(fixture.reflector.state.failures == [.unexpected: 2, .tooLarge: 1])
        #expect(fixture.reflector.objects.isEmpty)
    }

    @Test func aWatchWithTooManyObjectsIsEnded() throws {
        var limits = WatchLimits()
        limits.objects = 10
        var fixture = ReflectorFixture(limits)
        fixture.sync([])
        for number in 0..<10 {
            #expect(
                fixture.step(.watched(.present(try typedNode("\(number)", version: "\(number)")), octets: 9)) == nil)
        }
        #expect(fixture.step(.watched(.present(try typedNode("x", version: "77")), octets: 9)) == .cut)
    }

    @Test func savedObjectsAreReportedUntilTheFirstList() throws {
        let known = [
            try typedNode("a", version: "3"), try typedNode("b", version: "4"), try typedNode("c", version: "5"),
        ]
        var fixture = ReflectorFixture(known: known)
        #expect(fixture.reflector.takeChanges().updated.map(\.metadata.name).sorted() == ["a", "b", "c"])
        #expect(!fixture.reflector.state.isSynced)
        fixture.step(.failed(.unreachable("connection refused")))
        fixture.advanceToDeadline()
        #expect(fixture.reflector.objects.count == 3)
        fixture.sync([known[0], try typedNode("b", version: "9", ready: false)])
        let changes = fixture.reflector.takeChanges()
        #expect(changes.updated.map(\.metadata.name) == ["b"])
        #expect(changes.deleted.map(\.metadata.name) == ["c"])
    }

    @Test func lateEventsOfAnEndedRequestAreIgnored() throws {
        var fixture = ReflectorFixture()
        fixture.sync([])
        fixture.step(.failed(.unreachable("reset")))
        let deadline = fixture.reflector.deadline
        #expect(fixture.step(.ended) == nil)
        #expect(fixture.step(.opened) == nil)
        #expect(fixture.step(.watched(.present(try typedNode("a", version: "1")), octets: 1)) == nil)
        #expect(fixture.step(.start) == nil)
        #expect(fixture.reflector.deadline == deadline)
        #expect(fixture.reflector.objects.isEmpty)
    }
}

struct ObjectStoreTests {
    @Test func severalChangesOfOneObjectAreReportedAsOne() throws {
        var store = ObjectStore<Node>()
        store.insert(try typedNode("a", version: "1"), octets: 10)
        store.insert(try typedNode("a", version: "2", ready: false), octets: 10)
        store.insert(try typedNode("b", version: "3"), octets: 10)
        store.remove(ObjectKey(name: "b"))
        let changes = store.takeChanges()
        #expect(changes.updated == [try typedNode("a", version: "2", ready: false)])
        #expect(changes.deleted.isEmpty, "a deletion of an object that was not reported is not reported")
        #expect(store.octets == 10)
    }

    @Test func aNewVersionWithTheSameContentsIsNoChange() throws {
        var store = ObjectStore<Node>()
        store.insert(try typedNode("a", version: "1"), octets: 10)
        _ = store.takeChanges()
        store.insert(try typedNode("a", version: "2"), octets: 10)
        #expect(!store.hasChanges)
        store.insert(try typedNode("a", version: "3", ready: false), octets: 10)
        store.insert(try typedNode("a", version: "4"), octets: 10)
        var back = store.takeChanges()
        #expect(
            back.updated.map(\.metadata.resourceVersion) == ["4"],
            "a change that was reverted is reported with the last version")
        store.remove(ObjectKey(name: "a"))
        store.insert(try typedNode("a", version: "5"), octets: 10)
        back = store.takeChanges()
        #expect(back.updated.map(\.metadata.resourceVersion) == ["5"] && back.deleted.isEmpty)
        store.insert(try typedNode("a", version: "6", uid: "2"), octets: 10)
        let changes = store.takeChanges()
        #expect(changes.deleted.map(\.metadata.uid) == ["1"])
        #expect(changes.updated.map(\.metadata.uid) == ["2"])
    }
}
