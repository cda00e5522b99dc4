internal import Timing

/// Whether packets as large as the link's MTU arrive: something between two ends may drop what is larger than its own MTU, and
/// say nothing. A padded request of that size is sent every minute. If three in a row get no answer while small ones beside them
/// do, the largest size that passes is found by halving; each size has two attempts.
struct SizeProbe: Sendable {
    /// The largest size that passes, in octets with the IPv6 header, if that of the link's MTU does not.
    private(set) var largest: Int?

    /// The size of a packet of the link's MTU; 0 if it is not to be tested.
    private var mtu: Int
    /// When the next test begins.
    private var next: Instant
    private var test: Test?
    private var sequence: UInt16 = 0

    private struct Test {
        var size: Int
        /// When the request was sent that is awaited; `nil` if the next is to be sent.
        var sent: Instant?
        /// The number of requests of this size without an answer.
        var lost = 0
        /// While halving: a size that passes and a larger one that does not.
        var range: (passes: Int, fails: Int)?
    }

    static let interval = Duration.seconds(60)
    /// The first test comes this long after the first answer, so that a new cable is tested soon, plus a random time of up to
    /// ``spread``, so that nodes do not send all at once.
    static let firstDelay = Duration.seconds(2)
    static let spread = Duration.seconds(8)
    /// The time that a small and a padded request both have for their answers.
    static let patience = Duration.seconds(1)
    /// The size of small requests, in octets with the IPv6 header.
    static let smallSize = 80
    /// The number of consecutive requests of the link's MTU that must be lost, and of smaller ones.
    private static let decisiveLosses = 3
    private static let decisiveLossesWhileHalving = 2

    init(mtu: Int, phase: Duration, at now: Instant) {
        self.mtu = mtu
        next = now + Self.firstDelay + phase
    }

    /// The link has another MTU.
    mutating func setMTU(_ new: Int, at now: Instant) {
        guard new != mtu else { return }
        mtu = new
        largest = nil
        test = nil
        next = now + Self.firstDelay
    }

    /// The neighbor does not answer small requests any more, so nothing can be found out.
    mutating func stop() { test = nil }

    /// Handles what is due. `lastAnswered` is when the newest small request was sent that has an answer. Returns a request to
    /// send.
    mutating func advance(to now: Instant, lastAnswered: Instant) -> (sequence: UInt16, size: Int)? {
        guard mtu > Self.smallSize else { return nil }
        if test == nil {
            guard now >= next else { return nil }
            next = now + Self.interval
            test = Test(size: mtu)
        }
        if let sent = test?.sent {
            guard now - sent >= Self.patience, lastAnswered >= sent else { return nil }
            lose()
        }
        guard test != nil else { return nil }
        test!.sent = now
        sequence &+= 1
        return (sequence, test!.size)
    }

    /// The awaited request has no answer although a small one beside it has.
    private mutating func lose() {
        test!.sent = nil
        test!.lost += 1
        guard let range = test!.range else {
            if test!.lost >= Self.decisiveLosses { halve(passes: Self.smallSize, fails: mtu) }
            return
        }
        if test!.lost >= Self.decisiveLossesWhileHalving { halve(passes: range.passes, fails: test!.size) }
    }

    private mutating func halve(passes: Int, fails: Int) {
        guard fails - passes > 1 else {
            largest = passes
            return test = nil
        }
        test = Test(size: (passes + fails) / 2, range: (passes, fails))
    }

    /// A padded request has an answer.
    mutating func answered(_ sequence: UInt16, size: Int) {
        guard let test, test.sent != nil, sequence == self.sequence, size == test.size else { return }
        guard let range = test.range else {
            largest = nil
            return self.test = nil
        }
        halve(passes: size, fails: range.fails)
    }

    /// A padded request could not be sent, for example because the MTU has just become smaller.
    mutating func notSent() { test = nil }
}
