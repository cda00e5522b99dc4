/// The checksum of LSAs: ISO 8473's, over the whole LSA but its age (RFC 5340 §A.4.2, RFC 2328 §12.1.7).
enum FletcherChecksum {
    /// Where the summed octets begin: behind the age.
    private static let start = 2
    /// Where the two octets of the checksum stand in an LSA.
    static let offset = 16

    /// Whether the checksum in a whole LSA is right.
    static func isValid(_ lsa: RawSpan) -> Bool {
        let (first, second) = sums(lsa)
        return first == 0 && second == 0
    }

    /// The checksum of an LSA in whose checksum field there are zeros. Neither of its octets is ever 0.
    static func compute(_ lsa: RawSpan) -> UInt16 {
        let (first, second) = sums(lsa)
        let behind = (lsa.byteCount - offset - 1) % 255
        let x = (behind * first + 255 - second) % 255
        let y = (510 - first - x) % 255
        return UInt16(x == 0 ? 255 : x) << 8 | UInt16(y == 0 ? 255 : y)
    }

    /// The sum of the octets, and the sum of those sums, modulo 255. An LSA has fewer than 2^16 octets, so that both
    /// fit their accumulators (the second stays below 2^40) and the remainder can be taken once, at the end.
    private static func sums(_ lsa: RawSpan) -> (first: Int, second: Int) {
        assert(lsa.byteCount <= Int(UInt16.max))
        var first: UInt64 = 0
        var second: UInt64 = 0
        var offset = start
        // Eight octets at a time: each counts as often as there are octets from it to the block's end.
        while offset &+ 8 <= lsa.byteCount {
            let word = lsa.uint64(at: offset)
            second &+= first &* 8
            var weight: UInt64 = 8
            var shift: UInt64 = 56
            while weight > 0 {
                let octet = word &>> shift & 0xff
                first &+= octet
                second &+= octet &* weight
                weight &-= 1
                shift &-= 8
            }
            offset &+= 8
        }
        while offset < lsa.byteCount {
            first &+= UInt64(lsa.uint8(at: offset))
            second &+= first
            offset &+= 1
        }
        return (Int(first % 255), Int(second % 255))
    }
}
