/// A wall-clock time in microseconds, as in the `MicroTime` fields of the API.
public struct MicroTime: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Microseconds since 1970, not counting leap seconds.
    public var microseconds: Int64

    public init(microseconds: Int64) { self.microseconds = microseconds }

    /// Earlier first.
    public static func < (left: MicroTime, right: MicroTime) -> Bool { left.microseconds < right.microseconds }

    /// RFC 3339 in UTC with microseconds: `2026-01-02T03:04:05.000006Z`.
    public var description: String {
        let fraction = microseconds - 1_000_000 * wholeSeconds
        return "\(seconds.dropLast()).\(Self.pad(fraction, 6))Z"
    }

    /// RFC 3339 in UTC with whole seconds.
    var seconds: String {
        let days = (wholeSeconds - Self.modulo(wholeSeconds, 86_400)) / 86_400
        let second = Self.modulo(wholeSeconds, 86_400)
        let date = Self.date(days: days)
        return "\(Self.pad(date.year, 4))-\(Self.pad(date.month, 2))-\(Self.pad(date.day, 2))T"
            + "\(Self.pad(second / 3600, 2)):\(Self.pad(second / 60 % 60, 2)):\(Self.pad(second % 60, 2))Z"
    }

    /// Rounded down, also before 1970.
    private var wholeSeconds: Int64 { (microseconds - Self.modulo(microseconds, 1_000_000)) / 1_000_000 }

    /// The Gregorian date this many days after 1 January 1970. Inside, years start in March, so that the leap day is the last
    /// day of a year. An era is 400 years, which have 146,097 days. The earlier leap days are subtracted before the division
    /// by 365: the first is day 1460 of the era; one ends every fourth year, but none a century (36,524 days), except the
    /// last day of the era, 146,096. Five months from March have 153 days, and so have the next five.
    private static func date(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let day = days + 719_468  // since 1 March of the year 0
        let era = (day - modulo(day, 146_097)) / 146_097
        let dayOfEra = modulo(day, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153  // 0 is March
        let isNextYear = month >= 10
        return (
            yearOfEra + 400 * era + (isNextYear ? 1 : 0), isNextYear ? month - 9 : month + 3,
            dayOfYear - (153 * month + 2) / 5 + 1
        )
    }

    private static func modulo(_ number: Int64, _ divisor: Int64) -> Int64 {
        let remainder = number % divisor
        return remainder < 0 ? remainder + divisor : remainder
    }

    private static func pad(_ number: Int64, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
}
