import OSPF
import Testing
import Timing

@testable import Kubernetes

/// A lease on a server, and several candidates with clocks of their own, in virtual time. The times are the defaults:
/// candidates take a lease that was unchanged for 15 s, and a holder stops 10 s after its last renewal.
private struct SimulatedElection {
    struct Candidate {
        var election: LeaseElection
        /// How far its clocks, the monotonic one and the wall clock, are ahead.
        var skew: Duration
        var pending: LeaseElection.Action?
        /// Whether its requests are lost, and its watch reports nothing.
        var isCutOff = false
        /// The lease that its watch has reported last.
        var reported: Lease?
        /// Whether its requests arrive, but the answers are lost.
        var losesAnswers = false
    }

    var candidates: [Candidate]
    var lease: Lease?
    var version = 1
    var now = Instant.at(1000)
    var random = FixedRandom()
    /// The successive holders, as indices of `candidates`.
    var holders: [Int] = []

    init(skews: [Duration]) {
        candidates = skews.enumerated().map {
            Candidate(election: LeaseElection(identity: "node-\($0.offset)"), skew: $0.element)
        }
        for index in candidates.indices { step(index, .start) }
    }

    mutating func step(_ index: Int, _ event: LeaseElection.Event) {
        let local = now + candidates[index].skew
        candidates[index].pending = candidates[index].election.handle(
            event, at: local, time: MicroTime(microseconds: local.nanoseconds / 1000), random: &random)
    }

    func isHolder(_ index: Int) -> Bool { candidates[index].election.isHolder(at: now + candidates[index].skew) }

    /// Lets 0.1 s pass. Candidates that have sent a request get the answer.
    mutating func advance() {
        now = now + .milliseconds(100)
        for index in candidates.indices {
            reportLease(index)
            if let action = candidates[index].pending {
                candidates[index].pending = nil
                let lost = LeaseElection.Event.failed(.unreachable("cut off"))
                let answer = candidates[index].isCutOff ? lost : answer(action)
                step(index, candidates[index].losesAnswers ? lost : answer)
            }
            let local = now + candidates[index].skew
            if let deadline = candidates[index].election.deadline(at: local), deadline <= local,
                candidates[index].pending == nil
            {
                step(index, .clock)
            }
        }
        let holding = candidates.indices.filter { isHolder($0) }
        #expect(holding.count <= 1, "at most one candidate holds the lease")
        if let holder = holding.first, holders.last != holder { holders.append(holder) }
    }

    private mutating func reportLease(_ index: Int) {
        let old = candidates[index].reported
        guard !candidates[index].isCutOff, candidates[index].pending == nil, old != lease else { return }
        candidates[index].reported = lease
        if let old, old.metadata.uid != lease?.metadata.uid { step(index, .removed(uid: old.metadata.uid)) }
        if let lease { step(index, .observed(lease)) }
    }

    mutating func advance(seconds: Int) { for _ in 0..<seconds * 10 { advance() } }

    private mutating func answer(_ action: LeaseElection.Action) -> LeaseElection.Event {
        switch action {
        case .read: return .read(lease)
        case .create(let record): return lease == nil ? write(record) : .failed(.refused(Status(code: 409)))
        case .update(let record, let resourceVersion):
            guard let lease else { return .failed(.refused(Status(code: 404))) }
            guard lease.metadata.resourceVersion == resourceVersion else {
                return .failed(.refused(Status(code: 409)))
            }
            return write(record)
        }
    }

    /// Another client, which is no candidate, writes a holder and a duration.
    mutating func overwriteLease(holder: String, seconds: Int) {
        var record = lease?.record ?? LeaseRecord()
        record.holderIdentity = holder
        record.leaseDurationSeconds = seconds
        _ = write(record)
    }

    private mutating func write(_ record: LeaseRecord) -> LeaseElection.Event {
        version += 1
        var metadata = ObjectMetadata(name: "pools", namespace: "kube-system")
        metadata.resourceVersion = "\(version)"
        metadata.uid = lease?.metadata.uid ?? "lease-\(version)"
        let new = Lease(metadata: metadata, record: record)
        lease = new
        return .written(new)
    }
}

struct LeaseElectionTests {
    @Test func oneOfSeveralCandidatesHoldsTheLeaseAndKeepsIt() {
        var election = SimulatedElection(skews: [.zero, .seconds(3600), .seconds(-86_400)])
        election.advance(seconds: 120)
        #expect(election.holders == [0])
        #expect(election.lease?.record.leaseTransitions == 0)
        #expect(election.lease?.record.leaseDurationSeconds == 15)
    }

    @Test func aHolderThatIsCutOffStopsBeforeAnotherBegins() {
        var election = SimulatedElection(skews: [.zero, .seconds(-3600)])
        election.advance(seconds: 30)
        election.candidates[0].isCutOff = true
        election.advance(seconds: 11)
        #expect(!election.isHolder(0))
        #expect(!election.isHolder(1), "nobody holds the lease before it expires")
        election.advance(seconds: 20)
        #expect(election.isHolder(1))
        #expect(election.lease?.record.leaseTransitions == 1)
        election.candidates[0].isCutOff = false
        election.advance(seconds: 30)
        #expect(election.holders == [0, 1], "a former holder that is connected again does not take the lease")
    }

    /// The next attempt is 2 to 4.4 s after the last.
    @Test func aReleasedLeaseIsTakenWithTheNextAttempt() {
        var election = SimulatedElection(skews: [.zero, .zero])
        election.advance(seconds: 30)
        election.step(0, .release)
        #expect(!election.isHolder(0))
        election.advance(seconds: 6)
        #expect(election.isHolder(1))
        #expect(election.candidates[0].election.hasReleased)
        election.advance(seconds: 60)
        #expect(election.holders == [0, 1])
    }

    @Test func aRestartedHolderWithTheSameNameContinuesAtOnce() {
        var election = SimulatedElection(skews: [.zero, .zero])
        election.advance(seconds: 30)
        election.candidates[0].election = LeaseElection(identity: "node-0")
        election.step(0, .start)
        election.advance(seconds: 1)
        #expect(election.isHolder(0))
        #expect(election.lease?.record.leaseTransitions == 0)
    }

    /// By its timestamp, the lease was renewed long ago. It has expired only when the candidate has seen it unchanged for 20 s.
    @Test func aLeaseOfAnUnknownHolderIsTakenAfterItsDuration() {
        var election = SimulatedElection(skews: [])
        var record = LeaseRecord()
        record.holderIdentity = "a former controller"
        record.leaseDurationSeconds = 20
        record.renewTime = "1999-01-01T00:00:00.000000Z"
        election.lease = Lease(metadata: ObjectMetadata(name: "pools"), record: record)
        election.candidates = [.init(election: LeaseElection(identity: "node-0"), skew: .zero)]
        election.step(0, .start)
        election.advance(seconds: 19)
        #expect(!election.isHolder(0), "the timestamp of the lease is not trusted")
        election.advance(seconds: 10)
        #expect(election.isHolder(0))
    }

    /// A stop during a renewal whose answer is lost, or whose lease was changed by another client meanwhile.
    @Test(arguments: [true, false]) func aStopDuringAFailingRenewalReleasesTheLease(isConflict: Bool) throws {
        var random = FixedRandom()
        var election = LeaseElection(identity: "a")
        var now = Instant.at(1000)
        func step(_ event: LeaseElection.Event) -> LeaseElection.Action? {
            election.handle(event, at: now, time: MicroTime(microseconds: 0), random: &random)
        }
        #expect(step(.start) == .read)
        guard case .create(let record)? = step(.read(nil)) else {
            Issue.record("no lease was created")
            return
        }
        var metadata = ObjectMetadata(name: "pools", namespace: "kube-system")
        metadata.resourceVersion = "5"
        #expect(step(.written(Lease(metadata: metadata, record: record))) == nil)
        now = now + .seconds(3)
        guard case .update? = step(.clock) else {
            Issue.record("the lease was not renewed")
            return
        }
        #expect(step(.release) == nil && !election.hasReleased)
        var release: LeaseElection.Action?
        if isConflict {
            #expect(step(.failed(.refused(Status(code: 409)))) == .read)
            metadata.resourceVersion = "6"
            release = step(.read(Lease(metadata: metadata, record: record)))
        } else {
            release = step(.failed(.unreachable("timed out")))
        }
        guard case .update(let released, metadata.resourceVersion)? = release else {
            Issue.record("the lease was not released")
            return
        }
        #expect(released.holderIdentity.isEmpty && !election.hasReleased)
        #expect(step(.failed(.unreachable("timed out"))) == nil && election.hasReleased)
    }

    @Test func aDeletedLeaseIsCreatedAgain() {
        var election = SimulatedElection(skews: [.zero])
        election.advance(seconds: 5)
        election.lease = nil
        election.advance(seconds: 20)
        #expect(election.isHolder(0))
        #expect(election.lease != nil)
    }

    @Test(arguments: [0, 3, 7, 11, 16])
    func aDeletedLeaseNeverLeadsToTwoHolders(tenths: Int) {
        var election = SimulatedElection(skews: [.zero, .seconds(-3600), .seconds(60)])
        election.advance(seconds: 30)
        for _ in 0..<tenths { election.advance() }
        // The holder notices at its next renewal or, if it is cut off, never.
        election.candidates[0].isCutOff = tenths % 2 == 1
        election.lease = nil
        election.advance(seconds: 40)
        #expect(election.candidates.indices.contains { election.isHolder($0) })
        #expect(election.lease != nil)
        if election.candidates[0].isCutOff { #expect(election.holders.count == 2) }
    }

    /// The former holder may act for 10 s after its last renewal.
    @Test func aNewCandidateWaitsForTheFormerHolderOfADeletedLease() {
        var election = SimulatedElection(skews: [.zero])
        election.advance(seconds: 30)
        election.candidates[0].isCutOff = true
        election.lease = nil
        election.candidates.append(.init(election: LeaseElection(identity: "node-1"), skew: .zero))
        election.step(1, .start)
        election.advance(seconds: 9)
        #expect(election.lease?.record.holderIdentity == "node-1")
        #expect(!election.isHolder(1))
        election.advance(seconds: 3)
        #expect(election.holders == [0, 1])
    }

    /// The answer to the request that creates the lease is lost. The candidate then reads that it holds the lease, but must
    /// wait as long as after an answer.
    @Test func aCandidateWithoutAnAnswerToItsCreationWaitsToo() {
        var election = SimulatedElection(skews: [.zero])
        election.advance(seconds: 30)
        election.candidates[0].isCutOff = true
        election.lease = nil
        election.candidates.append(.init(election: LeaseElection(identity: "node-1"), skew: .zero))
        election.step(1, .start)
        election.advance()
        election.candidates[1].losesAnswers = true
        election.advance()
        election.candidates[1].losesAnswers = false
        election.advance(seconds: 7)
        #expect(election.lease?.record.holderIdentity == "node-1")
        #expect(!election.isHolder(1))
        election.advance(seconds: 15)
        #expect(election.holders == [0, 1])
    }

    @Test func aHolderThatCreatesItsDeletedLeaseAgainContinues() {
        var election = SimulatedElection(skews: [.zero])
        election.advance(seconds: 30)
        election.lease = nil
        for _ in 0..<100 {
            election.advance()
            #expect(election.isHolder(0))
        }
        #expect(election.lease != nil)
    }

    @Test func aLeaseTakenByAnotherClientIsRespectedForItsDuration() {
        var election = SimulatedElection(skews: [.zero, .zero])
        election.advance(seconds: 30)
        election.overwriteLease(holder: "somebody", seconds: 60)
        election.advance(seconds: 8)
        #expect(!election.isHolder(0) && !election.isHolder(1), "a holder that reads another holder stops")
        election.advance(seconds: 50)
        #expect(election.lease?.record.holderIdentity == "somebody")
        election.advance(seconds: 10)
        #expect(election.isHolder(0) || election.isHolder(1))
    }
}
