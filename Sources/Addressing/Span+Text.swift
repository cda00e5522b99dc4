// Parses text octet by octet, for speed: lists may have many thousands of addresses.

extension Span<UInt8> {
    /// Reads a decimal number without sign at the index `place`, and moves `place` behind the number; `nil` if there is none,
    /// or if it has leading zeros, or more than three digits, as no octet and no prefix length has.
    func decimal(at place: inout Int) -> Int? {
        let start = place
        var value = 0
        while place < count, let digit = self[place].digit(below: 10) {
            guard place - start < 3, place == start || value != 0 else { return nil }
            value = value * 10 + Int(digit)
            place += 1
        }
        return place > start ? value : nil
    }
}

extension Span<UInt8> {
    /// Reads the text before the first `separator` with `read`, and all text after it as a number like ``decimal(at:)``;
    /// `nil` if there is no `separator`, or either fails.
    func split<Value>(at separator: UInt8, _ read: (Span<UInt8>) -> Value?) -> (Value, Int)? {
        guard var place = indices.first(where: { self[$0] == separator }), let value = read(extracting(..<place)) else {
            return nil
        }
        place += 1
        guard let number = decimal(at: &place), place == count else { return nil }
        return (value, number)
    }
}

extension UInt8 {
    /// The digit that this ASCII character represents, if it is below `radix` (10 or 16).
    func digit(below radix: UInt8) -> UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f") where radix == 16: self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F") where radix == 16: self - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
