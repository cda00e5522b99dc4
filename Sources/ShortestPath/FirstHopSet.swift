/// A set of first-hop numbers (``FirstHop/number``).
public struct FirstHopSet: Hashable, Sendable {
    /// A bit for each number, the lowest first. Words of zeros at the end make no difference.
    var words: [UInt64]

    public init() { words = [] }

    /// Makes a set of numbers, each 0 or more.
    public init(_ numbers: some Sequence<Int>) {
        self.init()
        for number in numbers { insert(number) }
    }

    public var isEmpty: Bool { words.allSatisfy { $0 == 0 } }
    /// The number of elements.
    public var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    /// Whether the set contains `number`.
    public func contains(_ number: Int) -> Bool {
        number >= 0 && number >> 6 < words.count && words[number >> 6] >> UInt64(number & 63) & 1 == 1
    }

    /// Inserts a number, 0 or more.
    public mutating func insert(_ number: Int) {
        while words.count <= number >> 6 { words.append(0) }
        words[number >> 6] |= 1 << UInt64(number & 63)
    }

    /// Removes all numbers, but keeps the storage.
    public mutating func removeAll() {
        for index in words.indices { words[index] = 0 }
    }

    /// Equal if the same numbers are in both.
    public static func == (left: FirstHopSet, right: FirstHopSet) -> Bool {
        let (short, long) = left.words.count < right.words.count ? (left, right) : (right, left)
        return long.words.starts(with: short.words) && long.words[short.words.count...].allSatisfy { $0 == 0 }
    }

    /// Hashes the numbers in the set.
    public func hash(into hasher: inout Hasher) {
        for number in self { hasher.combine(number) }
    }
}

extension FirstHopSet: Sequence {
    /// Iterates over the numbers in ascending order.
    public struct Iterator: IteratorProtocol {
        private let words: [UInt64]
        private var index = 0
        private var rest: UInt64

        init(_ words: [UInt64]) {
            self.words = words
            rest = words.first ?? 0
        }

        /// The next higher number.
        public mutating func next() -> Int? {
            while rest == 0 {
                index += 1
                guard index < words.count else { return nil }
                rest = words[index]
            }
            defer { rest &= rest - 1 }
            return index << 6 | rest.trailingZeroBitCount
        }
    }

    /// Iterates over the numbers in ascending order.
    public func makeIterator() -> Iterator { Iterator(words) }
    /// The count, which is exact.
    public var underestimatedCount: Int { count }
}
