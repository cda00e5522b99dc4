internal import OSPF
internal import Timing

/// Random draws for scenarios and their runs. A seed gives the same numbers on every machine and with every version of Swift.
public struct RandomSource: Sendable {
    private var generator: SplitMix64

    /// Starts the sequence of a seed.
    public init(seed: UInt64) { generator = SplitMix64(seed: seed) }

    /// 64 random bits.
    public mutating func next() -> UInt64 { generator.next() }

    /// A number from 0 to `bound` - 1; `bound` is at least 1.
    public mutating func below(_ bound: Int) -> Int {
        precondition(bound > 0)
        return Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// A number in the range, both ends included.
    public mutating func number(in range: ClosedRange<Int>) -> Int {
        range.lowerBound + below(range.count)
    }

    /// True with this probability, 0–1.
    public mutating func chance(_ probability: Double) -> Bool {
        // Nothing is drawn for a probability of zero, which keeps good links cheap.
        if probability <= 0 { return false }
        // The significand of a Double has 53 bits.
        return Double(next() >> 11) * 0x1p-53 < probability
    }

    /// A duration from zero to `limit`, both included; zero if `limit` is negative.
    public mutating func duration(upTo limit: Duration) -> Duration {
        let nanoseconds = limit.nanoseconds
        return nanoseconds <= 0 ? .zero : .nanoseconds(below(Int(nanoseconds) + 1))
    }

    /// One of the elements; `nil` if there is none.
    public mutating func pick<Element>(_ elements: [Element]) -> Element? {
        elements.isEmpty ? nil : elements[below(elements.count)]
    }

    /// A subset that has each element with a probability of 0.5, in the order of `elements`.
    public mutating func subset<Element>(of elements: [Element]) -> [Element] {
        elements.filter { _ in chance(0.5) }
    }

    /// Puts elements into a random order.
    public mutating func shuffle<Element>(_ elements: inout [Element]) {
        for index in elements.indices.dropFirst() { elements.swapAt(index, below(index + 1)) }
    }

    /// A sequence of its own: drawing more numbers from one does not change those of the other.
    public mutating func fork() -> RandomSource { RandomSource(seed: next()) }
}
