import Glibc
import Linux
import Testing

/// Lines on disk: what is whole stays, whatever happens to the file.
@Suite struct RotatingFileTests {
    private static func withDirectory(_ body: (String) throws -> Void) throws {
        var template = Array("/tmp/kubermesh-rotating-XXXXXX\0".utf8CString.map { $0 })
        let directory = try #require(mkdtemp(&template).map { String(cString: $0) })
        defer {
            for name in ["events", "events.1"] { unlink("\(directory)/\(name)") }
            rmdir(directory)
        }
        try body(directory)
    }

    private static func text(_ file: RotatingFile, last most: Int = 1 << 20) -> [String] {
        file.lines(last: most).map { String(decoding: $0, as: UTF8.self) }
    }

    /// A crash may break the file off at any octet. All lines before are read, and the next ones are whole.
    @Test func aFileThatIsBrokenOffAnywhereKeepsItsWholeLines() throws {
        let lines = ["one", "", "twelve", "thirty-five"]
        let whole = lines.map { $0 + "\n" }.joined()
        for length in 0...whole.utf8.count {
            try Self.withDirectory { directory in
                let file = RotatingFile(directory + "/events", limit: 1000)
                try file.append(Array(whole.utf8))
                #expect(truncate(file.path, off_t(length)) == 0)
                let kept = String(whole.prefix(length)).split(separator: "\n", omittingEmptySubsequences: false)
                    .dropLast().filter { !$0.isEmpty }.map(String.init)
                #expect(Self.text(file) == kept)
                try file.append(Array("next\n".utf8))
                // What was broken off is a line of its own now, which its reader does not understand.
                #expect(Self.text(file).last == "next" && Self.text(file).starts(with: kept))
            }
        }
    }

    /// The latest lines are there, and the files do not grow.
    @Test func theFileIsBounded() throws {
        try Self.withDirectory { directory in
            let file = RotatingFile(directory + "/events", limit: 1000)
            for number in 0..<1000 { try file.append(Array("line \(number)\n".utf8)) }
            let lines = Self.text(file)
            #expect(lines.last == "line 999" && lines.count > 100)
            #expect(lines == (1000 - lines.count..<1000).map { "line \($0)" })
            for name in ["events", "events.1"] {
                var status = stat()
                if stat("\(directory)/\(name)", &status) == 0 { #expect(status.st_size <= 1010) }
            }
            // Only whole lines of the last octets.
            #expect(Self.text(file, last: 20).allSatisfy { $0.hasPrefix("line ") && $0.count == 8 })
        }
    }

    /// A full disk, no directory, something else in place of the file: an error, and nothing hangs.
    @Test func failuresAreErrors() throws {
        try Self.withDirectory { directory in
            let nowhere = RotatingFile(directory + "/nowhere/events", limit: 1000)
            #expect(throws: SystemError.self) { try nowhere.append([10]) }
            #expect(nowhere.lines(last: 100).isEmpty)
            let path = directory + "/events"
            for target in ["/dev/full", "/dev/zero"] {
                #expect(symlink(target, path) == 0)
                let file = RotatingFile(path, limit: 1000)
                #expect(throws: SystemError.self) { try file.append([10]) }
                #expect(file.lines(last: 100).isEmpty)
                unlink(path)
            }
            #expect(mkfifo(path, 0o600) == 0)
            #expect(throws: SystemError.self) { try RotatingFile(path, limit: 1000).append([10]) }
            #expect(RotatingFile(path, limit: 1000).lines(last: 100).isEmpty)
        }
    }
}
