internal import ControlAPI
internal import Glibc
public import Logging
internal import Timing

/// The format of log lines.
public enum LogFormat: String, Sendable, CaseIterable {
    /// Text for people.
    case text
    /// One JSON object per line.
    case json
}

/// Writes log lines to standard error, each with one system call, so that lines never mix.
public struct LineLogHandler: LogHandler {
    /// Metadata of every line.
    public var metadata: Logger.Metadata = [:]
    /// The lowest level that is written.
    public var logLevel: Logger.Level
    private let format: LogFormat

    public init(format: LogFormat, level: Logger.Level) {
        self.format = format
        logLevel = level
    }

    /// An entry of ``metadata``.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes a line: time, level, message, and metadata sorted by key.
    public func log(event: LogEvent) {
        let fields = metadata.merging(event.metadata ?? [:]) { _, new in new }.sorted { $0.key < $1.key }
        var line: String
        switch format {
        case .text:
            line = "\(Timestamp.now) \(event.level.rawValue.padded(to: 8))\(event.message)"
            for (key, value) in fields { line += " \(key)=\(Self.quoted(value.description))" }
        case .json:
            line =
                "{\"time\":\"\(Timestamp.now)\",\"level\":\"\(event.level)\",\"message\":\(Self.json(event.message.description))"
            for (key, value) in fields { line += ",\(Self.json(key)):\(Self.json(value.description))" }
            line += "}"
        }
        let octets = Array((line + "\n").utf8)
        _ = Glibc.write(STDERR_FILENO, octets, octets.count)
    }

    private static func quoted(_ text: String) -> String {
        text.isEmpty || text.utf8.contains { $0 <= 0x20 || $0 == 0x22 } ? json(text) : text
    }

    /// A JSON string (RFC 8259 §7).
    static func json(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

extension String {
    /// The text followed by spaces up to `width` columns, at least one space.
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(1, width - utf8.count))
    }
}
