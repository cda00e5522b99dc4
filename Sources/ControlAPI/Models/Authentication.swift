/// A key, a router that is heard, or a sender that is refused, in the answer to `GET /v1/auth`.
public struct Authentication: ListItem, Hashable {
    /// `AuthenticationList`.
    public static let listKind = "AuthenticationList"

    /// `key`, `neighbor` or `refused`.
    public var kind: String
    /// The identifier of the key; of a neighbor, that of its last packets. `nil` if they come without a valid one.
    public var key: Int?
    /// The algorithm of a key.
    public var algorithm: String?
    /// The interface of a neighbor or sender.
    public var interface: String?
    /// The link-local address of a neighbor or sender.
    public var address: String?
    /// The router ID of a neighbor; of a refused sender what it says.
    public var routerID: String?
    /// The name of the router, if it is known.
    public var node: String?
    /// Of a key: `sending`, `accepted`, `expired` or `not yet valid`. Of a neighbor: `authentic` or `without`. Of a sender: why its last packet
    /// was refused.
    public var state: String
    /// For how many seconds a neighbor's packets have come with this key, or a sender has been refused; `nil` for keys.
    public var age: Double?
    /// The number of packets of a refused sender.
    public var packets: Int?

    public init(kind: String, key: Int? = nil, algorithm: String? = nil, state: String) {
        self.kind = kind
        self.key = key
        self.algorithm = algorithm
        self.state = state
    }
}

extension Authentication: Tabular {
    /// KIND KEY STATE NODE ROUTER-ID DEV ADDRESS AGE PACKETS.
    public static func table(_ items: [Authentication], wide: Bool) -> TextTable {
        var table = TextTable(columns: [
            "KIND", "KEY", "STATE", "NODE", "ROUTER-ID", "DEV", "ADDRESS", .number("AGE"), .number("PACKETS"),
        ])
        for item in items {
            let key = [item.key.map { "\($0)" }, item.algorithm].compactMap(\.self).joined(separator: " ")
            table.append([
                item.kind, key, item.state, item.node ?? "", item.routerID ?? "", item.interface ?? "",
                item.address ?? "", item.age.map(shortDuration) ?? "", item.packets.map { "\($0)" } ?? "",
            ])
        }
        return table
    }
}
