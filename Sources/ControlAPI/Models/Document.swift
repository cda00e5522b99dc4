/// What every list answers: who says it, when, and the items. Fields are only ever added.
public struct ListDocument<Item: ListItem>: Codable, Sendable {
    /// ``API/version``.
    public var apiVersion: String
    /// What the items are, as in `RouteList`.
    public var kind: String
    /// The name of the node that answers.
    public var node: String
    /// When it answered, RFC 3339 in UTC.
    public var time: String
    /// The items, in an order that stays.
    public var items: [Item]

    public init(node: String, time: String, items: [Item]) {
        apiVersion = API.version
        kind = Item.listKind
        self.node = node
        self.time = time
        self.items = items
    }
}

/// What can stand in a ``ListDocument``.
public protocol ListItem: Codable, Sendable {
    /// The `kind` of a list of these.
    static var listKind: String { get }
}

/// What `/v1/status` answers.
public struct StatusDocument: Codable, Sendable {
    /// ``API/version``.
    public var apiVersion: String
    /// `Status`.
    public var kind: String
    /// The name of the node that answers.
    public var node: String
    /// When it answered, RFC 3339 in UTC.
    public var time: String
    /// How it is.
    public var status: Status

    public init(node: String, time: String, status: Status) {
        apiVersion = API.version
        kind = "Status"
        self.node = node
        self.time = time
        self.status = status
    }
}

/// What every request that fails answers.
public struct ErrorDocument: Codable, Hashable, Sendable {
    /// ``API/version``.
    public var apiVersion: String
    /// `Error`.
    public var kind: String
    /// The HTTP status.
    public var status: Int
    /// What happened.
    public var message: String
    /// What to do about it.
    public var hint: String?

    public init(status: Int, message: String, hint: String? = nil) {
        apiVersion = API.version
        kind = "Error"
        self.status = status
        self.message = message
        self.hint = hint
    }
}

/// The answer to `/v1/drain`.
public struct DrainDocument: Codable, Sendable {
    /// `meshctl/v1`.
    public var apiVersion: String
    /// `Drain`.
    public var kind: String
    /// The node that answers.
    public var node: String
    /// Whether the node is drained.
    public var drained: Bool
    /// Who wants it drained: `operator`, by `meshctl drain`; `cluster`, by what is said of the Node; `stop`, as the agent
    /// is about to end.
    public var reasons: [String]?
    /// Packets from one port to another since the counting began with the first question; `nil` where they cannot be
    /// counted, or are not because the node is not drained.
    public var transitPackets: UInt64?
    /// Why they cannot be counted.
    public var problem: String?

    public init(node: String, drained: Bool, reasons: [String], transitPackets: UInt64?, problem: String?) {
        apiVersion = API.version
        kind = "Drain"
        self.node = node
        self.drained = drained
        self.reasons = reasons
        self.transitPackets = transitPackets
        self.problem = problem
    }
}

/// What `POST /v1/drain` takes.
public struct DrainRequest: Codable, Hashable, Sendable {
    /// Whether the node is to be drained.
    public var enabled: Bool
    /// Whether that may cut others off; without it such a request is refused.
    public var force: Bool?

    public init(enabled: Bool, force: Bool? = nil) {
        self.enabled = enabled
        self.force = force
    }
}

/// What `POST /v1/stub-router` takes.
public struct StubRouterRequest: Codable, Hashable, Sendable {
    /// Whether others should route around this node (RFC 6987).
    public var enabled: Bool

    public init(enabled: Bool) { self.enabled = enabled }
}

/// Names that both sides know.
public enum API {
    /// What `apiVersion` says.
    public static let version = "meshctl/v1"
    /// Where the agent listens unless told otherwise.
    public static let defaultSocket = "/run/kubermesh/meshd.sock"
    /// The environment variable that names another socket.
    public static let socketVariable = "MESHCTL_SOCKET"
}
