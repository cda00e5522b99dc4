internal import Glibc

/// A file to which lines are appended. When it is full, it takes the place of the one before, whose path ends in `.1`. So there are at
/// most twice ``limit`` octets, and what was appended last.
public struct RotatingFile: Sendable {
    public let path: String
    /// The size in octets at which a file is full.
    public let limit: Int

    private var earlierPath: String { path + ".1" }

    public init(_ path: String, limit: Int) {
        precondition(limit > 0)
        self.path = path
        self.limit = limit
    }

    /// Appends lines, each with its line feed, and waits until they are on disk. After a failure a part of them may be in the file;
    /// the line that is broken off ends with the next append.
    public func append(_ lines: [UInt8]) throws(SystemError) {
        guard !SmallFile.isSpecial(path) else { throw SystemError("append to \(path), which is no file", code: EINVAL) }
        let descriptor = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o600)
        guard descriptor >= 0 else { throw .last("open \(path)") }
        defer { close(descriptor) }
        let size = lseek(descriptor, 0, SEEK_END)
        var last = UInt8(ascii: "\n")
        if size > 0 { _ = pread(descriptor, &last, 1, size - 1) }
        var rest = (last == UInt8(ascii: "\n") ? lines : [UInt8(ascii: "\n")] + lines)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .last("append to \(path)") }
            rest = rest.dropFirst(count)
        }
        guard fdatasync(descriptor) == 0 else { throw .last("append to \(path)") }
        guard Int(size) + lines.count >= limit else { return }
        guard rename(path, earlierPath) == 0 else { throw .last("rename \(path)") }
    }

    /// The latest lines without their line feeds, the oldest first, of at most the last `most` octets of each file. Lines of which the
    /// beginning or the end is missing are left out. A file that cannot be read has none.
    public func lines(last most: Int) -> [[UInt8]] {
        [earlierPath, path].flatMap { Self.lines(of: $0, last: most) }
    }

    private static func lines(of path: String, last most: Int) -> [[UInt8]] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        guard !SmallFile.isSpecial(path) else { return [] }
        let size = Int(lseek(descriptor, 0, SEEK_END))
        let start = max(0, size - most)
        var octets = [UInt8](repeating: 0, count: max(0, size - start))
        var count = 0
        while count < octets.count {
            let read = octets.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress! + count, $0.count - count, off_t(start + count))
            }
            if read < 0, errno == EINTR { continue }
            guard read > 0 else { break }
            count += read
        }
        let feed = UInt8(ascii: "\n")
        var parts = octets[..<count].split(separator: feed, omittingEmptySubsequences: false)
        // After the last line feed there is nothing, or a line that is broken off.
        if !parts.isEmpty { parts.removeLast() }
        if start > 0, !parts.isEmpty { parts.removeFirst() }
        return parts.filter { !$0.isEmpty }.map(Array.init)
    }
}
