import Glibc
import Linux
import TestSupport
import Testing
import Timing

@Suite(.serialized, .needsRoot) struct EchoSocketTests {
    /// A neighbor knows what an answer must repeat, and may change the moment of the request in it.
    @Test(arguments: [Int64.min, -1, 0, .max])
    func answersMayClaimAnyMoment(moment: Int64) throws {
        let (left, right) = try OSPFSocketsTests.cable()
        let socket = try left.run { try EchoSocket(identifier: 7, cookie: 42) }
        try right.run {
            let forger = Glibc.socket(AF_INET6, CInt(SOCK_RAW.rawValue), CInt(IPPROTO_ICMPV6))
            guard forger >= 0 else { throw SystemError.last("open a raw socket") }
            defer { close(forger) }
            try Self.use("fe80::2") { bind(forger, $0, $1) }
            var octets: [UInt8] = [129, 0, 0, 0, 0, 7, 0, 0]
            for word in [42, 10 << 32, 2, UInt64(bitPattern: moment)] as [UInt64] {
                withUnsafeBytes(of: word.bigEndian) { octets.append(contentsOf: $0) }
            }
            try Self.use("fe80::1") { sendto(forger, octets, octets.count, 0, $0, $1) }
        }
        var roundTrips: [Duration?] = []
        let deadline = EventLoop.now + .seconds(5)
        while roundTrips.isEmpty, EventLoop.now < deadline {
            socket.receive { _, _, _, roundTrip in roundTrips.append(roundTrip) }
            usleep(500)
        }
        #expect(roundTrips == [nil])
    }

    /// Calls a function with a link-local address on the right end of the cable.
    private static func use<Result: BinaryInteger>(
        _ address: String, _ call: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) throws {
        var place = sockaddr_in6()
        place.sin6_family = sa_family_t(AF_INET6)
        place.sin6_scope_id = 20
        inet_pton(AF_INET6, address, &place.sin6_addr)
        let result = withUnsafePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                call($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
            }
        }
        if result < 0 { throw SystemError.last("use \(address)") }
    }
}
