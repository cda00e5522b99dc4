/// The answer to a request for a list. Later versions of kubermesh may add fields, but they remove and rename none.
public struct ListDocument<Item: ListItem>: Codable, Sendable {
    /// ``API/version``.
    public var apiVersion: String
    /// The kind of list, as in `RouteList`.
    public var kind: String
    /// The name of the node.
    public var node: String
    /// The time of the answer, RFC 3339 in UTC.
    public var time: String
    /// The items, in a stable order.
    public var items: [Item]

    public init(node: String, time: String, items: [Item]) {
        apiVersion = API.version
        kind = Item.listKind
        self.node = node
        self.time = time
        self.items = items
    }
}

/// An item of a ``ListDocument``.
public protocol ListItem: Codable, Sendable {
    /// The `kind` of a list of these.
    static var listKind: String { get }
}

/// The answer to `/v1/status`.
public struct StatusDocument: Codable, Sendable {
    /// ``API/version``.
    public var apiVersion: String
    /// `Status`.
    public var kind: String
    /// The name of the node.
    public var node: String
    /// The time of the answer, RFC 3339 in UTC.
    public var time: String
    public var status: Status

    public init(node: String, time: String, status: Status) {
        apiVersion = API.version
        kind = "Status"
        self.node = node
        self.time = time
        self.status = status
    }
}

/// The answer to a request that fails.
public struct ErrorDocument: Codable, Hashable, Sendable {
    /// ``API/version``.
    public var apiVersion: String
    /// `Error`.
    public var kind: String
    /// The HTTP status.
    public var status: Int
    /// What is wrong.
    public var message: String
    /// What to do, or more about the failure; `nil` if there is nothing to add to ``message``.
    public var hint: String?

    public init(status: Int, message: String, hint: String? = nil) {
        apiVersion = API.version
        kind = "Error"
        self.status = status
        self.message = message
        self.hint = hint
    }
}

/// The answer to `GET /v1/drain`.
public struct DrainDocument: Codable, Sendable {
    /// ``API/version``.
    public var apiVersion: String
    /// `Drain`.
    public var kind: String
    /// The name of the node.
    public var node: String
    /// Whether the node is drained.
    public var drained: Bool
    /// Why it is drained: `operator` (`meshctl drain`), `cluster` (the state of the Node requires it), `stop` (the agent is
    /// about to stop). Empty if it is not drained; `nil` from older agents.
    public var reasons: [String]?
    /// Packets forwarded from one port of the mesh to another since the first `GET /v1/drain` of a drained node. The count
    /// starts again from 0 when `POST /v1/drain` ends the drain, ports come or go, or another program removes the counter.
    /// `nil` if the node is not drained or packets cannot be counted.
    public var transitPackets: UInt64?
    /// Why transit packets cannot be counted; `nil` if they can or the node is not drained.
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

/// The body of `POST /v1/drain`.
public struct DrainRequest: Codable, Hashable, Sendable {
    /// `true` drains the node; `false` ends the drain by an operator. The node stays drained while ``DrainDocument/reasons``
    /// has another reason.
    public var enabled: Bool
    /// Whether to drain even if that makes other nodes unreachable. If this is `false` or `nil`, a request that would do so
    /// fails with status 409, unless the node is drained already.
    public var force: Bool?

    public init(enabled: Bool, force: Bool? = nil) {
        self.enabled = enabled
        self.force = force
    }
}

/// The body of `POST /v1/stub-router`.
public struct StubRouterRequest: Codable, Hashable, Sendable {
    /// Whether others should route around this node (RFC 6987).
    public var enabled: Bool

    public init(enabled: Bool) { self.enabled = enabled }
}

/// Names and paths of the API and its programs.
public enum API {
    /// The `apiVersion` of every document.
    public static let version = "meshctl/v1"
    /// The default control socket.
    public static let defaultSocket = "/run/kubermesh/meshd.sock"
    /// The environment variable with the path of the control socket that `meshctl` uses in place of the default.
    public static let socketVariable = "MESHCTL_SOCKET"
}
