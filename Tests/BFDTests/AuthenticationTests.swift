import Addressing
import Testing
import Timing

@testable import BFD

@Suite struct AuthenticationTests {
    private static let hashed: [AuthenticationType] = [
        .keyedMD5, .meticulousKeyedMD5, .keyedSHA1, .meticulousKeyedSHA1,
    ]

    private func authenticator(
        _ type: AuthenticationType, id: UInt8 = 3, secret: String = "secret", sequence: UInt32 = 100
    ) throws -> Authenticator {
        Authenticator(
            try #require(SessionKey(type: type, id: id, secret: Array(secret.utf8))), digest: SessionTableTests.digest,
            firstSequence: sequence)
    }

    private func packet(_ discriminator: UInt32 = 7) -> ControlPacket {
        ControlPacket(myDiscriminator: discriminator, desiredMinTransmit: 100_000, requiredMinReceive: 100_000)
    }

    /// RFC 5880 §4.2: type 1, length, key ID, password.
    @Test func passwordsAreSentAsInTheRFC() throws {
        var sender = try authenticator(.simplePassword)
        let octets = sender.sign(packet())
        #expect(octets.count == 33 && octets[3] == 33 && octets[1] & 0x04 != 0)
        #expect(Array(octets[24...]) == [1, 9, 3] + Array("secret".utf8))
    }

    /// RFC 5880 §4.3, §4.4: type, length, key ID, 0, sequence number, digest over the packet with the padded key in place of the
    /// digest (§6.7.3).
    @Test(arguments: hashed) func digestsAreSentAsInTheRFC(type: AuthenticationType) throws {
        var sender = try authenticator(type)
        let octets = sender.sign(packet())
        let size = try #require(type.hash?.size)
        #expect(octets.count == 32 + size && Int(octets[3]) == 32 + size)
        #expect(Array(octets[24..<32]) == [type.rawValue, UInt8(8 + size), 3, 0, 0, 0, 0, 101])
        let padded = Array("secret".utf8) + [UInt8](repeating: 0, count: size - 6)
        #expect(Array(octets[32...]) == SessionTableTests.digest(type.hash!, Array(octets[..<32]) + padded))
    }

    @Test(arguments: AuthenticationType.allCases) func whatIsSignedIsAccepted(type: AuthenticationType) throws {
        var sender = try authenticator(type)
        var receiver = try authenticator(type)
        for number in 1...20 as ClosedRange<UInt32> {
            try receiver.verify(sender.sign(packet(number)), multiplier: 3)
        }
    }

    @Test(arguments: AuthenticationType.allCases) func otherKeysAreRefused(type: AuthenticationType) throws {
        let octets = {
            var sender = try authenticator(type); return sender.sign(packet())
        }
        func refusal(_ receiver: Authenticator, _ octets: [UInt8]) -> Refusal? {
            var receiver = receiver
            do throws(Refusal) { try receiver.verify(octets, multiplier: 3) } catch { return error }
            return nil
        }
        let good = try octets()
        #expect(refusal(try authenticator(type, id: 4), good) == .wrongKey)
        #expect(refusal(try authenticator(type, secret: "sEcret"), good) == .wrongDigest)
        #expect(refusal(try authenticator(type, secret: "secret2"), good) == .wrongDigest)
        let other = type == .keyedSHA1 ? AuthenticationType.meticulousKeyedSHA1 : .keyedSHA1
        #expect(refusal(try authenticator(other), good) == .wrongKey)
        // Every octet counts, and so does every length.
        for offset in good.indices where offset != 3 {
            var damaged = good
            damaged[offset] ^= 1
            if type == .simplePassword, offset < 24 { continue }
            if offset == 27, type != .simplePassword {
                #expect(refusal(try authenticator(type), damaged) == .wrongDigest)
            }
            #expect(refusal(try authenticator(type), damaged) != nil, "offset \(offset)")
        }
        for length in 26..<good.count {
            var damaged = Array(good[..<length])
            damaged[3] = UInt8(length)
            #expect(refusal(try authenticator(type), damaged) == .wrongKey)
            damaged[25] = UInt8(length - 24)
            #expect(refusal(try authenticator(type), damaged) != nil)
        }
    }

    /// Sequence numbers from the last one (meticulous: the next one) to 3 × Detect Mult after it, modulo 2³² (§6.7.3).
    @Test(arguments: Self.hashed, [UInt32(100), UInt32.max - 3] as [UInt32]) func replaysAreRefused(
        type: AuthenticationType, first: UInt32
    ) throws {
        /// A packet with a sequence number.
        func packet(_ sequence: UInt32) throws -> [UInt8] {
            var sender = try authenticator(type, sequence: sequence &- 1)
            return sender.sign(self.packet())
        }
        var receiver = try authenticator(type)
        // Nothing is known at first.
        try receiver.verify(packet(first), multiplier: 3)
        if type.isMeticulous {
            #expect(throws: Refusal.sequence) { try receiver.verify(packet(first), multiplier: 3) }
        } else {
            try receiver.verify(packet(first), multiplier: 3)
        }
        for outside in [first &- 1, first &- 1000, first &+ 10, first &+ 0x8000_0000] {
            #expect(throws: Refusal.sequence) { try receiver.verify(packet(outside), multiplier: 3) }
        }
        try receiver.verify(packet(first &+ 9), multiplier: 3)
        #expect(throws: Refusal.sequence) { try receiver.verify(packet(first &+ 8), multiplier: 3) }
        // A forged packet changes nothing.
        var forged = try packet(first &+ 12)
        forged[40] ^= 1
        #expect(throws: Refusal.wrongDigest) { try receiver.verify(forged, multiplier: 3) }
        try receiver.verify(packet(first &+ 10), multiplier: 3)
        receiver.forgetSequence()
        try receiver.verify(packet(first &- 1000), multiplier: 3)
    }

    /// Types that are not meticulous count changes.
    @Test(arguments: hashed) func sequenceNumbersIncrease(type: AuthenticationType) throws {
        var sender = try authenticator(type)
        var numbers: [UInt8] = []
        for discriminator in [7, 7, 8, 8] as [UInt32] { numbers.append(sender.sign(packet(discriminator))[31]) }
        #expect(numbers == (type.isMeticulous ? [101, 102, 103, 104] : [101, 101, 102, 102]))
    }

    /// Neither a key nor what contains one shows the secret.
    @Test func keysAreNotPrinted() throws {
        var authenticator = try authenticator(.simplePassword, secret: "ZZZZ")
        _ = authenticator.sign(packet())
        for value in [authenticator.key, authenticator] as [Any] {
            var dumped = ""
            dump(value, to: &dumped)
            for text in ["\(value)", String(reflecting: value), dumped] {
                // The letter, and its number in an array of octets.
                #expect(!text.contains("ZZ") && !text.contains("90"), "\(text)")
                #expect(text.contains("simplePassword"))
            }
        }
    }

    @Test func keysHaveTheRightLength() {
        for type in AuthenticationType.allCases {
            let most = type.hash?.size ?? 16
            #expect(SessionKey(type: type, id: 1, secret: []) == nil)
            #expect(SessionKey(type: type, id: 1, secret: [UInt8](repeating: 1, count: most)) != nil)
            #expect(SessionKey(type: type, id: 1, secret: [UInt8](repeating: 1, count: most + 1)) == nil)
        }
    }
}
