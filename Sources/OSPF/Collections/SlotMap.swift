internal import Addressing

/// The number of a value in a ``SlotMap``. Each map has a number type of its own, so that its numbers are not used with
/// another map.
protocol SlotNumber: Hashable, Comparable, Sendable {
    var rawValue: Int32 { get }
    init(rawValue: Int32)
}

extension SlotNumber {
    /// No number. An optional would take twice the memory.
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

    /// Copies the storage if another map shares it; see `Detach.swift` in `Addressing`.
    mutating func detach() {
        slots.detach()
        free.detach()
    }

    /// Frees a number for reuse. Its value stays until then.
    mutating func release(_ number: Number) { free.append(number) }
}
