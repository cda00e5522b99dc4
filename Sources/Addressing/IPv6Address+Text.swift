extension IPv6Address: CustomStringConvertible, LosslessStringConvertible {
    private var groups: [UInt16] {
        (0..<8).map { index in
            let word = index < 4 ? high : low
            return UInt16(truncatingIfNeeded: word >> UInt64(48 - 16 * (index % 4)))
        }
    }

    /// The canonical text of RFC 5952: lower case, no leading zeros, the longest run of zero groups as `::`.
    public var description: String {
        let groups = self.groups
        var best = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8 && groups[end] == 0 { end += 1 }
            if end - start > best.count { best = start..<end }
            start = max(end, start + 1)
        }
        if best.count < 2 { best = 0..<0 }
        if best.lowerBound == 0, best.upperBound == 5, groups[5] == 0xffff {
            return "::ffff:\(IPv4Address(UInt32(truncatingIfNeeded: low)))"
        }
        func text(_ range: Range<Int>) -> String {
            groups[range].map { String($0, radix: 16) }.joined(separator: ":")
        }
        return best.isEmpty ? text(0..<8) : text(0..<best.lowerBound) + "::" + text(best.upperBound..<8)
    }

    /// Reads the text forms of RFC 4291 §2.2, with or without `::` and a dotted last part. No zone, no brackets.
    public init?(_ text: String) {
        guard text.utf8.count <= 45 else { return nil }
        var head: [UInt16] = []
        var tail: [UInt16] = []
        var sawGap = false
        var rest = Substring(text)
        if rest.hasPrefix("::") {
            sawGap = true
            rest = rest.dropFirst(2)
        } else if rest.hasPrefix(":") {
            return nil
        }
        while !rest.isEmpty {
            let end = rest.firstIndex(of: ":") ?? rest.endIndex
            let part = rest[..<end]
            var groups: [UInt16]
            if part.contains(".") {
                guard end == rest.endIndex, let address = IPv4Address(String(part)) else { return nil }
                groups = [UInt16(address.rawValue >> 16), UInt16(truncatingIfNeeded: address.rawValue)]
            } else {
                guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy(Self.isHexadecimal),
                    let group = UInt16(part, radix: 16)
                else { return nil }
                groups = [group]
            }
            if sawGap { tail += groups } else { head += groups }
            guard head.count + tail.count <= 8 else { return nil }
            guard end != rest.endIndex else { break }
            rest = rest[rest.index(after: end)...]
            if rest.hasPrefix(":") {
                guard !sawGap else { return nil }
                sawGap = true
                rest = rest.dropFirst()
            } else if rest.isEmpty {
                return nil
            }
        }
        let missing = 8 - head.count - tail.count
        guard sawGap ? missing >= 1 : missing == 0 else { return nil }
        let all = head + [UInt16](repeating: 0, count: missing) + tail
        self.init(all[0], all[1], all[2], all[3], all[4], all[5], all[6], all[7])
    }

    private static func isHexadecimal(_ character: UInt8) -> Bool {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}
