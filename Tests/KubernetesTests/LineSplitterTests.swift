import NIOCore
import Testing

@testable import Kubernetes

struct LineSplitterTests {
    /// All complete lines of a text that arrives in pieces of `size` octets.
    private func lines(_ text: String, pieces size: Int, limit: Int = 100) throws -> [String] {
        var splitter = LineSplitter(limit: limit)
        var lines: [String] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            splitter.append(ByteBuffer(bytes: rest.prefix(size)))
            rest = rest.dropFirst(size)
            while let line = try splitter.next() { lines.append(String(buffer: line)) }
        }
        return lines
    }

    @Test(arguments: 1...12) func linesAreSplitWhereverThePiecesEnd(size: Int) throws {
        #expect(try lines("one\ntwo\n\nthree\nfo", pieces: size) == ["one", "two", "", "three"])
    }

    @Test(arguments: [1, 7, 500]) func aLineThatIsTooLongIsAnErrorBeforeItEnds(size: Int) throws {
        let line = String(repeating: "x", count: 100)
        #expect(try lines("\(line)\n\(line)\n", pieces: size).count == 2)
        #expect(throws: RequestFailure.self) { try lines(line + "x", pieces: size) }
        #expect(throws: RequestFailure.self) { try lines(line + "x\n", pieces: size) }
    }

    @Test func manyLinesDoNotGrowTheBuffer() throws {
        var splitter = LineSplitter(limit: 1000)
        for _ in 0..<10_000 {
            splitter.append(ByteBuffer(string: String(repeating: "y", count: 500) + "\nzz"))
            while try splitter.next() != nil {}
        }
        #expect(splitter.capacity < 1 << 18)
    }
}
