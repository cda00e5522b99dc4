internal import Addressing
internal import Authentication
internal import OSPF
internal import OSPFPacket
internal import Simulation
internal import Timing

extension PacketInput {
    private static let source = IPv6Address("fe80::1")!

    /// Nothing that a fuzzer makes is authentic; and what is sealed opens, as it was but for the AT-bit and the checksum.
    func checkAuthentication(of octets: [UInt8]) {
        var authentication = PacketAuthentication(functions: .model, savedSequence: 0)
        authentication.configure(
            KeyChain([
                AuthenticationKey(id: 1, algorithm: .hmacSHA1, secret: [1, 2, 3]),
                AuthenticationKey(id: 2, algorithm: .hmacSHA512, secret: [4, 5, 6]),
            ]), at: .zero)
        if let end = authentication.takeReservation() { authentication.reserve(end) }
        func open(_ octets: [UInt8], _ policy: AuthenticationPolicy) -> [UInt8]? {
            authentication.open(
                octets, policy: policy, on: 1, from: Self.source, to: .allSPFRouters, lifetime: .seconds(4), at: .zero)
        }
        _ = open(octets, .off)
        _ = open(octets, .optional)
        precondition(open(octets, .required) == nil)
        guard let packet = TrailedPacket(octets), !packet.hasTrailer,
            let sealed = authentication.seal(
                octets, policy: .required, on: 1, from: Self.source, to: .allSPFRouters, at: .zero)
        else { return }
        let plain = packet.withoutTrailer(source: Self.source, destination: .allSPFRouters)
        // Any change, and a second time.
        var changed = sealed
        changed[plain.reduce(0) { $0 &+ Int($1) } % sealed.count] ^= 1 << (plain[12] & 7)
        precondition(open(changed, .required) == nil)
        precondition(open(sealed, .required) == plain)
        precondition(open(sealed, .required) == nil)
    }
}
