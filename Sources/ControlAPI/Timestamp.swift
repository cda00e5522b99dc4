import Glibc

/// Points in time, as the API writes them.
public enum Timestamp {
    /// A time in the format of RFC 3339, in UTC with milliseconds; `nanoseconds` is not negative.
    public static func text(nanosecondsSince1970 nanoseconds: Int64) -> String {
        var seconds = time_t(nanoseconds / 1_000_000_000)
        var fields = tm()
        gmtime_r(&seconds, &fields)
        return "\(pad(fields.tm_year + 1900, 4))-\(pad(fields.tm_mon + 1, 2))-\(pad(fields.tm_mday, 2))T"
            + "\(pad(fields.tm_hour, 2)):\(pad(fields.tm_min, 2)):\(pad(fields.tm_sec, 2))"
            + ".\(pad(Int32(nanoseconds / 1_000_000 % 1000), 3))Z"
    }

    /// The current time in the format of RFC 3339, in UTC with milliseconds.
    public static var now: String { text(before: .zero) }

    /// The time some seconds ago, in the same format; not before 1970.
    public static func text(before duration: Duration) -> String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let seconds = max(0, Int64(time.tv_sec) - min(duration.components.seconds, Int64(time.tv_sec)))
        return text(nanosecondsSince1970: seconds * 1_000_000_000 + Int64(time.tv_nsec))
    }

    private static func pad(_ number: Int32, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
}
