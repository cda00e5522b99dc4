/// An IPv4 prefix that all nodes share, and out of which each node assigns itself a prefix of a given length (similar to
/// RFC 7695): the first free one, starting at a position that depends on the node alone. So a node usually chooses the same
/// prefix again, and two nodes rarely choose the same one.
public struct PrefixPool: Hashable, Sendable {
    /// The prefix that contains all prefixes of the pool.
    public let base: IPv4Prefix
    /// The length of the prefixes in the pool, at most 32.
    public let length: Int

    /// The largest difference between the two lengths: a pool has at most 2¹⁶ prefixes, because ``choose(seed:avoiding:)``
    /// has a flag for each of them.
    private static let maximumLengthDifference = 16

    /// Makes a pool. `nil` if `length` is less than that of the base or more than 32, or there would be more than 65,536
    /// prefixes.
    public init?(base: IPv4Prefix, length: Int) {
        guard (base.length...32).contains(length), length - base.length <= Self.maximumLengthDifference else {
            return nil
        }
        self.base = base
        self.length = length
    }

    /// The prefixes that may be assigned, numbered from 0 at the start of the base. In a pool of more than two single
    /// addresses, the first and the last are left out, because old software uses them as network and broadcast address.
    private var numbers: Range<Int> {
        let count = 1 << (length - base.length)
        return length == 32 && count > 2 ? 1..<count - 1 : 0..<count
    }

    private func prefix(_ number: Int) -> IPv4Prefix {
        IPv4Prefix(IPv4Address(base.address.rawValue | UInt32(number) << UInt32(32 - length)), length: length)
    }

    /// Whether a prefix may be assigned from this pool, free or not.
    public func contains(_ prefix: IPv4Prefix) -> Bool {
        guard prefix.length == length, base.contains(prefix.address) else { return false }
        return numbers.contains(Int((prefix.address.rawValue ^ base.address.rawValue) >> UInt32(32 - length)))
    }

    /// The first prefix that overlaps none of those in `used`, starting at a position that `seed` determines; `nil` if all
    /// are in use. A used prefix that covers the whole base, such as a default route, is ignored: it says nothing about who
    /// has which part. But if the base is the only prefix of the pool, a used prefix that is equal to the base counts.
    public func choose(seed: UInt64, avoiding used: some Sequence<IPv4Prefix>) -> IPv4Prefix? {
        var isUsed = [Bool](repeating: false, count: 1 << (length - base.length))
        for other in used
        where (other.length > base.length || other.length == length) && base.contains(other.address) {
            // A shorter prefix occupies 2^width prefixes of the pool, a longer one makes the one that it is in unusable.
            let width = max(0, length - other.length)
            let number = Int((other.address.rawValue ^ base.address.rawValue) >> UInt32(32 - length))
            for taken in number..<number + 1 << width { isUsed[taken] = true }
        }
        let numbers = self.numbers
        let start = Int(seed % UInt64(numbers.count))
        for step in 0..<numbers.count {
            let number = numbers.lowerBound + (start + step) % numbers.count
            if !isUsed[number] { return prefix(number) }
        }
        return nil
    }
}
