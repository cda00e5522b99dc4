import Testing
import Timing

@testable import BFD

@Suite struct ControlPacketTests {
    /// The fields of RFC 5880 §4.1, composed by hand: version 1 and diagnostic; state and flags; Detect Mult; Length; discriminators;
    /// Desired Min TX, Required Min RX and Required Min Echo RX Interval.
    static let knownOctets: [UInt8] = [
        0x23, 0xe8, 5, 24, 0x00, 0x00, 0x00, 0x11, 0xfe, 0xdc, 0xba, 0x98, 0x00, 0x0f, 0x42, 0x40, 0x00, 0x01, 0x86,
        0xa0,
        0x00, 0x00, 0xc3, 0x50,
    ]

    @Test func octetsAreThoseOfTheRFC() throws {
        var packet = ControlPacket(
            myDiscriminator: 0x11, desiredMinTransmit: 1_000_000, requiredMinReceive: 100_000)
        packet.diagnostic = .neighborSignaledDown
        packet.state = .up
        packet.isPoll = true
        packet.isControlPlaneIndependent = true
        packet.detectionMultiplier = 5
        packet.yourDiscriminator = 0xfedc_ba98
        packet.requiredMinEchoReceive = 50_000
        #expect(packet.encoded() == Self.knownOctets)
        #expect(try ControlPacket(Self.knownOctets) == packet)
        packet.isPoll = false
        packet.isFinal = true
        packet.isDemand = true
        packet.isControlPlaneIndependent = false
        packet.state = .`init`
        #expect(packet.encoded()[1] == 0x92)
    }

    /// Octets after the length are not part of the packet.
    @Test func paddingIsIgnored() throws {
        #expect(try ControlPacket(Self.knownOctets + [1, 2, 3]) == ControlPacket(Self.knownOctets))
    }

    /// Offsets and values that damage a good packet, and the check of RFC 5880 §6.8.6 that fails.
    @Test(arguments: [
        ([0: 0x03], Refusal.wrongVersion), ([0: 0x43], .wrongVersion), ([3: 23], .tooShort), ([3: 0], .tooShort),
        ([1: 0xec, 3: 25], .tooShort), ([3: 25], .longerThanPayload), ([2: 0], .zeroMultiplier),
        ([1: 0xe9], .multipoint), ([7: 0], .zeroDiscriminator), ([8: 0, 9: 0, 10: 0, 11: 0], .unexpectedState),
        // The first check that fails counts.
        ([0: 0, 2: 0], .wrongVersion), ([2: 0, 3: 4], .tooShort), ([2: 0, 3: 255], .longerThanPayload),
        ([1: 0xe9, 2: 0], .zeroMultiplier), ([1: 0xe9, 7: 0], .multipoint),
        ([7: 0, 8: 0, 9: 0, 10: 0, 11: 0], .zeroDiscriminator),
    ])
    func badPacketsAreRefused(changes: [Int: UInt8], reason: Refusal) {
        var octets = Self.knownOctets
        for (offset, value) in changes { octets[offset] = value }
        #expect(throws: reason) { try ControlPacket(octets) }
    }

    /// Without Your Discriminator, the sender can only be Down or AdminDown.
    @Test(arguments: [(0x00, true), (0x40, true), (0x80, false), (0xc0, false)])
    func statesWithoutYourDiscriminator(flags: UInt8, isGood: Bool) {
        var octets = Self.knownOctets
        octets.replaceSubrange(8..<12, with: [0, 0, 0, 0])
        octets[1] = flags
        #expect(((try? ControlPacket(octets)) != nil) == isGood)
    }

    @Test func truncatedPacketsAreRefused() {
        for count in 0..<Self.knownOctets.count {
            #expect(throws: Refusal.self) { try ControlPacket(Self.knownOctets[..<count]) }
        }
    }

    /// What is accepted encodes to what was received, apart from what comes after the mandatory section.
    @Test func randomOctetsAreDecodedOrRefused() {
        var random = SplitMix64(seed: 1)
        var accepted = 0
        for round in 0..<100_000 {
            var octets = Self.knownOctets
            if round % 2 == 0 {
                octets = (0..<Int(random.next() % 64)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            } else {
                for _ in 0...random.next() % 4 {
                    octets[Int(random.next() % 24)] = UInt8(truncatingIfNeeded: random.next())
                }
            }
            guard let packet = try? ControlPacket(octets) else { continue }
            accepted += 1
            let encoded = packet.encoded(authentication: Int(octets[3]) - ControlPacket.size)
            let mask: UInt8 = octets[3] > 24 ? 0xfb : 0xff
            #expect(encoded[0] == octets[0] && encoded[1] & mask == octets[1] & mask)
            #expect(encoded[2...] == octets[2..<24])
        }
        #expect(accepted > 10_000)
    }
}
