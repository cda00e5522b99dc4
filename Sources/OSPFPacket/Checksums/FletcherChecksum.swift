/// The checksum of LSAs: the Fletcher checksum of ISO 8473 over the whole LSA except its age (RFC 5340 §A.4.2, RFC 2328
/// §12.1.7).
enum FletcherChecksum {
    /// The offset of the first summed octet, after the age.
    private static let start = 2
    /// The offset of the two checksum octets in an LSA.
    static let offset = 16

    /// Whether the checksum in a whole LSA is correct.
    static func isValid(_ lsa: RawSpan) -> Bool {
        let (first, second) = sums(lsa)
        return first == 0 && second == 0
    }

    /// The checksum of an LSA whose checksum field is zero: the two octets `x` and `y` that make both sums 0 modulo 255. An
    /// octet of 0 is written as 255, which is equal modulo 255, because a checksum of 0 means that there is none.
    static func compute(_ lsa: RawSpan) -> UInt16 {
        let (first, second) = sums(lsa)
        // The number of octets after x, modulo 255. The second sum counts y that many times, and x once more.
        let behind = (lsa.byteCount - offset - 1) % 255
        let x = (behind * first + 255 - second) % 255
        let y = (510 - first - x) % 255
        return UInt16(x == 0 ? 255 : x) << 8 | UInt16(y == 0 ? 255 : y)
    }

    /// The sum of the octets, and the sum of the sums up to each octet, modulo 255.
    ///
    /// In the second sum an octet counts once for itself and once for every octet after it. Blocks of 16 octets are added at
    /// once, each octet to its column in `columns`. An octet counts 16 times for each block after its own: `columnSums` adds
    /// up what `columns` was before each block. For its own block, an octet of column 0 counts 16 times, one of column 15
    /// once. An LSA has fewer than 2^16 octets, so a column stays below 2^20 and a column sum below 2^32, and one remainder at
    /// the end is enough. The last octets, which fill no block, are added one by one.
    private static func sums(_ lsa: RawSpan) -> (first: Int, second: Int) {
        assert(lsa.byteCount <= Int(UInt16.max))
        var columns = SIMD16<UInt32>.zero
        var columnSums = SIMD16<UInt32>.zero
        var offset = start
        while offset &+ 16 <= lsa.byteCount {
            columnSums &+= columns
            columns &+= SIMD16(
                truncatingIfNeeded: lsa.unsafeLoadUnaligned(fromByteOffset: offset, as: SIMD16<UInt8>.self))
            offset &+= 16
        }
        var first: UInt64 = 0
        var second: UInt64 = 0
        for column in 0..<16 {
            first &+= UInt64(columns[column])
            second &+= UInt64(columnSums[column]) &* 16 &+ UInt64(columns[column]) &* UInt64(16 &- column)
        }
        while offset < lsa.byteCount {
            first &+= UInt64(lsa.uint8(at: offset))
            second &+= first
            offset &+= 1
        }
        return (Int(first % 255), Int(second % 255))
    }
}
