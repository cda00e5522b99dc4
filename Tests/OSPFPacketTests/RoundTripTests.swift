import Addressing
import OSPFPacket
import Testing

@Suite struct RoundTripTests {
    @Test(arguments: 0..<16)
    func everyEncodedPacketDecodesToTheSamePacket(seed: UInt64) throws {
        var samples = Samples(seed: seed)
        for _ in 0..<200 {
            let packet = samples.packet()
            let source = samples.address()
            let destination = samples.address()
            let octets = packet.encode(source: source, destination: destination)
            let decoded = try Packet.decode(octets, source: source, destination: destination)
            #expect(decoded == packet)
            #expect(decoded.encode(source: source, destination: destination) == octets)
        }
    }

    @Test(arguments: Samples.types)
    func everyEncodedLSADecodesToTheSameLSA(type: LSAType) throws {
        var samples = Samples(seed: UInt64(type.rawValue))
        for _ in 0..<200 {
            let key = samples.key(type)
            let body = samples.body(type)
            let lsa = LSA(key: key, age: 7, sequenceNumber: samples.number(), body: body)
            #expect(lsa.octets.count % 4 == 0 && Int(lsa.header.length) == lsa.octets.count)
            let decoded = try LSA(octets: lsa.octets)
            #expect(decoded == lsa)
            #expect(try decoded.body() == body)
            #expect(LSA(key: key, age: 7, sequenceNumber: lsa.header.sequenceNumber, body: try lsa.body()) == lsa)
        }
    }

    /// A hostname (TLV type 7) without octets is kept as an unknown value. Of several names, the first counts.
    @Test func hostnamesAndUnknownValuesAreKept() throws {
        let key = LSAKey(type: .routerInformation, linkStateID: 0, advertisingRouter: .init(1))
        let body = RouterInformationLSA(values: [.unknown(type: 7, value: []), .hostname("node-1"), .hostname("b")])
        let lsa = LSA(key: key, sequenceNumber: 1, body: .routerInformation(body))
        guard case .routerInformation(let decoded) = try lsa.body() else {
            Issue.record("the body was not decoded as that of a Router Information LSA")
            return
        }
        #expect(decoded == body)
        #expect(decoded.hostname == "node-1")
        #expect(RouterInformationLSA(values: []).hostname == nil)
    }

    /// A hostname that is not UTF-8, capabilities of 8 instead of 4 octets, and a hostname of 256 octets, one too many.
    @Test func aValueWhoseOctetsDoNotFitItsTypeIsKept() throws {
        let key = LSAKey(type: .routerInformation, linkStateID: 0, advertisingRouter: .init(1))
        let values: [RouterInformationLSA.TLV] = [
            .unknown(type: 7, value: [0xff, 0xfe]), .unknown(type: 1, value: [1, 2, 3, 4, 5, 6, 7, 8]),
            .unknown(type: 7, value: [UInt8](repeating: 0x61, count: 256)),
        ]
        let lsa = LSA(key: key, sequenceNumber: 1, body: .routerInformation(RouterInformationLSA(values: values)))
        #expect(try lsa.body() == .routerInformation(RouterInformationLSA(values: values)))
    }

    /// The field has 24 bits; LSInfinity is the largest value.
    @Test func aMetricThatDoesNotFitBecomesUnreachable() throws {
        let prefix = LSAPrefix(prefix: .default)
        let key = LSAKey(type: .asExternal, linkStateID: 0, advertisingRouter: .init(1))
        let body = ASExternalLSA(isType2: false, metric: 0x0100_0000, prefix: prefix)
        let expected = ASExternalLSA(isType2: false, metric: ASExternalLSA.unreachable, prefix: prefix)
        #expect(try LSA(key: key, sequenceNumber: 1, body: .asExternal(body)).body() == .asExternal(expected))
    }
}
