public import Addressing

/// An IPv6 or IPv4 address of a host.
public enum HostAddress: Hashable, Sendable, CustomStringConvertible {
    case v6(IPv6Address)
    case v4(IPv4Address)

    /// Parses an address of either family, without brackets.
    public init?(_ text: String) {
        if let address = IPv4Address(text) {
            self = .v4(address)
        } else if let address = IPv6Address(text) {
            self = .v6(address)
        } else {
            return nil
        }
    }

    /// An address; one in mapped form is IPv4.
    public init(_ address: IPv6Address) {
        self = address.ipv4.map { .v4($0) } ?? .v6(address)
    }

    /// The address without a port.
    public var description: String {
        switch self {
        case .v6(let address): address.description
        case .v4(let address): address.description
        }
    }
}

/// An address and a port.
public struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    public var host: HostAddress
    /// The port, 1–65535.
    public var port: UInt16

    public init(host: HostAddress, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Parses `[::1]:9179` or `127.0.0.1:9179`. Names are not resolved: the mesh must not depend on a name server.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port != 0
        else { return nil }
        let host = text[..<colon]
        // An IPv4 address has no brackets, not even in its mapped form.
        if host.hasPrefix("["), host.hasSuffix("]"), let address = IPv6Address(String(host.dropFirst().dropLast())),
            address.ipv4 == nil
        {
            self.init(host: .v6(address), port: port)
        } else if let address = IPv4Address(String(host)) {
            self.init(host: .v4(address), port: port)
        } else {
            return nil
        }
    }

    /// The port on both loopback addresses, IPv6 first.
    public static func loopback(port: UInt16) -> [Endpoint] {
        [
            Endpoint(host: .v6(.loopback), port: port), Endpoint(host: .v4(IPv4Address(0x7f00_0001)), port: port),
        ]
    }

    /// `[address]:port`, without brackets for IPv4.
    public var description: String {
        switch host {
        case .v6(let address): "[\(address)]:\(port)"
        case .v4(let address): "\(address):\(port)"
        }
    }
}
