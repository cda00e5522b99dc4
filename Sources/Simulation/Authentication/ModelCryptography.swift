public import Authentication

extension CryptographicFunctions {
    /// Functions with the shapes of the real ones, and fast, for simulations and fuzzing: whoever does not have the key does not find the code
    /// by chance, and nobody there tries to calculate it.
    public static let model = CryptographicFunctions(
        hash: { algorithm, octets in digest(of: [octets], seed: 1, size: algorithm.digestSize) },
        code: { algorithm, key, message in digest(of: [key, message], seed: 2, size: algorithm.digestSize) })

    private static func digest(of parts: [[UInt8]], seed: UInt64, size: Int) -> [UInt8] {
        var state = seed
        for part in parts {
            state = mixed(state, UInt64(part.count))
            var word: UInt64 = 0
            for (index, octet) in part.enumerated() {
                word = word << 8 | UInt64(octet)
                if index & 7 == 7 { state = mixed(state, word) }
            }
            state = mixed(state, word)
        }
        var result: [UInt8] = []
        result.reserveCapacity(size)
        while result.count < size {
            state = mixed(state, UInt64(result.count))
            for shift in stride(from: 56, through: 0, by: -8) where result.count < size {
                result.append(UInt8(truncatingIfNeeded: state >> UInt64(shift)))
            }
        }
        return result
    }

    /// The steps of SplitMix64, so that one bit changes all.
    private static func mixed(_ state: UInt64, _ word: UInt64) -> UInt64 {
        var value = (state ^ word) &+ 0x9e37_79b9_7f4a_7c15
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}
