internal import Addressing
internal import CLinux
internal import Glibc

extension FileDescriptor {
    /// Sends a packet out of an interface from an address of it, to a port, which is 0 for raw sockets. Returns -1 and sets `errno` if
    /// that is not possible.
    func send(
        _ octets: [UInt8], on interface: UInt32, from source: IPv6Address, to destination: IPv6Address, port: UInt16 = 0
    ) -> CInt {
        withUnsafePointer(to: source.inetOctets) { source in
            withUnsafePointer(to: destination.inetOctets) { destination in
                octets.withUnsafeBufferPointer {
                    clinux_send(
                        rawValue, interface, UnsafeRawPointer(source).assumingMemoryBound(to: UInt8.self),
                        UnsafeRawPointer(destination).assumingMemoryBound(to: UInt8.self), port, $0.baseAddress,
                        $0.count)
                }
            }
        }
    }
}
