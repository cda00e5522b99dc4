/// A dictionary by prefix, for tables with every prefix of the mesh. Calculations look up ten thousand prefixes at once, so a
/// lookup takes only a few multiplications and usually one or two comparisons of prefixes. The type is inlinable, so that other
/// modules specialize it for their values.
///
/// It is a hash table with chains. Other routers cannot slow it down by the prefixes that they announce: the hash is strongly
/// universal (pair-multiply-shift, Thorup 2015), so two prefixes that are chosen without knowledge of its secret keys collide
/// with a probability of one in the number of chains, and there are at least as many chains as prefixes.
public struct PrefixMap<Value> {
    @usableFromInline
    struct Entry {
        @usableFromInline var prefix: IPv6Prefix
        /// The index of the next entry in the same chain; ``PrefixMap/none`` at the end.
        @usableFromInline var next: Int32
        @usableFromInline var value: Value

        @inlinable
        init(prefix: IPv6Prefix, next: Int32, value: Value) {
            self.prefix = prefix
            self.next = next
            self.value = value
        }
    }

    /// The entries, without gaps, in no particular order.
    @usableFromInline var entries: [Entry] = []
    /// The index of the first entry of each chain, ``none`` if it is empty. The number of chains is zero or a power of two.
    @usableFromInline var chains: [Int32] = []
    @usableFromInline let hash = PrefixHash()

    /// The index that stands for no entry.
    @usableFromInline static var none: Int32 { -1 }

    public init() {}
}

extension PrefixMap: Sendable where Value: Sendable {}
extension PrefixMap.Entry: Sendable where Value: Sendable {}

extension PrefixMap {
    /// The number of prefixes.
    public var count: Int { entries.count }
    /// Whether there are no prefixes.
    public var isEmpty: Bool { entries.isEmpty }
    /// The prefixes, in no particular order.
    public var keys: some Collection<IPv6Prefix> { entries.lazy.map(\.prefix) }
    /// The values, in the order of ``keys``.
    public var values: some Collection<Value> { entries.lazy.map(\.value) }

    /// The value of a prefix; `nil` if the prefix is not in the map. Setting `nil` removes the prefix.
    @inlinable
    public subscript(prefix: IPv6Prefix) -> Value? {
        get {
            let place = place(of: prefix)
            return place == Self.none ? nil : entries[Int(place)].value
        }
        set {
            let place = place(of: prefix)
            switch newValue {
            case let value? where place == Self.none: append(prefix, value)
            case let value?: entries[Int(place)].value = value
            case nil where place != Self.none: remove(at: place)
            case nil: break
            }
        }
    }

    /// The index of the entry of a prefix; ``none`` if the prefix is not in the map.
    @inlinable
    func place(of prefix: IPv6Prefix) -> Int32 {
        guard !chains.isEmpty else { return Self.none }
        var place = chains[hash.chain(of: prefix, among: chains.count)]
        while place != Self.none, entries[Int(place)].prefix != prefix { place = entries[Int(place)].next }
        return place
    }

    /// Adds a prefix that is not in the map.
    @inlinable
    mutating func append(_ prefix: IPv6Prefix, _ value: Value) {
        if entries.count == chains.count { grow() }
        let chain = hash.chain(of: prefix, among: chains.count)
        entries.append(Entry(prefix: prefix, next: chains[chain], value: value))
        chains[chain] = Int32(entries.count - 1)
    }

    /// Doubles the number of chains (the first time, makes 16), and puts every entry into its new chain.
    @inlinable
    mutating func grow() {
        chains = Array(repeating: Self.none, count: Swift.max(16, chains.count * 2))
        for place in entries.indices {
            let chain = hash.chain(of: entries[place].prefix, among: chains.count)
            entries[place].next = chains[chain]
            chains[chain] = Int32(place)
        }
    }

    /// Removes an entry. The last entry moves to its index, so that ``entries`` has no gaps.
    @inlinable
    mutating func remove(at place: Int32) {
        relink(place, to: entries[Int(place)].next)
        let last = Int32(entries.count - 1)
        if place != last {
            relink(last, to: place)
            entries[Int(place)] = entries[Int(last)]
        }
        entries.removeLast()
    }

    /// Makes what refers to the entry `place` in its chain, the chain's start or the entry before, refer to `other`.
    @inlinable
    mutating func relink(_ place: Int32, to other: Int32) {
        let chain = hash.chain(of: entries[Int(place)].prefix, among: chains.count)
        guard chains[chain] != place else { return chains[chain] = other }
        var previous = chains[chain]
        while entries[Int(previous)].next != place { previous = entries[Int(previous)].next }
        entries[Int(previous)].next = other
    }
}

extension PrefixMap: Sequence {
    /// Iterates over the prefixes and their values.
    public func makeIterator() -> some IteratorProtocol<(key: IPv6Prefix, value: Value)> {
        entries.lazy.map { (key: $0.prefix, value: $0.value) }.makeIterator()
    }

    /// The exact number of prefixes.
    public var underestimatedCount: Int { count }
}

extension PrefixMap: Equatable where Value: Equatable {
    /// Whether both have the same prefixes with the same values.
    public static func == (left: PrefixMap, right: PrefixMap) -> Bool {
        left.count == right.count && left.entries.allSatisfy { right[$0.prefix] == $0.value }
    }
}

/// A hash of prefixes with secret keys.
@usableFromInline
struct PrefixHash: Sendable {
    /// A key for each 32-bit word of the address, and one for the length.
    @usableFromInline let keys: (UInt64, UInt64, UInt64, UInt64, UInt64)

    /// Derives the keys from the random seed of this process, like the hashes of the standard library.
    @usableFromInline
    init() {
        func key(_ number: UInt64) -> UInt64 {
            var hasher = Hasher()
            hasher.combine(number)
            return UInt64(truncatingIfNeeded: hasher.finalize())
        }
        keys = (key(1), key(2), key(3), key(4), key(5))
    }

    /// The chain that a prefix belongs to: the top bits of the hash. `count` is the number of chains, a power of two from 2 to
    /// 2³².
    @inlinable @inline(__always)
    func chain(of prefix: IPv6Prefix, among count: Int) -> Int {
        let (high, low) = (prefix.address.high, prefix.address.low)
        let half: UInt64 = 0xffff_ffff
        let sum =
            (keys.0 &+ (high >> 32)) &* (keys.1 &+ (high & half)) &+ (keys.2 &+ (low >> 32)) &* (keys.3 &+ (low & half))
            &+ keys.4 &* UInt64(truncatingIfNeeded: prefix.length)
        return Int(truncatingIfNeeded: sum >> UInt64(64 - count.trailingZeroBitCount))
    }
}

extension PrefixMap {
    /// Copies the storage if another map shares it; see `Detach.swift`.
    public mutating func detach() {
        entries.detach()
        chains.detach()
    }
}
