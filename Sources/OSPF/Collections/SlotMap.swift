internal import Addressing

/// A dense number of one kind of thing, so that numbers of different things are not mistaken for each other.
protocol SlotNumber: Hashable, Comparable, Sendable {
    var rawValue: Int32 { get }
    init(rawValue: Int32)
}

extension SlotNumber {
    /// No number. It takes less memory than an optional.
    static var none: Self { Self(rawValue: -1) }

    static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// Values by dense numbers, which are reused once their value is freed.
struct SlotMap<Number: SlotNumber, Value: Sendable>: Sendable {
    private var slots: [Value] = []
    private var free: [Number] = []

    /// All numbers assigned so far, including free ones, in order.
    var numbers: some Collection<Number> { (0..<Int32(slots.count)).lazy.map(Number.init) }
    /// All values, including those of free numbers.
    var values: [Value] { slots }

    subscript(number: Number) -> Value {
        _read { yield slots[Int(number.rawValue)] }
        _modify { yield &slots[Int(number.rawValue)] }
    }

    /// Returns a number for one more value: a free one, which still has its old value, or a new one with `value`.
    mutating func allocate(_ value: @autoclosure () -> Value) -> Number {
        if let number = free.popLast() { return number }
        slots.append(value())
        return Number(rawValue: Int32(slots.count - 1))
    }

    /// Gives this map storage of its own.
    mutating func detach() {
        slots.detach()
        free.detach()
    }

    /// Frees a number for reuse.
    mutating func release(_ number: Number) { free.append(number) }
}
