extension [UInt8] {
    /// Octets from pairs of hexadecimal digits; blanks and line ends between them do not count.
    init(hexadecimal text: String) {
        let digits = text.filter { !$0.isWhitespace }.map { UInt8($0.hexDigitValue!) }
        precondition(digits.count % 2 == 0)
        self = stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}
