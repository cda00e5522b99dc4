import OSPF
import Testing
import Timing

@testable import Kubernetes

/// A reflector in virtual time, and the actions that it returned.
private struct Bench {
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
    mutating func wait() -> ReflectorAction? {
        now = max(now, reflector.deadline ?? now)
        return step(.clock)
    }

    mutating func pass(_ seconds: Int) { now = now + .seconds(seconds) }
}

private func isWatch(_ action: ReflectorAction?, from version: String) -> Bool {
    if case .watch(version, _) = action { true } else { false }
}

private func isList(_ action: ReflectorAction?, limit: Int = 500) -> Bool {
    action == .list(limit: limit, continuation: "")
}

struct ReflectorTests {
    @Test func listsInPagesAndThenWatchesFromTheVersionOfTheFirst() throws {
        var bench = Bench()
        #expect(isList(bench.actions.last))
        #expect(bench.page([try typedNode("a", version: "3")], next: "more") == .list(limit: 500, continuation: "more"))
        #expect(!bench.reflector.state.isSynced, "half a list is none")
        #expect(!bench.reflector.hasChanges)
        let action = bench.page([try typedNode("b", version: "4")], version: "10")
        #expect(isWatch(action, from: "10"))
        #expect(bench.reflector.takeChanges().updated.map(\.metadata.name).sorted() == ["a", "b"])
        #expect(bench.reflector.state.isSynced)
        guard case .watch(_, let seconds) = action else { return }
        #expect((300...600).contains(seconds))
    }

    @Test func followsTheWatchAndRemembersWhereItIs() throws {
        var bench = Bench()
        bench.sync([try typedNode("a", version: "3")])
        _ = bench.reflector.takeChanges()
        bench.step(.watched(.present(try typedNode("b", version: "11")), octets: 100))
        bench.step(.watched(.gone(try typedNode("a", version: "12")), octets: 100))
        bench.step(.watched(.bookmark(resourceVersion: "20"), octets: 100))
        let changes = bench.reflector.takeChanges()
        #expect(changes.updated.map(\.metadata.name) == ["b"])
        #expect(changes.deleted.map(\.metadata.name) == ["a"])
        bench.pass(10)
        #expect(isWatch(bench.step(.ended), from: "20"), "what ends in good order goes on at once")
    }

    @Test func aLostConnectionGoesOnFromWhereItWasAndNothingIsForgotten() throws {
        var bench = Bench()
        bench.sync([try typedNode("a", version: "3")])
        bench.pass(10)
        bench.step(.watched(.bookmark(resourceVersion: "15"), octets: 100))
        _ = bench.reflector.takeChanges()
        #expect(bench.step(.failed(.unreachable("reset"))) == nil)
        #expect(bench.reflector.state.connectedSince == nil)
        for _ in 0..<200 {
            #expect(isWatch(bench.wait(), from: "15"))
            #expect(bench.step(.failed(.unreachable("connection refused"))) == nil)
        }
        #expect(!bench.reflector.hasChanges)
        #expect(bench.reflector.objects.count == 1)
        #expect(bench.reflector.takeNotices().count == 1, "one outage is told once")
        bench.wait()
        bench.step(.opened)
        #expect(bench.reflector.state.connectedSince == bench.now)
        #expect(bench.reflector.takeNotices() == ["nodes: the API server answers again"])
    }

    /// The delay is random from zero to a bound that begins with 0.8 s and doubles up to 30 s.
    @Test func backsOffFurtherAndFurtherButNotForEver() throws {
        var bench = Bench()
        var longest = Duration.zero
        for attempt in 0..<60 {
            bench.step(.failed(.unreachable("connection refused")))
            let delay = try #require(bench.reflector.deadline) - bench.now
            #expect(delay <= min(.milliseconds(800 << min(attempt, 10)), .seconds(30)))
            longest = max(longest, delay)
            #expect(isList(bench.wait()))
        }
        #expect(longest > .seconds(20))
        bench.sync([])
        bench.pass(6)
        bench.step(.failed(.unreachable("reset")))
        #expect(try #require(bench.reflector.deadline) - bench.now <= .milliseconds(800), "success begins anew")
    }

    @Test(arguments: [true, false]) func listsAgainAfterAnExpiredVersionAndTellsTheDifference(isInStream: Bool) throws {
        var bench = Bench()
        bench.sync([
            try typedNode("a", version: "3"), try typedNode("b", version: "4"), try typedNode("c", version: "5"),
        ])
        _ = bench.reflector.takeChanges()
        let expired = Status(code: 410, reason: "Expired", message: "too old")
        if isInStream {
            #expect(bench.step(.watched(.failed(expired), octets: 100)) == .cut)
        } else {
            bench.step(.failed(.refused(expired)))
        }
        #expect(isList(bench.wait()))
        #expect(bench.reflector.takeNotices().isEmpty, "that is in the order of things")
        bench.sync(
            [
                try typedNode("a", version: "3"), try typedNode("b", version: "30", uid: "2"),
                try typedNode("d", version: "31"),
            ])
        let changes = bench.reflector.takeChanges()
        #expect(changes.updated.map(\.metadata.name).sorted() == ["b", "d"])
        #expect(changes.deleted.map(\.metadata.name).sorted() == ["b", "c"], "b is another of the same name")
    }

    @Test func anExpiredPageBeginsTheListAgain() throws {
        var bench = Bench()
        _ = bench.page([try typedNode("a", version: "3")], next: "more")
        bench.step(.failed(.refused(Status(code: 410, reason: "Expired"))))
        #expect(isList(bench.wait()))
        bench.sync([try typedNode("b", version: "9")])
        #expect(bench.reflector.takeChanges().updated.map(\.metadata.name) == ["b"])
    }

    /// A server that was restored from a backup accepts the watch and sends nothing until it reaches the old version.
    @Test func silenceIsCutAndEverythingListed() throws {
        var bench = Bench()
        bench.sync([])
        #expect(try #require(bench.reflector.deadline) - bench.now == .seconds(180))
        #expect(bench.wait() == .cut)
        #expect(isList(bench.wait()), "perhaps the server was set back and waits to come so far")
    }

    /// A watch that gets bookmarks but never ends is cut 20 s after its requested time, at most 600 s.
    @Test func aWatchThatIsKeptAwakeIsCutAfterItsTime() throws {
        var bench = Bench()
        bench.sync([])
        let opened = bench.now
        while bench.now - opened < .seconds(3600) {
            bench.step(.watched(.bookmark(resourceVersion: "12"), octets: 10))
            guard let deadline = bench.reflector.deadline, deadline - bench.now >= .seconds(60) else { break }
            bench.pass(60)
        }
        #expect(bench.wait() == .cut)
        #expect(bench.now - opened <= .seconds(620))
        #expect(isWatch(bench.wait(), from: "12"))
        #expect(bench.reflector.state.failures.isEmpty)
    }

    @Test func aWatchThatIsNeverAnsweredIsGivenUp() throws {
        var bench = Bench()
        _ = bench.page([])
        #expect(bench.wait() == .cut)
        #expect(isWatch(bench.wait(), from: "10"))
        #expect(bench.reflector.state.failures == [.unreachable: 1])
    }

    @Test func aServerThatHangsUpAtOnceIsNotHammered() throws {
        var bench = Bench()
        let begin = bench.now
        _ = bench.page([])
        for _ in 0..<40 {
            bench.step(.opened)
            #expect(bench.step(.ended) == nil)
            #expect(isWatch(bench.wait(), from: "10"))
        }
        #expect(bench.now - begin > .seconds(200))
    }

    @Test func doesWhatRetryAfterSays() throws {
        var bench = Bench()
        bench.step(.failed(.refused(Status(code: 429, retryAfterSeconds: 45))))
        #expect(try #require(bench.reflector.deadline) - bench.now == .seconds(45))
        bench.wait()
        bench.step(.failed(.refused(Status(code: 429, retryAfterSeconds: .max))))
        #expect(try #require(bench.reflector.deadline) - bench.now == .seconds(3600), "but not for ever")
    }

    @Test func whatIsForbiddenIsAskedRarelyAndToldOnce() throws {
        var bench = Bench()
        var notices: [String] = []
        for _ in 0..<20 {
            bench.step(.failed(.refused(Status(code: 403, reason: "Forbidden", message: "no"))))
            #expect(
                (Duration.seconds(30) ... .seconds(60)).contains(try #require(bench.reflector.deadline) - bench.now))
            bench.wait()
            notices += bench.reflector.takeNotices()
        }
        #expect(
            notices == ["nodes: the API server refused the request (403 Forbidden): no (a ClusterRole must allow it)"])
    }

    @Test func rubbishOnTheWatchMakesItListAgain() throws {
        var bench = Bench()
        bench.sync([try typedNode("a", version: "3")])
        bench.pass(20)
        bench.step(.failed(.unexpected("a line that is not a watch event")))
        #expect(isList(bench.wait()))
        #expect(bench.reflector.objects.count == 1)
        _ = bench.page([], version: "")
        #expect(isList(bench.wait()), "a list without a version is none")
        #expect(bench.reflector.objects.count == 1)
    }

    /// Status 504 with this message means that; 503 only means that the server is unavailable, and the watch continues.
    @Test func aVersionTheServerHasNotReachedMakesItListAgain() throws {
        var bench = Bench()
        bench.sync([])
        bench.step(.failed(.refused(Status(code: 504, reason: "Timeout", message: "Too large resource version: 10"))))
        #expect(isList(bench.wait()))
        bench.sync([])
        bench.step(.failed(.refused(Status(code: 503))))
        #expect(isWatch(bench.wait(), from: "10"))
    }

    @Test func aPageThatIsTooLargeIsAskedForInHalves() throws {
        var bench = Bench()
        for limit in [250, 125, 62, 31, 15, 7, 3, 1, 1] {
            bench.step(.failed(.tooLarge("16 MB")))
            #expect(isList(bench.wait(), limit: limit))
        }
    }

    @Test func aListThatNeverEndsIsRefused() throws {
        var limits = WatchLimits()
        limits.objects = 100
        var bench = Bench(limits)
        #expect(bench.page([], next: "more") == nil)
        #expect(isList(bench.wait()))
        #expect(bench.page([try typedNode("a", version: "3")], next: "x") != nil)
        #expect(bench.page([try typedNode("a", version: "3")], next: "x") == nil, "the same page again")
        bench.wait()
        let many = try (0..<60).map { try typedNode("\($0)", version: "1") }
        #expect(bench.page(many, next: "x") != nil)
        #expect(bench.page(many, next: "y") == nil)
        #expect(bench.reflector.state.failures == [.unexpected: 2, .tooLarge: 1])
        #expect(bench.reflector.objects.isEmpty)
    }

    @Test func aWatchMayNotFillTheMemory() throws {
        var limits = WatchLimits()
        limits.objects = 10
        var bench = Bench(limits)
        bench.sync([])
        for number in 0..<10 {
            #expect(bench.step(.watched(.present(try typedNode("\(number)", version: "\(number)")), octets: 9)) == nil)
        }
        #expect(bench.step(.watched(.present(try typedNode("x", version: "77")), octets: 9)) == .cut)
    }

    @Test func whatWasKnownBeforeIsToldUntilTheFirstListKnowsBetter() throws {
        let known = [
            try typedNode("a", version: "3"), try typedNode("b", version: "4"), try typedNode("c", version: "5"),
        ]
        var bench = Bench(known: known)
        #expect(bench.reflector.takeChanges().updated.map(\.metadata.name).sorted() == ["a", "b", "c"])
        #expect(!bench.reflector.state.isSynced)
        bench.step(.failed(.unreachable("connection refused")))
        bench.wait()
        #expect(bench.reflector.objects.count == 3)
        bench.sync([known[0], try typedNode("b", version: "9", ready: false)])
        let changes = bench.reflector.takeChanges()
        #expect(changes.updated.map(\.metadata.name) == ["b"])
        #expect(changes.deleted.map(\.metadata.name) == ["c"])
    }

    @Test func lateNewsOfARequestThatIsOverMeansNothing() throws {
        var bench = Bench()
        bench.sync([])
        bench.step(.failed(.unreachable("reset")))
        let deadline = bench.reflector.deadline
        #expect(bench.step(.ended) == nil)
        #expect(bench.step(.opened) == nil)
        #expect(bench.step(.watched(.present(try typedNode("a", version: "1")), octets: 1)) == nil)
        #expect(bench.step(.start) == nil)
        #expect(bench.reflector.deadline == deadline)
        #expect(bench.reflector.objects.isEmpty)
    }
}

struct ObjectStoreTests {
    @Test func severalChangesOfOneObjectAreToldAsOne() throws {
        var store = ObjectStore<Node>()
        store.insert(try typedNode("a", version: "1"), octets: 10)
        store.insert(try typedNode("a", version: "2", ready: false), octets: 10)
        store.insert(try typedNode("b", version: "3"), octets: 10)
        store.remove(ObjectKey(name: "b"))
        let changes = store.takeChanges()
        #expect(changes.updated == [try typedNode("a", version: "2", ready: false)])
        #expect(changes.deleted.isEmpty, "b was never told of")
        #expect(store.octets == 10)
    }

    @Test func whatSaysNothingNewIsNoChange() throws {
        var store = ObjectStore<Node>()
        store.insert(try typedNode("a", version: "1"), octets: 10)
        _ = store.takeChanges()
        store.insert(try typedNode("a", version: "2"), octets: 10)
        #expect(!store.hasChanges)
        store.insert(try typedNode("a", version: "3", ready: false), octets: 10)
        store.insert(try typedNode("a", version: "4"), octets: 10)
        var back = store.takeChanges()
        #expect(back.updated.map(\.metadata.resourceVersion) == ["4"], "it said something else for a moment")
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
