import Addressing
import Glibc
import Linux

extension MachineFixture {
    /// Sends a router advertisement (RFC 4861 §4.2) from the far end of a cable. `lifetime` is that of the default route, in
    /// seconds. `source` stays an address of the far end.
    func advertiseRouter(over cable: Int, from source: IPv6Address, lifetime: UInt16, prefix: IPv6Prefix? = nil) throws
    {
        try peerNamespace.run {
            _ = try Self.run("ip addr replace \(source)/64 dev p\(cable) nodad")
            let descriptor = socket(AF_INET6, CInt(SOCK_RAW.rawValue), CInt(IPPROTO_ICMPV6))
            guard descriptor >= 0 else { throw SystemError.last("open an ICMPv6 socket") }
            defer { close(descriptor) }
            var hops: CInt = 255
            setsockopt(
                descriptor, CInt(IPPROTO_IPV6), IPV6_MULTICAST_HOPS, &hops,
                socklen_t(MemoryLayout<CInt>.size))
            let interface = if_nametoindex("p\(cable)")
            try Self.withSocketAddress(source, scope: interface) { address, size throws(SystemError) in
                guard bind(descriptor, address, size) == 0 else { throw SystemError.last("bind to \(source)") }
            }
            let octets = Self.advertisement(lifetime: lifetime, prefix: prefix)
            let allNodes = IPv6Address(0xff02, 0, 0, 0, 0, 0, 0, 1)
            try Self.withSocketAddress(allNodes, scope: interface) { address, size throws(SystemError) in
                guard sendto(descriptor, octets, octets.count, 0, address, size) == octets.count else {
                    throw SystemError.last("send a router advertisement")
                }
            }
        }
    }

    private static func advertisement(lifetime: UInt16, prefix: IPv6Prefix?) -> [UInt8] {
        var octets: [UInt8] = [134, 0, 0, 0, 64, 0, UInt8(lifetime >> 8), UInt8(lifetime & 0xff)]
        octets += [UInt8](repeating: 0, count: 8)
        guard let prefix else { return octets }
        // On-link and for autoconfiguration, both lifetimes one hour (RFC 4861 §4.6.2).
        octets += [3, 4, UInt8(prefix.length), 0xc0] + [0, 0, 0x0e, 0x10] + [0, 0, 0x0e, 0x10] + [0, 0, 0, 0]
        return octets + prefix.address.octets
    }

    private static func withSocketAddress(
        _ address: IPv6Address, scope: UInt32,
        _ body: (UnsafePointer<sockaddr>, socklen_t) throws(SystemError) -> Void
    ) throws(SystemError) {
        var socketAddress = sockaddr_in6()
        socketAddress.sin6_family = sa_family_t(AF_INET6)
        socketAddress.sin6_scope_id = scope
        withUnsafeMutableBytes(of: &socketAddress.sin6_addr) { $0.copyBytes(from: address.octets) }
        let copy = socketAddress
        try withUnsafePointer(to: copy) { pointer throws(SystemError) in
            try UnsafeRawPointer(pointer).withMemoryRebound(to: sockaddr.self, capacity: 1) {
                rebound throws(SystemError) in
                try body(rebound, socklen_t(MemoryLayout<sockaddr_in6>.size))
            }
        }
    }
}
