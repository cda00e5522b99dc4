extension Duration {
    /// Parses a duration of a configuration file: a number with one of the units `us`, `ms`, `s`, `m`, `h`, as in `100ms`,
    /// `1.5s`, `2m`. At most nine digits on either side of the point; fractions of a nanosecond are dropped. `nil` for
    /// anything else, and for more than `Int64.max` nanoseconds.
    public init?(configurationText text: String) {
        // In this order, because `us` and `ms` end in `s`.
        let units: [(suffix: String, nanoseconds: Int64)] = [
            ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000),
        ]
        guard let unit = units.first(where: { text.hasSuffix($0.suffix) }) else { return nil }
        let parts = text.dropLast(unit.suffix.count).split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count),
            parts.allSatisfy({ (1...9).contains($0.utf8.count) && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let whole = Int64(parts[0])
        else { return nil }
        var fraction: Int64 = 0
        if parts.count == 2 {
            var value = unit.nanoseconds
            for digit in parts[1].utf8 {
                value /= 10
                fraction += value * Int64(digit - 0x30)
            }
        }
        let (product, isTooLarge) = whole.multipliedReportingOverflow(by: unit.nanoseconds)
        let (nanoseconds, overflows) = product.addingReportingOverflow(fraction)
        guard !isTooLarge, !overflows else { return nil }
        self = .nanoseconds(nanoseconds)
    }

    /// The duration in the format of configuration files, in the largest unit that needs no fraction, rounded down to
    /// microseconds.
    public var configurationText: String {
        let nanoseconds = components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
        for (suffix, unit) in [
            ("h", Int64(3_600_000_000_000)), ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000),
        ]
        where nanoseconds != 0 && nanoseconds % unit == 0 {
            return "\(nanoseconds / unit)\(suffix)"
        }
        return nanoseconds == 0 ? "0s" : "\(nanoseconds / 1000)us"
    }
}
