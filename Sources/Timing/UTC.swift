/// The calendar of the wall clock.
public enum UTC {
    /// A second since 1970 as a time in the format of RFC 3339, as in `2026-12-31T23:59:59Z`. Seconds before the year 0 and after the year
    /// 9999 become the nearest that has such a text.
    public static func text(_ second: Int64) -> String {
        let second = min(max(second, -62_167_219_200), 253_402_300_799)
        let days = second >= 0 ? second / 86400 : (second - 86399) / 86400
        let rest = second - days * 86400
        let (year, month, day) = date(days)
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T"
            + "\(padded(rest / 3600, 2)):\(padded(rest / 60 % 60, 2)):\(padded(rest % 60, 2))Z"
    }

    /// The date of a day since 1970. Years are counted from March, so that the day of a leap year is the last one.
    private static func date(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        // From 1 March of the year 0, which is never negative here once 400 years are added: 146,097 days.
        let shifted = days + 719_468 + 146_097
        let (era, day) = (shifted / 146_097, shifted % 146_097)
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365
        let dayOfYear = day - (year * 365 + year / 4 - year / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return ((era - 1) * 400 + year + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
}
