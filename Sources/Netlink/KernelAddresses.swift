public import Addressing
internal import CNetlink
internal import Glibc
public import Links
public import Linux

/// Adds and removes addresses of interfaces: on `lo`, the node's own addresses, VIPs and service addresses. To be used on
/// one thread.
public final class KernelAddresses {
    /// The loopback interface's index in every network namespace.
    public static let loopback: UInt32 = 1

    private let socket: NetlinkSocket
    private let origin: UInt8

    /// Opens a socket in the calling thread's network namespace. `origin` marks our addresses (`IFA_PROTO`, Linux 5.18 and
    /// later); by default it is the protocol number of our routes.
    public init(origin: UInt8 = 71) throws(SystemError) {
        socket = try NetlinkSocket()
        self.origin = origin
    }

    /// Adds an address as a /128 or, for IPv4, a /32. It is usable at once, without duplicate address detection, and gets no
    /// route to a connected prefix. Returns `false` if the interface has it already.
    @discardableResult
    public func add(_ address: IPv6Address, to interface: UInt32 = loopback) throws(SystemError) -> Bool {
        let flags = UInt32(IFA_F_NODAD | IFA_F_NOPREFIXROUTE)
        let refusal = try socket.request(
            Int(RTM_NEWADDR), flags: Flag.create | Flag.exclusive, header(address, interface, flags: flags)
        ) {
            $0.attribute(Int(IFA_LOCAL), address)
            $0.attribute(Int(IFA_ADDRESS), address)
            $0.attribute(Int(IFA_FLAGS), flags)
            $0.attribute(Int(IFA_PROTO), self.origin)
        }
        guard let refusal else { return true }
        guard refusal.code == EEXIST else {
            throw SystemError(
                "add \(address) to interface \(interface)", code: refusal.code, explanation: refusal.explanation)
        }
        return false
    }

    /// Whether an address on `lo` has our mark; `false` before Linux 5.18.
    public func isOurs(_ address: IPv6Address) throws(SystemError) -> Bool {
        try own().contains { $0.address == address && $0.interface == Self.loopback }
    }

    /// Removes an address. Returns whether it was there.
    @discardableResult
    public func remove(_ address: IPv6Address, from interface: UInt32 = loopback) throws(SystemError) -> Bool {
        // With IFA_ADDRESS the kernel compares the prefix length too: another program may have the address as a /24.
        let refusal = try socket.request(Int(RTM_DELADDR), flags: 0, header(address, interface, flags: 0)) {
            $0.attribute(Int(IFA_LOCAL), address)
            $0.attribute(Int(IFA_ADDRESS), address)
        }
        guard let refusal else { return true }
        guard refusal.code == EADDRNOTAVAIL || refusal.code == ENODEV else {
            throw SystemError(
                "remove \(address) from interface \(interface)", code: refusal.code, explanation: refusal.explanation)
        }
        return false
    }

    /// The addresses with our mark, of this or an earlier run; none before Linux 5.18.
    public func own() throws(SystemError) -> [InterfaceAddress] {
        var result: [InterfaceAddress] = []
        let fixed = ifaddrmsg(ifa_family: UInt8(AF_UNSPEC), ifa_prefixlen: 0, ifa_flags: 0, ifa_scope: 0, ifa_index: 0)
        try socket.dump(Int(RTM_GETADDR), fixed, of: "addresses", restart: { result = [] }) {
            if let address = InterfaceAddress($0), address.origin == origin { result.append(address) }
        }
        return result
    }

    private func header(_ address: IPv6Address, _ interface: UInt32, flags: UInt32) -> ifaddrmsg {
        let isIPv4 = address.ipv4 != nil
        // The field has 8 bits; IFA_FLAGS has all flags.
        return ifaddrmsg(
            ifa_family: UInt8(isIPv4 ? AF_INET : AF_INET6), ifa_prefixlen: isIPv4 ? 32 : 128,
            ifa_flags: UInt8(truncatingIfNeeded: flags), ifa_scope: 0, ifa_index: interface)
    }
}
