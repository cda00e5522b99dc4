extension IPv6Address: CustomStringConvertible, LosslessStringConvertible {
    /// The eight 16-bit groups, the first on the wire first.
    private var groups: [UInt16] {
        (0..<8).map { index in
            let word = index < 4 ? high : low
            return UInt16(truncatingIfNeeded: word >> UInt64(48 - 16 * (index % 4)))
        }
    }

    /// The canonical text of RFC 5952: lower case, no leading zeros, the first of the longest runs of two or more zero
    /// groups as `::`. The mapped form of an IPv4 address is written as that IPv4 address.
    public var description: String {
        if let ipv4 { return ipv4.description }
        let groups = self.groups
        // The groups to write as `::`.
        var best = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8 && groups[end] == 0 { end += 1 }
            if end - start > best.count { best = start..<end }
            start = max(end, start + 1)
        }
        if best.count < 2 { best = 0..<0 }
        func text(_ range: Range<Int>) -> String {
            groups[range].map { String($0, radix: 16) }.joined(separator: ":")
        }
        return best.isEmpty ? text(0..<8) : text(0..<best.lowerBound) + "::" + text(best.upperBound..<8)
    }

    /// Reads the text forms of RFC 4291 §2.2, with or without `::` and a dotted last part, and IPv4 addresses, which become
    /// mapped ones. No zone, no brackets.
    public init?(_ text: String) {
        if let ipv4 = IPv4Address(text) { self.init(ipv4) } else { self.init(text: text.utf8.span) }
    }

    /// Reads the text forms of RFC 4291 §2.2 from ASCII characters, without making a string of them; no plain IPv4 addresses.
    init?(text: Span<UInt8>) {
        /// The groups read so far, the last in the low 16 bits, and their number.
        var groups: UInt128 = 0
        var count = 0
        /// The number of groups before the `::`; `nil` if no `::` was read.
        var gap: Int?
        var place = 0
        if text.count >= 2, text[0] == Self.colon, text[1] == Self.colon {
            gap = 0
            place = 2
        }
        while place < text.count {
            let start = place
            var group: UInt16 = 0
            while place < text.count, place - start < 4, let digit = text[place].digit(below: 16) {
                group = group << 4 | UInt16(digit)
                place += 1
            }
            if place < text.count, text[place] == UInt8(ascii: ".") {
                guard let dotted = IPv4Address(text: text.extracting(start...)) else { return nil }
                groups = groups << 32 | UInt128(dotted.rawValue)
                count += 2
                break
            }
            guard place > start, count < 8 else { return nil }
            groups = groups << 16 | UInt128(group)
            count += 1
            guard place < text.count else { break }
            guard text[place] == Self.colon, place + 1 < text.count else { return nil }
            place += 1
            if text[place] == Self.colon {
                guard gap == nil else { return nil }
                gap = count
                place += 1
            }
        }
        guard gap == nil ? count == 8 : count < 8 else { return nil }
        if let gap {
            // The groups after the `::` are the last of the address, those before it move to the front.
            let behind = 16 * (count - gap)
            groups = (groups >> behind) << (16 * (8 - gap)) | groups & ((1 << behind) - 1)
        }
        self.init(high: UInt64(truncatingIfNeeded: groups >> 64), low: UInt64(truncatingIfNeeded: groups))
    }

    private static let colon = UInt8(ascii: ":")
}
