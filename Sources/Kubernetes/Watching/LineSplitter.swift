internal import NIOCore

/// Splits a stream of octets into lines of limited length.
struct LineSplitter {
    private let limit: Int
    private var buffer = ByteBuffer()
    /// The number of octets, from the start, that are known not to contain the end of a line.
    private var searched = 0

    init(limit: Int) { self.limit = limit }

    /// The capacity of the buffer for an incomplete line, in octets.
    var capacity: Int { buffer.capacity }

    /// Appends received octets.
    mutating func append(_ part: ByteBuffer) {
        if buffer.readableBytes == 0 {
            buffer = part
        } else {
            buffer.writeImmutableBuffer(part)
        }
    }

    /// The next line without its end; `nil` if none is complete. Throws if a line is longer than the limit, in octets.
    mutating func next() throws(RequestFailure) -> ByteBuffer? {
        let view = buffer.readableBytesView
        let end = view[view.startIndex.advanced(by: searched)...].firstIndex(of: UInt8(ascii: "\n"))
        let length = end.map { $0 - view.startIndex } ?? view.count
        guard length <= limit else { throw .tooLarge("a line of more than \(limit) octets") }
        guard end != nil else {
            searched = length
            return nil
        }
        searched = 0
        let line = buffer.readSlice(length: length)
        buffer.moveReaderIndex(forwardBy: 1)
        if buffer.readableBytes == 0 {
            buffer = ByteBuffer()
        } else if buffer.readerIndex > 1 << 16 {
            // Not after every line, because this copies the rest of the buffer.
            buffer.discardReadBytes()
        }
        return line
    }
}
